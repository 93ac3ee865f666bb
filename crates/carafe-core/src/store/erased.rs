//! Stores as trait objects.
//!
//! The traits of a store have `async` methods, which trait objects cannot have. Each trait has an
//! object-safe form here, which every type that implements the trait has as well.

use super::{
    BoxFuture, Capabilities, Created, Cursor, ExpiredSweep, KeyState, Patched, Position, Powers,
    PublicId, Record, Rotation, Sample, ScanPage, Selection, SessionListing, SessionMeta,
    SessionStore, StoreError, StoreKey, UserSessions,
};
use crate::{
    clock::Timestamp,
    data::{Access, Patch},
    future::{MaybeReady, poll_once},
};

/// Declares the object-safe form of a trait, and implements it for every type that has the trait.
///
/// The methods after `async` return a [`MaybeReady`] result. Those after `sync` state their value,
/// from the store `S` and a name for it.
macro_rules! erased {
    (
        $(#[$doc:meta])*
        trait $Erased:ident: $Trait:ident;
        async { $(fn $call:ident($($arg:ident: $type:ty),*) -> $Output:ty;)* }
        sync { $($(#[$about:meta])* fn $ask:ident($store:ident) -> $Answer:ty { $answer:expr })* }
    ) => {
        $(#[$doc])*
        pub trait $Erased: Send + Sync + 'static {
            $(
                #[doc = concat!("[`", stringify!($Trait), "::", stringify!($call), "`].")]
                fn $call<'a>(&'a self, $($arg: $type),*) -> MaybeReady<'a, Result<$Output, StoreError>>;
            )*
            $(
                $(#[$about])*
                fn $ask(&self) -> $Answer;
            )*
        }

        impl<S: $Trait> $Erased for S {
            $(
                fn $call<'a>(&'a self, $($arg: $type),*) -> MaybeReady<'a, Result<$Output, StoreError>> {
                    erase::<S, _, _>(|| <S as $Trait>::$call(self, $($arg),*))
                }
            )*
            $(
                fn $ask(&self) -> $Answer {
                    let $store = self;
                    $answer
                }
            )*
        }
    };
}

erased! {
    /// The object-safe form of [`SessionStore`].
    ///
    /// Implement [`SessionStore`]: every such type is an `ErasedStore`. Each method behaves like
    /// the method of the same name. The returned value is ready if the store never waits,
    /// otherwise it is a boxed future.
    trait ErasedStore: SessionStore;
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

erased! {
    /// The object-safe form of [`UserSessions`].
    trait ErasedUserSessions: UserSessions;
    async {
        fn list_by_user(
            user: &'a str,
            after: Option<Position>,
            limit: usize,
            now: Timestamp
        ) -> Vec<SessionMeta>;
        fn delete_by_user(user: &'a str, which: Selection, limit: usize, now: Timestamp) -> u64;
        fn trim(user: &'a str, keep: usize, own: PublicId, limit: usize, now: Timestamp) -> u64;
    }
    sync {}
}

erased! {
    /// The object-safe form of [`ExpiredSweep`].
    trait ErasedExpiredSweep: ExpiredSweep;
    async {
        fn acquire_sweep_lease(until: Timestamp, now: Timestamp) -> bool;
        fn sweep(limit: usize, now: Timestamp) -> usize;
    }
    sync {}
}

erased! {
    /// The object-safe form of [`SessionListing`].
    trait ErasedSessionListing: SessionListing;
    async {
        fn list(after: Option<Position>, limit: usize, now: Timestamp) -> Vec<SessionMeta>;
        fn find(public_id: PublicId, now: Timestamp) -> Option<Record>;
        fn delete_by_public_id(public_id: PublicId, now: Timestamp) -> bool;
        fn delete_created_before(until: Timestamp, limit: usize, now: Timestamp) -> u64;
        fn sample(limit: usize, now: Timestamp) -> Sample;
        fn scan(after: Option<&'a Cursor>, limit: usize) -> ScanPage;
    }
    sync {}
}

/// Polls the future once if `S` never waits, and boxes it otherwise.
fn erase<'a, S, T, F>(make: impl FnOnce() -> F) -> MaybeReady<'a, Result<T, StoreError>>
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
