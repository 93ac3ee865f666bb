//! An in-memory store that works, fails or hangs as requested.

use std::{future::pending, time::Duration};

use carafe::{
    MemoryStore, StoreError, Timestamp,
    store::{PublicId, Record, SessionMeta, StoreKey},
};
use carafe_core::{session::SessionData, store::conformance::Spy};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Works,
    Fails,
    Hangs,
    /// Works after a delay.
    Slow(Duration),
    Panics,
    /// Fails with an error that does not mean that the store is unavailable.
    Corrupt,
    Conflict,
}

pub(crate) type Fickle = Spy<MemoryStore>;

pub(crate) fn fickle() -> Fickle {
    Spy::new(MemoryStore::new())
}

pub(crate) trait Moody {
    fn is(&self, mood: Mood);
}

impl Moody for Fickle {
    fn is(&self, mood: Mood) {
        self.before(move |_| Box::pin(act(mood)));
    }
}

pub(crate) async fn act(mood: Mood) -> Result<(), StoreError> {
    match mood {
        Mood::Works => Ok(()),
        Mood::Fails => Err(StoreError::unavailable("connection refused")),
        Mood::Hangs => pending().await,
        Mood::Slow(time) => {
            tokio::time::sleep(time).await;
            Ok(())
        }
        Mood::Panics => panic!("on purpose"),
        Mood::Corrupt => Err(StoreError::corrupt("rubbish")),
        Mood::Conflict => Err(StoreError::Conflict),
    }
}

pub(crate) const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);

pub(crate) fn key(number: usize) -> StoreKey {
    StoreKey::of_id(&number.to_string())
}

pub(crate) fn record() -> Record {
    Record::new(
        SessionMeta::new(
            PublicId::from_bytes([1; 12]),
            NOW,
            NOW.saturating_add(3_600),
        ),
        SessionData::default(),
    )
}
