//! Flask-Session's table in an SQLite file: the conformance tests, and rows in SQLAlchemy's format.
//!
//! The tests in `interop/` use the real Flask-Session.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use carafe_core::{
    flask::stored::{FlaskSession, Format},
    session::{ServerSide, Session, SessionConfig, SessionManager},
    store::{Created, Patched, Rotation, SessionStore, StoreError, StoreKey},
};
use carafe_sqlite::{FlaskSessionStore, OpenError, SqliteOptions};
use futures_executor::block_on;

use crate::common::{self, LATER, NOW, Scratch, applied, patient, record, renewal, set, used};

/// The table that SQLAlchemy creates.
const TABLE: &str = "CREATE TABLE sessions (id INTEGER NOT NULL, session_id VARCHAR(255), data BLOB, \
     expiry DATETIME, PRIMARY KEY (id), UNIQUE (session_id))";
const KEY: StoreKey = StoreKey::from_bytes([0; 32]);

fn open(file: &std::path::Path, layout: FlaskSession) -> FlaskSessionStore {
    let layout = layout.with_lifetime(Duration::from_secs(3600));
    FlaskSessionStore::open(file, "sessions", layout, patient()).expect("the store opens")
}

/// The files are kept until the next run, because the conformance tests have no teardown.
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

/// Ids of another `SESSION_ID_LENGTH`, and of Flask-Session before 0.6.
#[test]
fn a_session_keeps_an_id_that_flask_session_has_made_otherwise() {
    for id in [
        "AAAAAAAAAAAAAAAAAAAAAA",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
        &"z".repeat(191),
    ] {
        let (scratch, store) = scratch("other ids");
        let name = format!("session:{id}");
        let sql = "INSERT INTO sessions (session_id, data, expiry) VALUES (?, ?, '2999-01-01 00:00:00.000000')";
        assert_eq!(scratch.raw().execute(sql, (&name, A)), Ok(1));
        let names = || -> Vec<String> {
            let db = scratch.raw();
            let mut all = db
                .prepare("SELECT session_id FROM sessions")
                .expect("a table");
            let names = all.query_map([], |row| row.get(0)).expect("rows");
            names.map(|name| name.expect("text")).collect()
        };
        let manager = SessionManager::new(ServerSide::new(store), SessionConfig::flask());
        let manager = Arc::new(manager.expect("a preset"));
        let line = format!("session={id}");
        let visit = |handler: fn(&Session)| {
            let slot = manager.begin();
            let session = block_on(manager.open(&slot, [line.as_bytes()], NOW)).expect("it opens");
            assert_eq!(session.rejection(), None, "{id}");
            handler(&session);
            let effects = block_on(manager.commit(&slot, [], 200, NOW)).expect("it commits");
            effects.set_cookie
        };
        visit(|session| {
            assert_eq!(session.get::<u8>("a").expect("a number"), Some(1));
            session.insert("b", &2).expect("it is JSON");
        });
        assert_eq!(names(), [name.as_str()], "a change keeps the id");
        visit(|session| assert_eq!(session.get::<u8>("b").expect("a number"), Some(2)));
        let renewed = visit(|session| session.renew().expect("nothing was sent"));
        assert!(renewed.is_some_and(|cookie| !cookie.contains(id)));
        assert_ne!(names(), [name], "a new id is one of ours");
    }
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
            .into_record()
            .expect("it is there");
        assert_eq!(
            (base.data.text_of("a"), base.meta.expires),
            (Some("1"), LATER)
        );
        applied(
            store
                .patch(&KEY, &base, &set("b", "2"), NOW)
                .await
                .expect("patch works"),
        );
        assert!(matches!(
            store
                .touch(&KEY, &used(NOW, LATER.saturating_add(60)))
                .await,
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
            let state = store.load(&KEY, NOW).await.expect("load works");
            assert!(state.record().is_none());
            let patched = store.patch(&KEY, &record("{}"), &set("a", "2"), NOW).await;
            assert!(matches!(patched, Ok(Patched::Gone)));
            let filed = store.create(&KEY, &record("{}"), NOW).await;
            assert!(matches!(filed, Ok(Created::Taken)));
        });
    }
}

#[test]
fn a_rotation_makes_another_row() {
    for rotation in [Rotation::Replacement, renewal()] {
        let (scratch, store) = scratch("flask-rotate");
        flask_writes(&scratch, A, Some("2096-10-02 08:06:40.000000"));
        // A second row, so that SQLite does not reuse the number of the first.
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
                .into_record()
                .expect("it is there");
            let rotated = store
                .rotate(&KEY, &to, &base, &set("b", "2"), rotation, NOW)
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
