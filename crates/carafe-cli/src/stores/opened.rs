//! An open store, with the operations that only operators need.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    store::{
        BoxFuture, ErasedSessionListing, ErasedStore, ErasedUserSessions, Health, StoreError,
        StoreKey,
    },
};

use super::{StoreKind, StoreUrl};
use crate::failure::Failure;

/// The operations of every store in addition to the store traits.
pub(crate) trait Operated: ErasedStore {
    /// Returns the health of the store.
    fn health(&self) -> BoxFuture<'_, Result<Health, StoreError>>;
}

/// An open store.
#[derive(Clone)]
pub(crate) struct OpenStore {
    url: StoreUrl,
    store: Arc<dyn Operated>,
}

/// The outcome of `init`.
#[allow(dead_code, reason = "not every kind of store has every answer")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Initialized {
    /// The tables were created.
    Made,
    /// The tables already existed.
    WereThere,
    /// This kind of store has no tables.
    NeedsNothing,
}

#[allow(dead_code, reason = "not every build asks for every power")]
impl OpenStore {
    pub(super) fn new(url: &StoreUrl, store: impl Operated) -> Self {
        Self {
            url: url.clone(),
            store: Arc::new(store),
        }
    }

    pub(crate) fn kind(&self) -> StoreKind {
        self.url.kind()
    }

    /// Returns the URL, which is displayed without its password.
    pub(crate) fn url(&self) -> &StoreUrl {
        &self.url
    }

    pub(crate) fn sessions(&self) -> &dyn ErasedStore {
        &*self.store
    }

    /// Returns a shared handle of the store.
    pub(crate) fn shared(&self) -> Arc<dyn ErasedStore> {
        Arc::clone(&self.store) as Arc<dyn ErasedStore>
    }

    pub(crate) fn listing(&self) -> Result<&dyn ErasedSessionListing, Failure> {
        let found = self.store.powers().listing();
        found.ok_or_else(|| self.failure(&StoreError::Unsupported))
    }

    pub(crate) fn users(&self) -> Result<&dyn ErasedUserSessions, Failure> {
        let found = self.store.powers().users();
        found.ok_or_else(|| self.failure(&StoreError::Unsupported))
    }

    pub(crate) async fn health(&self) -> Result<Health, Failure> {
        let health = self.store.health().await;
        health.map_err(|error| self.failure(&error))
    }

    /// Returns the failure of a command for `error`, which came from this store.
    pub(crate) fn failure(&self, error: &StoreError) -> Failure {
        self.url.failure(error)
    }
}

/// Loads a session that does not exist, to check whether the store answers.
#[allow(dead_code, reason = "only stores with tables look for them")]
pub(super) async fn probe(store: &dyn ErasedStore) -> Result<(), StoreError> {
    let key = StoreKey::random().map_err(StoreError::unavailable)?;
    store.load(&key, Timestamp::now()).await.map(drop)
}
