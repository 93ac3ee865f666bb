//! Stores as trait objects: every [`SessionStore`] implements [`ErasedStore`].

use super::{
    BoxFuture, Capabilities, Created, KeyState, Patched, Powers, Record, Rotation, SessionStore,
    StoreError, StoreKey, erase::erased,
};
use crate::{
    clock::Timestamp,
    data::{Access, Patch},
};

erased! {
    /// The object-safe form of [`SessionStore`].
    ///
    /// Implement [`SessionStore`]: every such type is an `ErasedStore`. Each method behaves like
    /// the method of the same name. The returned value is ready if the store never waits,
    /// otherwise it is a boxed future.
    trait ErasedStore: SessionStore, never_waits: S::NEVER_WAITS;
    async {
        fn create(key: &'a StoreKey, record: &'a Record, now: Timestamp) -> Created;
        fn load(key: &'a StoreKey, now: Timestamp) -> KeyState;
        fn patch(key: &'a StoreKey, base: &'a Record, patch: &'a Patch, now: Timestamp) -> Patched;
        fn rotate(
            from: &'a StoreKey,
            to: &'a StoreKey,
            base: &'a Record,
            patch: &'a Patch,
            rotation: Rotation,
            now: Timestamp
        ) -> Patched;
        fn touch(key: &'a StoreKey, access: &'a Access) -> bool;
        fn delete(key: &'a StoreKey, now: Timestamp) -> bool;
    }
    sync {
        /// [`SessionStore::NEVER_WAITS`].
        fn never_waits(_store) -> bool { S::NEVER_WAITS }
        /// [`SessionStore::capabilities`].
        fn capabilities(store) -> Capabilities { SessionStore::capabilities(store) }
        /// [`SessionStore::powers`].
        fn powers(store) -> Powers<'_> { SessionStore::powers(store) }
        /// [`SessionStore::budget`].
        fn budget(store) -> Option<BoxFuture<'static, StoreError>> { SessionStore::budget(store) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{future::poll_once, store::MemoryStore};

    /// A store with a pending `load` although `NEVER_WAITS` is true.
    struct Liar(MemoryStore);

    impl SessionStore for Liar {
        const NEVER_WAITS: bool = true;

        async fn create(
            &self,
            key: &StoreKey,
            record: &Record,
            now: Timestamp,
        ) -> Result<Created, StoreError> {
            SessionStore::create(&self.0, key, record, now).await
        }

        async fn load(&self, _: &StoreKey, _: Timestamp) -> Result<KeyState, StoreError> {
            std::future::pending().await
        }

        async fn patch(
            &self,
            key: &StoreKey,
            base: &Record,
            patch: &Patch,
            now: Timestamp,
        ) -> Result<Patched, StoreError> {
            SessionStore::patch(&self.0, key, base, patch, now).await
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
            SessionStore::rotate(&self.0, from, to, base, patch, rotation, now).await
        }

        async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
            SessionStore::touch(&self.0, key, access).await
        }

        async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
            SessionStore::delete(&self.0, key, now).await
        }

        fn capabilities(&self) -> Capabilities {
            Capabilities::CARAFE
        }

        fn powers(&self) -> Powers<'_> {
            Powers::new()
        }

        fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
            None
        }
    }

    #[test]
    fn a_store_that_waits_against_its_word_is_unavailable() {
        let store: &dyn ErasedStore = &Liar(MemoryStore::new());
        let (key, now) = (StoreKey::of_id("a"), Timestamp::from_unix(1));
        let loaded = poll_once(|| store.load(&key, now));
        assert!(matches!(loaded, Some(Err(StoreError::Unavailable(_)))));
        assert!(matches!(
            poll_once(|| store.delete(&key, now)),
            Some(Ok(false))
        ));
    }
}
