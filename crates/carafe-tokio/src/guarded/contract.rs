//! The store operations. The key of a session that is revoked on this node is reported as retired,
//! without a call to the store.

use carafe_core::{
    clock::Timestamp,
    session::{Access, Patch},
    store::{
        BoxFuture, Capabilities, Created, ErasedStore, KeyState, Patched, Powers, Record, Rotation,
        SessionStore, StoreError, StoreKey,
    },
};

use super::{Guarded, pending_revocation::RevocationTarget};

#[deny(clippy::missing_trait_methods)]
impl<S: ErasedStore + ?Sized> SessionStore for Guarded<S> {
    /// A guard uses timers.
    const NEVER_WAITS: bool = false;

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        let guard = &self.0;
        // The pending delete would remove the new record.
        if guard.has_ended(key) {
            return Ok(Created::Taken);
        }
        let create = guard.store.create(key, record, now);
        guard.call(guard.options.to_change(), create).await
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        let guard = &self.0;
        if guard.has_ended(key) {
            return Ok(KeyState::Retired);
        }
        let load = guard.store.load(key, now);
        let found = guard.call(guard.options.to_load(), load).await?;
        // The session may have been revoked while the store was loading it.
        let has_ended =
            guard.has_ended(key) || found.record().is_some_and(|record| guard.is_over(record));
        Ok(match has_ended {
            true => KeyState::Retired,
            false => found,
        })
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let guard = &self.0;
        if guard.has_ended(key) || guard.is_over(base) {
            return Ok(Patched::Gone);
        }
        let patch = guard.store.patch(key, base, patch, now);
        guard.call(guard.options.to_change(), patch).await
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
        let guard = &self.0;
        if guard.has_ended(from) || guard.is_over(base) {
            return Ok(Patched::Gone);
        }
        if guard.has_ended(to) {
            return Err(StoreError::Conflict);
        }
        let rotate = guard.store.rotate(from, to, base, patch, rotation, now);
        guard.call(guard.options.to_change(), rotate).await
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        let guard = &self.0;
        if guard.has_ended(key) {
            return Ok(false);
        }
        let touch = guard.store.touch(key, access);
        guard.call(guard.options.to_change(), touch).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        let delete = self.0.store.delete(key, now);
        self.0
            .log_out(RevocationTarget::Key(*key), now, delete)
            .await
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        let budget = self.0.options.budget;
        Some(Box::pin(async move {
            tokio::time::sleep(budget).await;
            StoreError::Timeout(budget)
        }))
    }

    fn capabilities(&self) -> Capabilities {
        self.0.store.capabilities()
    }

    fn powers(&self) -> Powers<'_> {
        Powers::new()
            .with_users(self)
            .with_sweeper(self)
            .with_listing(self)
            .only_as(&self.0.store.powers())
    }
}
