//! A store in memory that does what it is told: work, fail, or hang. Counts how often it was asked.

use std::{
    future::pending,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use carafe::{
    MemoryStore, SessionStore, StoreError, Timestamp,
    store::{
        BoxFuture, Created, ExpiredSweep, Handle, Inventory, Patched, Record, StoreKey,
        UserSessions,
    },
};
use carafe_core::session::{Patch, SessionData};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Works,
    Fails,
    Hangs,
    /// Works, after so long.
    Slow(Duration),
    Panics,
    /// Answers with an error that is not its own trouble.
    Corrupt,
    Conflict,
}

pub(crate) struct Fickle {
    pub(crate) records: MemoryStore,
    mood: Mutex<Mood>,
    calls: AtomicUsize,
}

impl Fickle {
    pub(crate) fn new() -> Self {
        Self {
            records: MemoryStore::new(),
            mood: Mutex::new(Mood::Works),
            calls: AtomicUsize::new(0),
        }
    }

    pub(crate) fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// How often it was asked since the last time this was.
    pub(crate) fn calls(&self) -> usize {
        self.calls.swap(0, Ordering::Relaxed)
    }

    fn moody<'a, T: Send + 'a>(
        &'a self,
        answer: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let mood = *self.mood.lock().unwrap();
            match mood {
                Mood::Works => answer.await,
                Mood::Fails => Err(StoreError::unavailable("connection refused")),
                Mood::Hangs => pending().await,
                Mood::Slow(time) => {
                    tokio::time::sleep(time).await;
                    answer.await
                }
                Mood::Panics => panic!("on purpose"),
                Mood::Corrupt => Err(StoreError::corrupt("rubbish")),
                Mood::Conflict => Err(StoreError::Conflict),
            }
        })
    }
}

// Lazily: the one in memory works when it is called, not when it is polled.
impl SessionStore for Fickle {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        self.moody(Box::pin(async move {
            self.records.create(key, record, now).await
        }))
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        self.moody(self.records.load(key, now))
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        self.moody(Box::pin(async move {
            self.records.patch(key, base, patch, now).await
        }))
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        self.moody(Box::pin(async move {
            self.records
                .rotate(from, to, base, patch, alias_until, now)
                .await
        }))
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.moody(Box::pin(async move {
            self.records.touch(key, expires, now).await
        }))
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.moody(Box::pin(async move { self.records.delete(key).await }))
    }

    fn users(&self) -> Option<&dyn UserSessions> {
        self.records.users()
    }

    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        self.records.sweeper()
    }

    fn inventory(&self) -> Option<&dyn Inventory> {
        self.records.inventory()
    }
}

pub(crate) const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);

pub(crate) fn key(number: usize) -> StoreKey {
    StoreKey::of_id(&number.to_string())
}

pub(crate) fn record() -> Record {
    Record {
        data: SessionData::default(),
        user: None,
        handle: Handle::from_bytes([1; 12]),
        device: None,
        created: NOW,
        renewed: NOW,
        last_seen: NOW,
        expires: NOW.saturating_add(3_600),
        authenticated: None,
        version: 0,
    }
}
