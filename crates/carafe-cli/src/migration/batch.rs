//! Transfers the sessions of one page concurrently, and retries what fails.

use std::{future::Future, time::Duration};

use carafe_core::{
    clock::Timestamp,
    error::ErrorChain,
    store::{ErasedStore, StoreError, StoreKey},
};
use futures_util::{StreamExt as _, stream};

use super::{
    Tally,
    source::{Found, ScanPage},
    step::{Outcome, Transfer},
};

/// Number of concurrent transfers: enough to fill a commit of SQLite or a round trip to Redis, and
/// few enough not to occupy the connection pool of a database.
const CONCURRENCY: usize = 64;
/// Pause before each retry. A server takes seconds to restart.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];
/// Upper bound on the time that a service takes between the two steps of a migration.
const SETTLING: Duration = Duration::from_secs(2);

/// The error that stopped a batch.
pub(super) enum Halt {
    Source(StoreError),
    Target(StoreError),
}

impl Transfer<'_> {
    /// Transfers every session of `page` and counts the outcomes.
    pub(super) async fn take_all(
        self,
        page: &ScanPage,
        tally: &mut Tally,
        now: Timestamp,
    ) -> Result<(), Halt> {
        let tasks = page.found.iter().map(|found| self.take_one(found, now));
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

/// Retries `operation` a few times. It must be idempotent.
pub(super) async fn again<T, F>(operation: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut result = operation().await;
    for pause in PAUSES {
        let Err(StoreError::Unavailable(_) | StoreError::Timeout(_) | StoreError::Conflict) =
            &result
        else {
            return result;
        };
        tokio::time::sleep(pause).await;
        result = operation().await;
    }
    result
}

async fn probe(store: &dyn ErasedStore) -> Result<(), StoreError> {
    let unused = StoreKey::random().map_err(StoreError::unavailable)?;
    store.load(&unused, Timestamp::now()).await.map(drop)
}
