//! Many sessions on their way at once, and what is tried again.

use std::time::Duration;

use carafe_core::{
    clock::Timestamp,
    error::ErrorChain,
    store::{ErasedStore, StoreError, StoreKey},
};
use futures_util::{StreamExt as _, stream};

use crate::{
    retry::again,
    source::{Found, ScanPage},
    step::{Outcome, Transfer},
    tally::Tally,
};

/// How many at once: what fills a commit of SQLite or a round trip of Redis, and does not fill a
/// database's pool for long.
const AT_ONCE: usize = 64;
/// Longer than any service takes between the two steps of bringing a session over.
const SETTLING: Duration = Duration::from_secs(2);

/// The error that stopped a batch.
#[derive(Debug)]
pub enum Halt {
    /// The source does not answer.
    Source(StoreError),
    /// The target does not answer, or is full.
    Target(StoreError),
}

impl Transfer<'_> {
    /// Brings all sessions of a page into the target and counts the outcomes.
    ///
    /// # Errors
    /// [`Halt`] if a store does not answer after several tries.
    pub async fn take_all(
        self,
        stretch: &ScanPage,
        tally: &mut Tally,
        now: Timestamp,
    ) -> Result<(), Halt> {
        let tasks = stretch.found.iter().map(|found| self.take_one(found, now));
        // Collected, because a closure inside a stream would make the future of this not `Send`.
        let tasks: Vec<_> = tasks.collect();
        let fates: Vec<_> = stream::iter(tasks).buffered(AT_ONCE).collect().await;
        let mut unsettled = Vec::new();
        for (found, fate) in stretch.found.iter().zip(fates) {
            match fate? {
                Attempt::Fate(fate) => {
                    tally.note(&fate);
                    if matches!(fate, Outcome::ToBeSettled) {
                        unsettled.push(found);
                    }
                }
                Attempt::Unreadable(why) => tally.note_unreadable(&found.key, why),
                Attempt::Refused(why) => tally.note_refused(&found.key, why),
            }
        }
        self.settle_all(&unsettled).await
    }

    async fn take_one(self, found: &Found, now: Timestamp) -> Result<Attempt, Halt> {
        let record = match &found.record {
            Ok(record) => record,
            Err(error) => return Ok(Attempt::Unreadable(ErrorChain::of(error).to_string())),
        };
        let taken = again(|| self.take(found, record, now)).await;
        match taken {
            Ok(fate) => Ok(Attempt::Fate(fate)),
            Err(error) => self.refusal(error).await,
        }
    }

    /// A store that still answers has something against this one session; otherwise all has to
    /// wait.
    async fn refusal(self, error: StoreError) -> Result<Attempt, Halt> {
        match &error {
            StoreError::Conflict => {
                return Ok(Attempt::Refused(
                    "the target has something else under its key, or it changes all the time"
                        .to_owned(),
                ));
            }
            StoreError::Full => return Err(Halt::Target(error)),
            StoreError::Unavailable(_) | StoreError::Timeout(_) => {}
            _ => return Ok(Attempt::Refused(ErrorChain::of(&error).to_string())),
        }
        probe(self.target).await.map_err(Halt::Target)?;
        probe(self.source.store()).await.map_err(Halt::Source)?;
        Ok(Attempt::Refused(ErrorChain::of(&error).to_string()))
    }

    async fn settle_all(self, unsettled: &[&Found]) -> Result<(), Halt> {
        if unsettled.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(SETTLING).await;
        for found in unsettled {
            let settled = again(|| self.settle(found)).await;
            settled.map_err(Halt::Source)?;
        }
        Ok(())
    }
}

/// The outcome of one session, unless a store failed.
enum Attempt {
    Fate(Outcome),
    Unreadable(String),
    Refused(String),
}

async fn probe(store: &dyn ErasedStore) -> Result<(), StoreError> {
    let nobody = StoreKey::random().map_err(StoreError::unavailable)?;
    store.load(&nobody, Timestamp::now()).await.map(drop)
}
