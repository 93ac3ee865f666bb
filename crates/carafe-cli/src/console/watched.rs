//! The store as the console asks it: every question has a deadline, and an outage is remembered until it is over.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use carafe_core::{
    clock::Timestamp,
    store::{
        Handle, Inventory, Position, Record, Sample, StoreError, Summary, UserSessions, Which,
    },
};
use tokio::time::timeout;

use crate::stores::{OpenStore, StoreUrl};

/// An operator who gets no page in this time would ask again, and make it worse.
const READ: Duration = Duration::from_secs(2);
/// Taking sessions away may wait for others who write.
const WRITE: Duration = Duration::from_secs(10);

/// A store, and whether it answers.
pub(super) struct Watched {
    store: OpenStore,
    // A plain lock, never held across an await.
    outage: Mutex<Option<Outage>>,
}

/// A store that does not answer.
#[derive(Clone)]
pub(super) struct Outage {
    pub(super) since: Timestamp,
    /// What it said last, without a password.
    pub(super) why: String,
}

impl Watched {
    pub(super) fn new(store: OpenStore) -> Self {
        Self {
            store,
            outage: Mutex::new(None),
        }
    }

    pub(super) fn url(&self) -> &StoreUrl {
        self.store.url()
    }

    pub(super) fn kind(&self) -> &'static str {
        self.store.kind().name()
    }

    /// The outage that the last question has met.
    pub(super) fn outage(&self) -> Option<Outage> {
        self.outage
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What to tell an operator about `error`: never a password.
    pub(super) fn says(&self, error: &StoreError) -> String {
        self.url().without_password(&error.to_string())
    }

    pub(super) async fn newest(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Summary>, StoreError> {
        let asked = async { self.inventory()?.newest(after, limit, now).await };
        self.within(READ, asked).await
    }

    pub(super) async fn of_handle(
        &self,
        handle: Handle,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let asked = async { self.inventory()?.of_handle(handle, now).await };
        self.within(READ, asked).await
    }

    pub(super) async fn of_user(
        &self,
        user: &str,
        now: Timestamp,
    ) -> Result<Vec<Summary>, StoreError> {
        let asked = async { self.users()?.of_user(user, now).await };
        self.within(READ, asked).await
    }

    pub(super) async fn sample(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        let asked = async { self.inventory()?.sample(limit, now).await };
        self.within(READ, asked).await
    }

    pub(super) async fn delete_of_handle(&self, handle: Handle) -> Result<bool, StoreError> {
        let asked = async { self.inventory()?.delete_of_handle(handle).await };
        self.within(WRITE, asked).await
    }

    pub(super) async fn delete_of_user(&self, user: &str) -> Result<u64, StoreError> {
        let asked = async { self.users()?.delete_of_user(user, Which::All).await };
        self.within(WRITE, asked).await
    }

    pub(super) async fn delete_begun(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let asked = async { self.inventory()?.delete_begun(until, limit).await };
        self.within(WRITE, asked).await
    }

    async fn within<T>(
        &self,
        deadline: Duration,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answer = timeout(deadline, asked).await;
        let answer = answer.unwrap_or(Err(StoreError::Timeout(deadline)));
        self.note(answer.as_ref().err());
        answer
    }

    /// A store that refuses one question, such as for a damaged record, is there all the same.
    fn note(&self, error: Option<&StoreError>) {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        *outage = error.filter(|error| is_outage(error)).map(|error| Outage {
            since: outage
                .as_ref()
                .map_or_else(Timestamp::now, |known| known.since),
            why: self.says(error),
        });
    }

    fn inventory(&self) -> Result<&dyn Inventory, StoreError> {
        let found = self.store.sessions().inventory();
        found.ok_or(StoreError::Unsupported)
    }

    fn users(&self) -> Result<&dyn UserSessions, StoreError> {
        self.store.sessions().users().ok_or(StoreError::Unsupported)
    }
}

/// Whether the store is down, as opposed to unable to answer one question.
pub(super) const fn is_outage(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_) | StoreError::Timeout(_))
}
