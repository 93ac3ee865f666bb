//! The store with a deadline for every call. An outage is recorded until a call succeeds.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use carafe_core::{
    clock::Timestamp,
    error::ErrorChain,
    store::{
        ErasedSessionListing, ErasedStore, ErasedUserSessions, Position, PublicId, Record, Sample,
        Selection, SessionMeta, StoreError,
    },
};
use tokio::time::timeout;

use crate::options::Redact;

/// Deadline of reads. An operator who waits longer reloads the page, which adds load.
const READ: Duration = Duration::from_secs(2);
/// Deadline of revocations, which may wait for other writes.
const WRITE: Duration = Duration::from_secs(10);

/// Maximum number of sessions of a user that one call revokes.
const FEW: usize = 500;

/// A store with its outage.
pub(super) struct MonitoredStore {
    store: Arc<dyn ErasedStore>,
    redact: Option<Redact>,
    // A plain lock, never held across an await.
    outage: Mutex<Option<Outage>>,
}

/// An outage of the store.
#[derive(Clone)]
pub(super) struct Outage {
    pub(super) since: Timestamp,
    /// The last error, without secrets.
    pub(super) why: String,
}

impl MonitoredStore {
    pub(super) fn new(store: Arc<dyn ErasedStore>, redact: Option<Redact>) -> Self {
        Self {
            store,
            redact,
            outage: Mutex::new(None),
        }
    }

    /// Returns the outage, if the last call failed.
    pub(super) fn outage(&self) -> Option<Outage> {
        self.outage
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the text of an error, without secrets.
    pub(super) fn error_text(&self, error: &StoreError) -> String {
        let text = ErrorChain::of(error).to_string();
        match &self.redact {
            Some(redact) => redact(&text),
            None => text,
        }
    }

    pub(super) async fn newest(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let call = async { self.listing()?.list(after, limit, now).await };
        self.with_deadline(READ, call).await
    }

    pub(super) async fn find(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let call = async { self.listing()?.find(public_id, now).await };
        self.with_deadline(READ, call).await
    }

    /// Returns at most `limit` sessions of a user, because a user may have very many.
    pub(super) async fn newest_of_user(
        &self,
        user: &str,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let call = async { self.users()?.list_by_user(user, None, limit, now).await };
        self.with_deadline(READ, call).await
    }

    pub(super) async fn sample(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        let call = async { self.listing()?.sample(limit, now).await };
        self.with_deadline(READ, call).await
    }

    pub(super) async fn delete_by_public_id(
        &self,
        public_id: PublicId,
    ) -> Result<bool, StoreError> {
        let now = Timestamp::now();
        let call = async { self.listing()?.delete_by_public_id(public_id, now).await };
        self.with_deadline(WRITE, call).await
    }

    /// Revokes all sessions of a user with few sessions.
    pub(super) async fn delete_by_user(&self, user: &str) -> Result<u64, StoreError> {
        let mut ended = 0;
        loop {
            match self
                .delete_some_of_user(user, FEW, Timestamp::now())
                .await?
            {
                0 => return Ok(ended),
                some => ended += some,
            }
        }
    }

    /// Revokes at most `limit` sessions of a user. Returns 0 if none is left.
    pub(super) async fn delete_some_of_user(
        &self,
        user: &str,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let call = async {
            self.users()?
                .delete_by_user(user, Selection::All, limit, now)
                .await
        };
        self.with_deadline(WRITE, call).await
    }

    pub(super) async fn delete_created_before(
        &self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let call = async {
            self.listing()?
                .delete_created_before(until, limit, now)
                .await
        };
        self.with_deadline(WRITE, call).await
    }

    async fn with_deadline<T>(
        &self,
        deadline: Duration,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let result = timeout(deadline, call).await;
        let result = result.unwrap_or(Err(StoreError::Timeout(deadline)));
        self.note(result.as_ref().err());
        result
    }

    /// Records or clears the outage. An error of a single record is not an outage.
    fn note(&self, error: Option<&StoreError>) {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        *outage = error.filter(|error| is_outage(error)).map(|error| Outage {
            since: outage
                .as_ref()
                .map_or_else(Timestamp::now, |known| known.since),
            why: self.error_text(error),
        });
    }

    fn listing(&self) -> Result<&dyn ErasedSessionListing, StoreError> {
        let found = self.store.powers().listing();
        found.ok_or(StoreError::Unsupported)
    }

    fn users(&self) -> Result<&dyn ErasedUserSessions, StoreError> {
        self.store.powers().users().ok_or(StoreError::Unsupported)
    }
}

/// Returns whether the error means that the store is down.
pub(super) const fn is_outage(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_) | StoreError::Timeout(_))
}
