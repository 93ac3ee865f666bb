//! SQLite files with sessions in them, gone with their test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use carafe_core::{
    clock::Timestamp,
    session::SessionData,
    store::{Created, Deadlines, ErasedStore, PublicId, Record, SessionMeta, StoreKey},
};
use carafe_sqlite::{Durability, SqliteOptions, SqliteStore};
use futures_util::{StreamExt as _, stream};

/// For filling a store while other tests run.
pub(crate) const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(60),
    read: Duration::from_secs(60),
    write: Duration::from_secs(60),
};

/// A directory of a test's own.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("carafe-cli-{}-{count}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The URL of an SQLite file in it.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("sqlite:{}", self.file(name).display())
    }

    /// The store in a file, with its tables.
    pub(crate) fn store(&self, name: &str) -> SqliteStore {
        let options = SqliteOptions::default()
            .migrate(true)
            .durability(Durability::Normal)
            .deadline(std::time::Duration::from_secs(60));
        SqliteStore::open(self.file(name), options).unwrap()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

/// The key of the session that a test calls by a number.
pub(crate) fn key(number: u64) -> StoreKey {
    StoreKey::of_id(&format!("session {number}"))
}

/// Session `number`: of one of a hundred users or without a user, an hour old or more, valid for a
/// day.
pub(crate) fn record(number: u64) -> Record {
    let now = Timestamp::now();
    let began = now.saturating_add(-3_600 - i64::try_from(number % 1_000_000).unwrap());
    let json =
        format!(r#"{{"number":{number},"cart":["tea",{{" t":[1,2]}}],"name":"Zoë {number}"}}"#);
    let mut meta = SessionMeta::new(
        PublicId::random().unwrap(),
        began,
        now.saturating_add(86_400),
    );
    meta.user = (!number.is_multiple_of(3)).then(|| format!("user{}", number % 100));
    meta.device =
        Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned());
    meta.last_seen = now.saturating_add(-60);
    meta.authenticated = (!number.is_multiple_of(3)).then_some(began);
    meta.version = number % 5;
    Record::new(meta, SessionData::parse(json, Record::STYLE).unwrap())
}

pub(crate) async fn file(store: &dyn ErasedStore, key: &StoreKey, record: &Record) {
    let created = store.create(key, record, Timestamp::now()).await.unwrap();
    assert_eq!(created, Created::Created);
}

/// Files the sessions with these numbers, many at once.
pub(crate) async fn fill(store: &dyn ErasedStore, numbers: std::ops::Range<u64>) {
    stream::iter(numbers)
        .for_each_concurrent(256, async |number| {
            file(store, &key(number), &record(number)).await;
        })
        .await;
}

pub(crate) async fn load(store: &dyn ErasedStore, number: u64) -> Option<Record> {
    let found = store.load(&key(number), Timestamp::now()).await;
    found.unwrap().into_record()
}
