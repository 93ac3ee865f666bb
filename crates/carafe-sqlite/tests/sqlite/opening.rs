//! Opening a store: creation of the tables, rejected files, permissions.

use std::{fs, thread};

use carafe_core::{
    error::ErrorChain,
    store::{KeyState, SessionStore, StoreKey, UserSessions},
};
use carafe_sqlite::{Durability, OpenError, SCHEMA, SCHEMA_VERSION, SqliteOptions, SqliteStore};
use futures_executor::block_on;

use crate::common::{NOW, Scratch, applied, file_one, load, renewal, set};

fn open(scratch: &Scratch) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(scratch.file(), SqliteOptions::default())
}

fn refusal<T>(result: Result<T, OpenError>) -> String {
    match result {
        Ok(_) => panic!("it was accepted"),
        Err(error) => ErrorChain::of(&error).to_string(),
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
        "the session tables are of version 3, newer than this program's 2: run a newer program";
    assert_eq!(refusal(open(&scratch)), newer);
    assert_eq!(refusal(SqliteStore::migrate(scratch.file())), newer);
    say(-1);
    assert_eq!(
        refusal(open(&scratch)),
        "the session tables are of version -1, older than 2: call `SqliteStore::migrate`"
    );
    say(0);
    assert!(refusal(open(&scratch)).contains("no session tables"));
    assert!(refusal(SqliteStore::migrate(scratch.file())).contains("other tables"));
}

/// Writes a file of version 1, as created by the previous version of this crate.
fn make_version_1(scratch: &Scratch) {
    let old = include_str!("version_1.sql");
    scratch.raw().execute_batch(old).expect("SQLite takes it");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(scratch.file(), private).expect("the file is ours");
    }
}

#[test]
fn a_file_of_version_1_is_refused_until_it_is_migrated_and_keeps_its_sessions() {
    let scratch = Scratch::new("version-1");
    make_version_1(&scratch);
    let older = "the session tables are of version 1, older than 2: call `SqliteStore::migrate`";
    assert_eq!(refusal(open(&scratch)), older);
    let version: i64 = scratch
        .raw()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .expect("a number");
    assert_eq!(version, 1, "opening changes nothing");

    SqliteStore::migrate(scratch.file()).expect("it is upgraded");
    SqliteStore::migrate(scratch.file()).expect("nothing is left to do");
    let store = open(&scratch).expect("it opens");
    let [own, old] = [[1; 32], [2; 32]].map(StoreKey::from_bytes);
    let record = load(&store, &own);
    assert_eq!(
        (
            record.meta.user.as_deref(),
            record.data.text_of("a"),
            record.meta.renewal
        ),
        (Some("zoe"), Some("1"), None)
    );
    let state = block_on(store.load(&old, NOW)).expect("load works");
    assert!(matches!(state, KeyState::Moved(_)), "{state:?}");
    let patched = block_on(store.patch(&own, &record, &set("b", "2"), NOW));
    applied(patched.expect("patch works"));
    let renewed = StoreKey::of_id("renewed");
    let rotated = block_on(store.rotate(&own, &renewed, &record, &set("c", "3"), renewal(), NOW));
    applied(rotated.expect("rotate works"));
    assert!(load(&store, &renewed).meta.renewal.is_some());
    let listed = block_on(store.list_by_user("zoe", None, 10, NOW)).expect("of_user works");
    assert_eq!(listed.len(), 2);
    assert!(block_on(store.delete(&old, NOW)).expect("delete works"));
    for key in [&old, &own, &renewed] {
        let state = block_on(store.load(key, NOW)).expect("load works");
        assert!(matches!(state, KeyState::Retired), "{state:?}");
    }
    assert!(block_on(store.health()).expect("it answers").is_good());

    // The upgraded tables equal new ones, except for the order of columns.
    let new = Scratch::new("version-new");
    SqliteStore::migrate(new.file()).expect("the tables are made");
    assert_eq!(objects(&scratch), objects(&new));
}

/// Programs with SQLite 3.40 find the file whole.
///
/// `PRAGMA integrity_check` of that version confuses the columns of a table without a rowid unless
/// the primary key comes first, as it is stored; it reported that `kept_until` is NULL. The SQLite
/// of this test is newer, so the order is checked, too.
#[test]
fn a_file_is_whole_for_older_programs_too() {
    for is_old in [false, true] {
        let scratch = Scratch::new(&format!("whole-{is_old}"));
        if is_old {
            make_version_1(&scratch);
        }
        let store = scratch.store();
        let (key, _) = file_one(&store, "id", "{}");
        assert!(block_on(store.delete(&key, NOW)).expect("delete works"));
        let db = scratch.raw();
        let texts = |sql: &str| -> Vec<String> {
            let mut statement = db.prepare(sql).expect("it is SQL");
            let rows = statement.query_map([], |row| row.get(0)).expect("it runs");
            rows.collect::<Result<_, _>>().expect("texts")
        };
        assert_eq!(texts("PRAGMA integrity_check"), ["ok"]);
        let first = "SELECT t.name || '.' || c.name FROM pragma_table_list AS t \
            JOIN pragma_table_info(t.name) AS c WHERE t.wr AND c.cid = 0";
        assert_eq!(texts(first), ["session_former_keys.key"]);
    }
}

/// Returns the tables with their columns and the statements of the indices, sorted.
fn objects(scratch: &Scratch) -> Vec<String> {
    let db = scratch.raw();
    let sql = "SELECT m.name || ' ' || p.name || ' ' || p.type || p.\"notnull\" || p.pk
        FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS p WHERE m.type = 'table'
        UNION ALL SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1";
    let mut statement = db.prepare(sql).expect("it is SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("it runs");
    rows.collect::<Result<_, _>>().expect("texts")
}

/// If several processes start with a new program at the same time, one upgrades the file.
#[test]
fn many_may_upgrade_at_once() {
    let scratch = &Scratch::new("upgrades");
    make_version_1(scratch);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| SqliteStore::migrate(scratch.file()).expect("one upgrades it"));
        }
    });
    open(scratch).expect("it opens");
}

/// Files created before the operators' listing had indices, and files with a missing index.
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
        DROP INDEX sessions_by_start; DROP INDEX session_former_keys_of";
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
        ("schema", "version 2, expected 2"),
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
    let sql = "DROP INDEX sessions_by_expiry; PRAGMA user_version = 3";
    scratch.raw().execute_batch(sql).expect("it is there");
    let problems = block_on(store.health()).expect("it answers").problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("version 3") && problems[1].contains("`sessions_by_expiry`"));

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
    let sql = "CREATE TABLE sessions (id TEXT); PRAGMA user_version = 2";
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

#[test]
#[cfg(unix)]
fn a_file_that_everybody_can_write_or_replace_is_refused_with_the_remedy() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let set = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("we own it");
    };
    let scratch = Scratch::new("unsafe");
    drop(scratch.store());
    for mode in [0o666, 0o602, 0o606] {
        set(&scratch.file(), mode);
        for refused in [
            refusal(open(&scratch)),
            refusal(SqliteStore::migrate(scratch.file())),
        ] {
            assert!(refused.contains("`chmod 600 "), "{mode:o}: {refused}");
        }
    }
    set(&scratch.file(), 0o600);

    set(scratch.dir(), 0o777);
    assert!(refusal(open(&scratch)).contains("`chmod o-w "));
    // Other users can add files to the directory, but cannot replace the database.
    set(scratch.dir(), 0o1777);
    drop(open(&scratch).expect("it opens"));
    let wal = scratch.dir().join("sessions.db-wal");
    symlink(scratch.file(), &wal).expect("a link");
    assert!(refusal(open(&scratch)).contains("symbolic link"));
    fs::remove_file(&wal).expect("it is there");
    symlink(scratch.file(), scratch.dir().join("link.db")).expect("a link");
    let linked = |name: &str| SqliteStore::open(scratch.dir().join(name), SqliteOptions::default());
    assert!(refusal(linked("link.db")).contains("name the file itself"));
    set(scratch.dir(), 0o700);
    drop(linked("link.db").expect("only we can have made this link"));
    open(&scratch).expect("nothing was lost");
}

#[test]
#[cfg(unix)]
fn health_says_who_else_has_access() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let scratch = Scratch::new("access");
    drop(scratch.store());
    let link = scratch.dir().join("link.db");
    symlink(scratch.file(), &link).expect("a link");
    let store = SqliteStore::open(&link, SqliteOptions::default()).expect("it opens");
    for (file_mode, dir_mode, found) in [
        (0o600, 0o700, &["is a symbolic link"][..]),
        (0o644, 0o700, &["symbolic link", "can read the sessions"]),
        (0o640, 0o700, &["symbolic link"]),
        (
            0o666,
            0o777,
            &[
                "symbolic link",
                "every user of this machine can write",
                "every user can replace",
            ],
        ),
    ] {
        for (path, mode) in [
            (scratch.file().as_path(), file_mode),
            (scratch.dir(), dir_mode),
        ] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("we own it");
        }
        let health = block_on(store.health()).expect("it answers");
        assert!(
            health
                .facts
                .contains(&("permissions", format!("{file_mode:o}")))
        );
        assert_eq!(health.problems.len(), found.len(), "{health}");
        for text in found {
            assert!(health.to_string().contains(text), "{text}: {health}");
        }
    }
}

#[test]
fn the_url_of_another_store_is_not_repeated() {
    let error = SqliteStore::from_url("postgres://app:SECRET@h/db", SqliteOptions::default());
    let error = error.expect_err("it is not ours");
    assert!(!format!("{error} {error:?}").contains("SECRET"));
}
