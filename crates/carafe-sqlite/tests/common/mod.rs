//! A file for each test, and what the tests write into it.
#![allow(dead_code)] // each test program uses its part

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use carafe_core::{
    clock::Timestamp,
    json,
    session::{Patch, Rerun, SessionData},
    store::{Created, Handle, Patched, Record, SessionStore, StoreKey},
};
use carafe_sqlite::{SqliteOptions, SqliteStore};
use futures_executor::block_on;

pub(crate) const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);
pub(crate) const LATER: Timestamp = Timestamp::from_unix(4_000_003_600);

/// Cargo's directory for tests: on a disk, unlike many a `/tmp`.
pub(crate) fn tmp() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// A directory that is gone with the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("carafe-sqlite-{name}-{}-{count}", std::process::id());
        let path = tmp().join(name);
        drop(fs::remove_dir_all(&path));
        fs::create_dir(&path).expect("a directory for the test");
        Self(path)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("sessions.db")
    }

    pub(crate) fn store(&self) -> SqliteStore {
        self.store_with(SqliteOptions::default())
    }

    pub(crate) fn store_with(&self, options: SqliteOptions) -> SqliteStore {
        open(&self.file(), options)
    }

    /// A connection that knows nothing of Carafe.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).expect("the file opens")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

pub(crate) fn open(file: &Path, options: SqliteOptions) -> SqliteStore {
    SqliteStore::open(file, options.migrate(true)).expect("the store opens")
}

/// Answers are waited for longer than on a machine that has nothing else to do.
pub(crate) fn patient() -> SqliteOptions {
    SqliteOptions::default().deadline(std::time::Duration::from_secs(60))
}

pub(crate) fn record(json: &str) -> Record {
    Record {
        data: SessionData::parse(json.to_owned(), Record::STYLE)
            .expect("the tests write good JSON"),
        user: None,
        handle: Handle::random().expect("the system has randomness"),
        device: None,
        created: NOW,
        renewed: NOW,
        last_seen: NOW,
        expires: LATER,
        authenticated: None,
        version: 0,
    }
}

pub(crate) fn file_one(store: &SqliteStore, id: &str, json: &str) -> (StoreKey, Record) {
    let (key, record) = (StoreKey::of_id(id), record(json));
    let created = block_on(store.create(&key, &record, NOW)).expect("create works");
    assert_eq!(created, Created::Created);
    (key, record)
}

pub(crate) fn load(store: &SqliteStore, key: &StoreKey) -> Record {
    block_on(store.load(key, NOW))
        .expect("load works")
        .expect("it is there")
}

pub(crate) fn set(key: &str, text: &str) -> Patch {
    let mut patch = Patch::default();
    patch.set(key, text.to_owned());
    patch
}

/// Adds one to the number under `key`, as a request that saw `base` would.
pub(crate) fn increment(key: &str, base: &Record) -> Patch {
    let again: Rerun = Arc::new(|text| Ok(plus_one(text)));
    let before = base.data.text_of(key).map(str::to_owned);
    let after = plus_one(before.as_deref());
    let mut patch = Patch::default();
    patch.update(key, before, after, again);
    patch
}

pub(crate) fn plus_one(text: Option<&str>) -> String {
    (number(text) + 1).to_string()
}

pub(crate) fn number(text: Option<&str>) -> u64 {
    json::from_text(text.unwrap_or("0"), true).expect("the tests count with numbers")
}

pub(crate) fn applied(patched: Patched) -> Record {
    match patched {
        Patched::Applied(record) => *record,
        Patched::Gone => panic!("the record is there, and the patch says that it is gone"),
    }
}
