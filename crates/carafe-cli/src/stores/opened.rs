//! A store that is open, and what only operators ask of it.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    store::{BoxFuture, Health, Inventory, SessionStore, StoreError, StoreKey, UserSessions},
};

use super::{StoreKind, StoreUrl};
use crate::failure::Failure;

/// What every store of this program can do beside its contract.
pub(crate) trait Operated: SessionStore {
    /// How it is.
    fn health(&self) -> BoxFuture<'_, Result<Health, StoreError>>;
}

/// An open store.
#[derive(Clone)]
pub(crate) struct OpenStore {
    url: StoreUrl,
    store: Arc<dyn Operated>,
}

/// What `init` has done.
#[allow(dead_code, reason = "not every kind of store has every answer")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Initialized {
    /// The tables were not there and now are.
    Made,
    /// They were there.
    WereThere,
    /// This kind of store has none.
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

    /// Where it is; shown without its password.
    pub(crate) fn url(&self) -> &StoreUrl {
        &self.url
    }

    pub(crate) fn sessions(&self) -> &dyn SessionStore {
        &*self.store
    }

    /// The same store, to be owned by somebody else.
    pub(crate) fn shared(&self) -> Arc<dyn SessionStore> {
        Arc::clone(&self.store) as Arc<dyn SessionStore>
    }

    pub(crate) fn inventory(&self) -> Result<&dyn Inventory, Failure> {
        let found = self.store.inventory();
        found.ok_or_else(|| self.failure(&StoreError::Unsupported))
    }

    pub(crate) fn users(&self) -> Result<&dyn UserSessions, Failure> {
        let found = self.store.users();
        found.ok_or_else(|| self.failure(&StoreError::Unsupported))
    }

    pub(crate) async fn health(&self) -> Result<Health, Failure> {
        let health = self.store.health().await;
        health.map_err(|error| self.failure(&error))
    }

    /// What a command says about `error`, which came from this store.
    pub(crate) fn failure(&self, error: &StoreError) -> Failure {
        self.url.failure(error)
    }
}

/// [`OpenStore::failure`] for a store that did not open.
pub(super) fn failure(url: &StoreUrl, error: &StoreError) -> Failure {
    let text = url.without_password(&format!("{url}: {error}"));
    match error {
        StoreError::Unavailable(_) | StoreError::Timeout(_) => Failure::Unavailable(text),
        _ => Failure::Trouble(text),
    }
}

/// Whether the store answers: one look for a session that nobody has.
#[allow(dead_code, reason = "only stores with tables look for them")]
pub(super) async fn probe(store: &dyn SessionStore) -> Result<(), StoreError> {
    let key = StoreKey::random().map_err(StoreError::unavailable)?;
    store.load(&key, Timestamp::now()).await.map(drop)
}
