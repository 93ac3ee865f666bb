//! Translates keys that are IDs into keys that are hashes.
//!
//! The translation lets a store of Carafe's own layout be the new store of a
//! [`MigratingStore`](super::MigratingStore) if the old store has the layout of another framework.

use std::sync::Arc;

use crate::{
    clock::Timestamp,
    data::{Access, Patch},
    store::{
        BoxFuture, Capabilities, Created, ErasedStore, KeyScheme, KeyState, Patched, Powers,
        Record, Rotation, SessionStore, StoreError, StoreKey,
    },
};

/// A store of [`KeyScheme::Hashed`] that accepts keys that are IDs.
struct Hashing(Arc<dyn ErasedStore>);

/// Returns `new`, wrapped if necessary to accept the keys of `old`.
pub(super) fn named_as(old: KeyScheme, new: Arc<dyn ErasedStore>) -> Arc<dyn ErasedStore> {
    match (old, new.capabilities().key_scheme) {
        (KeyScheme::RawId, KeyScheme::Hashed) => Arc::new(Hashing(new)),
        _ => new,
    }
}

/// Hashes the ID, as [`SessionId::store_key`](crate::token::SessionId::store_key) does.
fn hashed(key: &StoreKey) -> StoreKey {
    StoreKey::of_id(&key.plain_id())
}

#[deny(clippy::missing_trait_methods)]
impl SessionStore for Hashing {
    const NEVER_WAITS: bool = false;

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        self.0.create(&hashed(key), record, now).await
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        self.0.load(&hashed(key), now).await
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        self.0.patch(&hashed(key), base, patch, now).await
    }

    async fn rotate(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let (from, to) = (hashed(from), hashed(to));
        self.0.rotate(&from, &to, base, patch, rotation, now).await
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        self.0.touch(&hashed(key), access).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        self.0.delete(&hashed(key), now).await
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            key_scheme: KeyScheme::RawId,
            ..self.0.capabilities()
        }
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        self.0.budget()
    }

    /// A scan returns the keys as stored, from which no ID can be computed.
    fn powers(&self) -> Powers<'_> {
        self.0.powers()
    }
}
