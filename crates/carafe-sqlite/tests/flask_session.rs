//! Flask-Session's table in an SQLite file: the contract, and rows as SQLAlchemy writes them. The real one is in
//! `interop/`.

mod common;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use carafe_core::{
    flask::stored::{FlaskSession, Format},
    store::{Created, Patched, SessionStore, StoreError, StoreKey},
};
use carafe_sqlite::{FlaskSessionStore, OpenError, SqliteOptions};
use common::{LATER, NOW, Scratch, applied, patient, record, set};
use futures_executor::block_on;

/// What SQLAlchemy makes.
const TABLE: &str = "CREATE TABLE sessions (id INTEGER NOT NULL, session_id VARCHAR(255), data BLOB, \
     expiry DATETIME, PRIMARY KEY (id), UNIQUE (session_id))";
const KEY: StoreKey = StoreKey::from_bytes([0; 32]);

fn open(file: &std::path::Path, layout: FlaskSession) -> FlaskSessionStore {
    let layout = layout.with_lifetime(Duration::from_secs(3600));
    FlaskSessionStore::open(file, "sessions", layout, patient()).expect("the store opens")
}

/// The files stay until the next run, because a check has nothing that would remove its own.
fn on_a_new_file(format: Format, journal: &str) -> FlaskSessionStore {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let file = common::tmp().join(format!("flask-session-{format:?}-{journal}-{count}.db"));
    for suffix in ["", "-wal", "-shm", "-journal"] {
        drop(std::fs::remove_file(format!("{}{suffix}", file.display())));
    }
    let db = rusqlite::Connection::open(&file).expect("the file opens");
    let mode = format!("PRAGMA journal_mode = {journal}; PRAGMA synchronous = OFF;");
    db.execute_batch(&mode).expect("a journal");
    db.execute_batch(TABLE).expect("a table");
    drop(db);
    open(&file, FlaskSession::new(format).keeping_facts())
}

mod msgpack {
    carafe_core::session_store_conformance!(futures_executor::block_on, async {
        super::on_a_new_file(super::Format::MsgPack, "DELETE")
    });
}

mod json_with_a_log {
    carafe_core::session_store_conformance!(futures_executor::block_on, async {
        super::on_a_new_file(super::Format::Json, "WAL")
    });
}

fn scratch(name: &str) -> (Scratch, FlaskSessionStore) {
    let scratch = Scratch::new(name);
    scratch.raw().execute_batch(TABLE).expect("a table");
    let store = open(&scratch.file(), FlaskSession::new(Format::MsgPack));
    (scratch, store)
}

fn flask_writes(scratch: &Scratch, data: &[u8], expiry: Option<&str>) {
    let name = FlaskSession::default().name(&KEY);
    let sql = "INSERT INTO sessions (session_id, data, expiry) VALUES (?, ?, ?)";
    let written = scratch
        .raw()
        .execute(sql, rusqlite::params![name, data, expiry]);
    assert_eq!(written, Ok(1));
}

const A: &[u8] = b"\x81\xa1a\x01";

#[test]
fn a_row_of_sqlalchemys_is_read_changed_and_kept() {
    let (scratch, store) = scratch("flask-read");
    flask_writes(&scratch, A, Some("2096-10-02 08:06:39.250000"));
    block_on(async {
        let base = store
            .load(&KEY, NOW)
            .await
            .expect("load works")
            .expect("it is there");
        assert_eq!((base.data.text_of("a"), base.expires), (Some("1"), LATER));
        applied(
            store
                .patch(&KEY, &base, &set("b", "2"), NOW)
                .await
                .expect("patch works"),
        );
        assert!(matches!(
            store.touch(&KEY, LATER.saturating_add(60), NOW).await,
            Ok(true)
        ));
    });
    let sql = "SELECT data, expiry FROM sessions";
    let row: (Vec<u8>, String) = scratch
        .raw()
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("a row");
    assert_eq!(row.0, b"\x82\xa1a\x01\xa1b\x02");
    assert_eq!(
        row.1, "2096-10-02 08:07:40.000000",
        "as SQLAlchemy writes it"
    );
}

#[test]
fn rows_that_flask_takes_for_none_are_none() {
    for expiry in [
        None,
        Some("2096-10-02 07:06:40.000000"),
        Some("1999-01-01 00:00:00.000000"),
    ] {
        let (scratch, store) = scratch("flask-expired");
        flask_writes(&scratch, A, expiry);
        block_on(async {
            assert!(store.load(&KEY, NOW).await.expect("load works").is_none());
            let patched = store.patch(&KEY, &record("{}"), &set("a", "2"), NOW).await;
            assert!(matches!(patched, Ok(Patched::Gone)));
            let filed = store.create(&KEY, &record("{}"), NOW).await;
            assert!(matches!(filed, Ok(Created::Taken)));
        });
    }
}

#[test]
fn a_rotation_makes_another_row() {
    let (scratch, store) = scratch("flask-rotate");
    flask_writes(&scratch, A, Some("2096-10-02 08:06:40.000000"));
    // Another row, so that the number of the first is not given again.
    let other = StoreKey::from_bytes([9; 32]);
    let to = StoreKey::from_bytes([7; 32]);
    block_on(async {
        store
            .create(&other, &record("{}"), NOW)
            .await
            .expect("create works");
        let base = store
            .load(&KEY, NOW)
            .await
            .expect("load works")
            .expect("it is there");
        let rotated = store
            .rotate(&KEY, &to, &base, &set("b", "2"), Some(LATER), NOW)
            .await;
        applied(rotated.expect("rotate works"));
    });
    let names = "SELECT group_concat(id || substr(session_id, 1, 12)) FROM sessions";
    let names: String = scratch
        .raw()
        .query_row(names, [], |row| row.get(0))
        .expect("rows");
    assert_eq!(names, "2session:CQkJ,3session:BwcH");
}

#[test]
fn a_pickle_and_a_damaged_row_are_refused_and_left_alone() {
    let (scratch, store) = scratch("flask-pickle");
    let pickle = b"\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01n\x94K\x01s.";
    flask_writes(&scratch, pickle, Some("2096-10-02 08:06:40.000000"));
    let refused = || block_on(store.patch(&KEY, &record("{}"), &set("a", "2"), NOW));
    match refused() {
        Err(StoreError::Corrupt(why)) => assert!(why.to_string().contains("Python pickle")),
        other => panic!("{other:?}"),
    }
    let raw = scratch.raw();
    let data: Vec<u8> = raw
        .query_row("SELECT data FROM sessions", [], |row| row.get(0))
        .expect("a row");
    assert_eq!(data, pickle);
    for damage in [
        "data = 'text'",
        "data = NULL",
        "data = x'80', expiry = 'zzzz'",
    ] {
        raw.execute_batch(&format!("UPDATE sessions SET {damage}"))
            .expect("it is damaged");
        assert!(matches!(refused(), Err(StoreError::Corrupt(_))), "{damage}");
    }
}

#[test]
fn a_file_stays_as_it_is_and_one_without_the_table_does_not_open() {
    let (scratch, store) = scratch("flask-file");
    block_on(store.create(&KEY, &record("{}"), NOW)).expect("create works");
    store.close();
    let mode: String = scratch
        .raw()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .expect("a mode");
    assert_eq!(mode, "delete");
    let (layout, options) = (FlaskSession::default(), SqliteOptions::default());
    let other = FlaskSessionStore::open(scratch.file(), "others", layout.clone(), options);
    assert!(
        matches!(other, Err(OpenError::Sqlite(why)) if why.to_string().contains("no such table"))
    );
    let missing =
        FlaskSessionStore::open(scratch.dir().join("none.db"), "sessions", layout, options);
    assert!(matches!(missing, Err(OpenError::File(..))));
}
