//! A file for each test, and helpers that write to it.

use std::path::{Path, PathBuf};

use carafe_core::{
    clock::Timestamp,
    store::{Created, Record, SessionStore, StoreKey},
};
use carafe_sqlite::{SqliteOptions, SqliteStore};
use carafe_test_fixtures::Dir;
pub(crate) use carafe_test_fixtures::records::{
    LATER, NOW, applied, increment, number, record, renewal, set, used,
};
use futures_executor::block_on;

/// Cargo's directory for tests, which is on a disk, unlike many a `/tmp`.
pub(crate) fn tmp() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// A directory that is removed when its test completes.
pub(crate) struct Scratch(Dir);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        Self(Dir::below(tmp(), &format!("sqlite-{name}")))
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

    /// Returns a connection that is independent of Carafe.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).expect("the file opens")
    }
}

pub(crate) fn open(file: &Path, options: SqliteOptions) -> SqliteStore {
    SqliteStore::open(file, options.migrate(true)).expect("the store opens")
}

/// Returns options with a long deadline, for busy machines.
pub(crate) fn patient() -> SqliteOptions {
    SqliteOptions::default().deadline(std::time::Duration::from_secs(60))
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
        .into_record()
        .expect("it is there")
}

/// Returns whether `key` leads to a record.
pub(crate) fn is_there(store: &SqliteStore, key: &StoreKey, now: Timestamp) -> bool {
    let state = block_on(store.load(key, now)).expect("load works");
    state.record().is_some()
}
