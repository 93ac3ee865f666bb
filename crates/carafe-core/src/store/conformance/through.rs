//! A store whose verbs go the way of its power [`AtOnce`].

use std::future::ready;

use crate::{
    clock::Timestamp,
    session::Patch,
    store::{
        AtOnce, BoxFuture, Created, ExpiredSweep, Inventory, Layout, Patched, Record, SessionStore,
        StoreError, StoreKey, UserSessions,
    },
};

/// Carries each verb out by [`AtOnce`]. A store that has that power passes the suite in here too.
///
/// ```
/// mod memory_at_once {
///     use carafe_core::store::{MemoryStore, conformance::ThroughAtOnce};
///     carafe_core::session_store_conformance!(futures_executor::block_on, async { ThroughAtOnce(MemoryStore::new()) });
/// }
/// ```
#[derive(Debug)]
pub struct ThroughAtOnce<S>(pub S);

impl<S: AtOnce> ThroughAtOnce<S> {
    /// The record of `key`, after a verb that only says whether it was there.
    fn told(&self, was_there: bool, key: &StoreKey, now: Timestamp) -> Result<Patched, StoreError> {
        let record = match was_there {
            true => self.0.load_at_once(key, now)?,
            false => None,
        };
        Ok(record.map_or(Patched::Gone, |record| Patched::Applied(Box::new(record))))
    }
}

impl<S: AtOnce> SessionStore for ThroughAtOnce<S> {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        Box::pin(ready(self.0.create_at_once(key, record, now)))
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(ready(self.0.load_at_once(key, now)))
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        let there = self.0.patch_at_once(key, base, patch, now);
        Box::pin(ready(there.and_then(|there| self.told(there, key, now))))
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
        let keys = (from, to);
        let there = self.0.rotate_at_once(keys, base, patch, alias_until, now);
        Box::pin(ready(there.and_then(|there| self.told(there, to, now))))
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(ready(self.0.touch_at_once(key, expires, now)))
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(ready(self.0.delete_at_once(key)))
    }

    fn layout(&self) -> Layout {
        self.0.layout()
    }

    fn users(&self) -> Option<&dyn UserSessions> {
        self.0.users()
    }

    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        self.0.sweeper()
    }

    fn inventory(&self) -> Option<&dyn Inventory> {
        self.0.inventory()
    }
}
