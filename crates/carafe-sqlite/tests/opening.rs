//! From a file to a store: who makes the tables, which are refused, who may read them.

mod common;

use std::{fs, thread};

use carafe_sqlite::{Durability, OpenError, SCHEMA, SCHEMA_VERSION, SqliteOptions, SqliteStore};
use common::{Scratch, file_one, load};
use futures_executor::block_on;

fn open(scratch: &Scratch) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(scratch.file(), SqliteOptions::default())
}

fn refusal<T>(result: Result<T, OpenError>) -> String {
    match result {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn opening_makes_nothing() {
    let scratch = Scratch::new("nothing");
    assert!(refusal(open(&scratch)).starts_with("cannot use "));
    assert!(!scratch.file().exists());

    fs::write(scratch.file(), "").expect("an empty file");
    assert_eq!(
        refusal(open(&scratch)),
        "the file has no session tables: call `SqliteStore::migrate`, or run `SCHEMA`"
    );
    assert_eq!(fs::read(scratch.file()).expect("the file is there"), b"");
}

#[test]
fn migrating_twice_keeps_what_is_there() {
    let scratch = Scratch::new("twice");
    SqliteStore::migrate(scratch.file()).expect("the tables are made");
    drop(open(&scratch).expect("it opens"));
    let files = fs::read_dir(scratch.dir()).expect("the directory is there");
    assert_eq!(files.count(), 1, "a store without a write leaves no log");
    let (key, _) = file_one(&open(&scratch).expect("it opens"), "id", r#"{"a":1}"#);
    SqliteStore::migrate(scratch.file()).expect("they are there");
    let store = open(&scratch).expect("it opens");
    assert_eq!(load(&store, &key).data.text_of("a"), Some("1"));
}

#[test]
fn many_may_migrate_at_once() {
    let scratch = &Scratch::new("many");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| SqliteStore::migrate(scratch.file()).expect("one makes them"));
        }
    });
    open(scratch).expect("it opens");
}

#[test]
fn the_published_statements_are_the_tables() {
    let scratch = Scratch::new("published");
    scratch
        .raw()
        .execute_batch(SCHEMA)
        .expect("the statements run");
    let store = open(&scratch).expect("it opens");
    file_one(&store, "id", "{}");
}

#[test]
fn other_versions_are_refused() {
    let scratch = Scratch::new("versions");
    drop(scratch.store());
    let say = |version: i64| {
        let db = scratch.raw();
        db.pragma_update(None, "user_version", version)
            .expect("it is set");
    };
    say(SCHEMA_VERSION + 1);
    let newer =
        "the session tables are of version 2, newer than this program's 1: run a newer program";
    assert_eq!(refusal(open(&scratch)), newer);
    assert_eq!(refusal(SqliteStore::migrate(scratch.file())), newer);
    say(-1);
    assert_eq!(
        refusal(open(&scratch)),
        "the session tables are of version -1, older than 1: call `SqliteStore::migrate`"
    );
    say(0);
    assert!(refusal(open(&scratch)).contains("no session tables"));
    assert!(refusal(SqliteStore::migrate(scratch.file())).contains("other tables"));
}

/// Files that were made before the lists of all sessions had their indices, and any that has lost one.
#[test]
fn a_file_without_an_index_is_refused_until_it_is_migrated() {
    let scratch = Scratch::new("indices");
    let (key, _) = file_one(&scratch.store(), "id", r#"{"a":1}"#);
    let names = || -> Vec<String> {
        let db = scratch.raw();
        let sql =
            "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
        let mut statement = db.prepare(sql).expect("it is SQL");
        let rows = statement.query_map([], |row| row.get(0)).expect("it runs");
        rows.collect::<Result<_, _>>().expect("names")
    };
    let before = names();
    let drop_all = "DROP INDEX sessions_by_renewal; DROP INDEX sessions_of_handle; \
        DROP INDEX sessions_by_start; DROP INDEX session_aliases_of";
    scratch
        .raw()
        .execute_batch(drop_all)
        .expect("they are there");
    assert_eq!(
        refusal(open(&scratch)),
        "the session tables lack the index `sessions_by_renewal`: call `SqliteStore::migrate`, which adds it"
    );
    SqliteStore::migrate(scratch.file()).expect("it adds them");
    assert_eq!(names(), before);
    let store = open(&scratch).expect("it opens");
    assert_eq!(load(&store, &key).data.text_of("a"), Some("1"));
}

#[test]
fn a_store_says_how_it_is() {
    let scratch = Scratch::new("health");
    let store = scratch.store();
    file_one(&store, "id", "{}");
    let health = block_on(store.health()).expect("it is well");
    assert!(health.is_good(), "{health}");
    let path = fs::canonicalize(scratch.file()).expect("it is there");
    for fact in [
        ("file", path.to_str().expect("plain names")),
        ("schema", "version 1, expected 1"),
        ("indices", "7 of 7"),
        ("journal mode", "wal"),
        ("durability", "full: survives a power cut"),
    ] {
        assert!(
            health
                .to_string()
                .contains(&format!("{}: {}\n", fact.0, fact.1)),
            "{health}"
        );
    }
    let sql = "DROP INDEX sessions_by_expiry; PRAGMA user_version = 2";
    scratch.raw().execute_batch(sql).expect("it is there");
    let problems = block_on(store.health()).expect("it answers").problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("version 2") && problems[1].contains("`sessions_by_expiry`"));

    let options = SqliteOptions::default().durability(Durability::Normal);
    drop(SqliteStore::migrate(scratch.dir().join("normal.db")));
    let store = SqliteStore::open(scratch.dir().join("normal.db"), options).expect("it opens");
    let health = block_on(store.health()).expect("it is well");
    assert!(
        health
            .to_string()
            .contains("durability: normal: a power cut may"),
        "{health}"
    );
    store.close();
    assert!(block_on(store.health()).is_err());
}

#[test]
fn tables_that_only_claim_the_version_are_refused() {
    let scratch = Scratch::new("claim");
    let sql = "CREATE TABLE sessions (id TEXT); PRAGMA user_version = 1";
    scratch.raw().execute_batch(sql).expect("SQLite takes it");
    assert!(refusal(open(&scratch)).contains("no such "));
}

#[test]
fn what_is_no_database_is_refused() {
    let scratch = Scratch::new("rubbish");
    fs::write(
        scratch.file(),
        "a text that is longer than the head of a database, which has a hundred bytes, and is none",
    )
    .expect("a file");
    assert!(refusal(open(&scratch)).contains("not a database"));
    assert!(refusal(SqliteStore::migrate(scratch.file())).contains("not a database"));
}

#[test]
fn urls_open_files_and_memory() {
    let scratch = Scratch::new("urls");
    let url = format!("sqlite:{}", scratch.file().display());
    let options = SqliteOptions::default();
    assert!(refusal(SqliteStore::from_url(&url, options)).starts_with("cannot use "));
    let store = SqliteStore::from_url(&url, options.migrate(true)).expect("it opens");
    file_one(&store, "id", "{}");
    let store = SqliteStore::from_url("sqlite::memory:", options).expect("it opens");
    file_one(&store, "id", "{}");
    assert!(refusal(SqliteStore::from_url("postgres://x", options)).contains("`sqlite:`"));
}

#[test]
#[cfg(unix)]
fn only_the_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("mode");
    let store = scratch.store();
    file_one(&store, "id", "{}");
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{}{suffix}", scratch.file().display());
        let mode = fs::metadata(&file)
            .expect("the file is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    drop(store);
    fs::set_permissions(scratch.file(), fs::Permissions::from_mode(0o640)).expect("we own it");
    drop(scratch.store());
    let mode = fs::metadata(scratch.file())
        .expect("the file is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640, "what the owner has decided stays");
}

#[test]
#[cfg(unix)]
fn a_file_or_directory_that_cannot_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("read-only");
    drop(scratch.store());
    let set = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("we own it");
    };
    set(scratch.dir(), 0o500);
    let superuser = fs::write(scratch.dir().join("probe"), "").is_ok();
    if !superuser {
        assert!(open(&scratch).is_err(), "there is no place for the log");
        set(scratch.dir(), 0o700);
        set(&scratch.file(), 0o400);
        assert!(open(&scratch).is_err(), "the file cannot be written");
        set(&scratch.file(), 0o600);
    }
    set(scratch.dir(), 0o700);
    open(&scratch).expect("nothing was lost");
}
