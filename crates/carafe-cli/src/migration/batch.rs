//! Many sessions on their way at once, and what is tried again.

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

/// How many at once: what fills a commit of SQLite or a round trip of Redis, and does not fill a
/// database's pool for long.
const AT_ONCE: usize = 64;
/// Before each further try. A server that restarts takes seconds.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];
/// Longer than any service takes between the two steps of bringing a session over.
const SETTLING: Duration = Duration::from_secs(2);

/// The error that stopped a batch.
pub(super) enum Halt {
    Source(StoreError),
    Target(StoreError),
}

impl Transfer<'_> {
    /// Takes all of `stretch` along and counts them.
    pub(super) async fn take_all(
        self,
        stretch: &ScanPage,
        tally: &mut Tally,
        now: Timestamp,
    ) -> Result<(), Halt> {
        let tasks = stretch.found.iter().map(|found| self.take_one(found, now));
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

/// Does `verb` until it works, a few times. Every verb here may be done twice.
pub(super) async fn again<T, F>(verb: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut result = verb().await;
    for pause in PAUSES {
        let Err(StoreError::Unavailable(_) | StoreError::Timeout(_) | StoreError::Conflict) =
            &result
        else {
            return result;
        };
        tokio::time::sleep(pause).await;
        result = verb().await;
    }
    result
}

async fn probe(store: &dyn ErasedStore) -> Result<(), StoreError> {
    let nobody = StoreKey::random().map_err(StoreError::unavailable)?;
    store.load(&nobody, Timestamp::now()).await.map(drop)
}
