//! From names that are ids to names that are their hashes: what makes our own store the new one of a
//! [`Moving`](super::Moving) whose old one is in a layout of others.

use std::sync::Arc;

use crate::{
    base64,
    clock::Timestamp,
    session::Patch,
    store::{
        BoxFuture, Created, ExpiredSweep, Layout, Naming, Patched, Record, SessionStore,
        StoreError, StoreKey,
    },
};

/// A store of [`Naming::Hashed`] under keys that are ids.
struct Hashing(Arc<dyn SessionStore>);

/// `new`, under keys as `old` has them.
pub(super) fn named_as(old: Naming, new: Arc<dyn SessionStore>) -> Arc<dyn SessionStore> {
    match (old, new.layout().naming) {
        (Naming::Plain, Naming::Hashed) => Arc::new(Hashing(new)),
        _ => new,
    }
}

/// As [`SessionId::store_key`](crate::token::SessionId::store_key) makes it of the same id.
fn hashed(key: &StoreKey) -> StoreKey {
    StoreKey::of_id(&base64::encode_url(key.as_bytes()))
}

impl SessionStore for Hashing {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        Box::pin(async move { self.0.create(&hashed(key), record, now).await })
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move { self.0.load(&hashed(key), now).await })
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        Box::pin(async move { self.0.patch(&hashed(key), base, patch, now).await })
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        Box::pin(async move {
            let (from, to) = (hashed(from), hashed(to));
            self.0
                .rotate(&from, &to, base, patch, alias_until, now)
                .await
        })
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { self.0.touch(&hashed(key), expires, now).await })
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { self.0.delete(&hashed(key)).await })
    }

    fn layout(&self) -> Layout {
        Layout {
            naming: Naming::Plain,
            ..self.0.layout()
        }
    }

    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        self.0.sweeper()
    }
}
