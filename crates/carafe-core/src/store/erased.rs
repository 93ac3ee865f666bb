//! Stores as trait objects: every [`SessionStore`] implements [`ErasedStore`].

use super::{
    BoxFuture, Capabilities, Created, KeyState, Patched, Powers, Record, Rotation, SessionStore,
    StoreError, StoreKey,
};
use crate::{
    clock::Timestamp,
    data::{Access, Patch},
    future::{MaybeReady, poll_once},
};

/// The object-safe form of [`SessionStore`].
///
/// Implement [`SessionStore`]: a blanket implementation makes every such type an `ErasedStore`.
/// Each method behaves like the method of the same name. The returned value is ready if the store
/// never waits, otherwise it is a boxed future.
pub trait ErasedStore: Send + Sync + 'static {
    /// [`SessionStore::NEVER_WAITS`].
    fn never_waits(&self) -> bool;

    /// [`SessionStore::create`].
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<Created, StoreError>>;

    /// [`SessionStore::load`].
    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<KeyState, StoreError>>;

    /// [`SessionStore::patch`].
    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<Patched, StoreError>>;

    /// [`SessionStore::rotate`].
    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        rotation: Rotation,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<Patched, StoreError>>;

    /// [`SessionStore::touch`].
    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        access: &'a Access,
    ) -> MaybeReady<'a, Result<bool, StoreError>>;

    /// [`SessionStore::delete`].
    fn delete<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<bool, StoreError>>;

    /// [`SessionStore::capabilities`].
    fn capabilities(&self) -> Capabilities;

    /// [`SessionStore::powers`].
    fn powers(&self) -> Powers<'_>;

    /// [`SessionStore::budget`].
    fn budget(&self) -> Option<BoxFuture<'static, StoreError>>;
}

impl<S: SessionStore> ErasedStore for S {
    fn never_waits(&self) -> bool {
        S::NEVER_WAITS
    }

    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<Created, StoreError>> {
        erased::<S, _, _>(|| SessionStore::create(self, key, record, now))
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<KeyState, StoreError>> {
        erased::<S, _, _>(|| SessionStore::load(self, key, now))
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<Patched, StoreError>> {
        erased::<S, _, _>(|| SessionStore::patch(self, key, base, patch, now))
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        rotation: Rotation,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<Patched, StoreError>> {
        erased::<S, _, _>(|| SessionStore::rotate(self, from, to, base, patch, rotation, now))
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        access: &'a Access,
    ) -> MaybeReady<'a, Result<bool, StoreError>> {
        erased::<S, _, _>(|| SessionStore::touch(self, key, access))
    }

    fn delete<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<bool, StoreError>> {
        erased::<S, _, _>(|| SessionStore::delete(self, key, now))
    }

    fn capabilities(&self) -> Capabilities {
        SessionStore::capabilities(self)
    }

    fn powers(&self) -> Powers<'_> {
        SessionStore::powers(self)
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        SessionStore::budget(self)
    }
}

/// Polls the future once if `S` never waits, and boxes it otherwise.
fn erased<'a, S, T, F>(make: impl FnOnce() -> F) -> MaybeReady<'a, Result<T, StoreError>>
where
    S: SessionStore,
    T: Send + 'a,
    F: Future<Output = Result<T, StoreError>> + Send + 'a,
{
    match S::NEVER_WAITS {
        true => MaybeReady::now(poll_once(make).unwrap_or_else(|| {
            Err(StoreError::unavailable(
                "a store whose NEVER_WAITS is true has waited",
            ))
        })),
        false => MaybeReady::later(make()),
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
