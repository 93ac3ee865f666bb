//! Transfers the sessions of one page concurrently, and retries what fails.

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

/// Number of concurrent transfers: enough to fill a commit of SQLite or a round trip to Redis, and
/// few enough not to occupy the connection pool of a database.
const CONCURRENCY: usize = 64;
/// Upper bound on the time that a service takes between the two steps of a migration.
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
    /// Transfers every session of `page` and counts the outcomes.
    ///
    /// # Errors
    /// [`Halt`] if a store does not answer after several tries.
    pub async fn take_all(
        self,
        page: &ScanPage,
        tally: &mut Tally,
        now: Timestamp,
    ) -> Result<(), Halt> {
        let tasks = page.found.iter().map(|found| self.take_one(found, now));
        // Collected, because a closure inside a stream would make the future of this not `Send`.
        let tasks: Vec<_> = tasks.collect();
        let attempts: Vec<_> = stream::iter(tasks).buffered(CONCURRENCY).collect().await;
        let mut unsettled = Vec::new();
        for (found, attempt) in page.found.iter().zip(attempts) {
            match attempt? {
                Attempt::Done(outcome) => {
                    tally.note(&outcome);
                    if matches!(outcome, Outcome::ToBeSettled) {
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
        match again(|| self.take(found, record, now)).await {
            Ok(outcome) => Ok(Attempt::Done(outcome)),
            Err(error) => self.refusal(error).await,
        }
    }

    /// Returns the refusal of this session if both stores still answer, and stops the batch if one
    /// of them does not.
    async fn refusal(self, error: StoreError) -> Result<Attempt, Halt> {
        match &error {
            StoreError::Conflict => {
                return Ok(Attempt::Refused(
                    "the target has another record under its key, or the record keeps changing"
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
    Done(Outcome),
    Unreadable(String),
    Refused(String),
}

async fn probe(store: &dyn ErasedStore) -> Result<(), StoreError> {
    let unused = StoreKey::random().map_err(StoreError::unavailable)?;
    store.load(&unused, Timestamp::now()).await.map(drop)
}
