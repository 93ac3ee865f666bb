//! The verbs as the contract has them: futures that are ready.

use std::sync::atomic::Ordering;

use super::MemoryStore;
use crate::{
    clock::Timestamp,
    session::Patch,
    store::{
        AtOnce, BoxFuture, Created, ExpiredSweep, Inventory, Patched, Record, SessionStore,
        StoreError, StoreKey, Summary, UserSessions, Which, contract::claim_ends,
    },
};

fn applied(record: Record) -> Patched {
    Patched::Applied(Box::new(record))
}

pub(super) fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

impl SessionStore for MemoryStore {
    fn users(&self) -> Option<&dyn UserSessions> {
        Some(self)
    }

    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        Some(self)
    }

    fn inventory(&self) -> Option<&dyn Inventory> {
        Some(self)
    }

    fn at_once(&self) -> Option<&dyn AtOnce> {
        Some(self)
    }

    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        ready(self.create_at_once(key, record, now))
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        ready(self.load_at_once(key, now))
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        let patched = self.patched(key, base, patch, now, applied);
        ready(patched.map(|patched| patched.unwrap_or(Patched::Gone)))
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
        let rotated = self.rotated((from, to), base, patch, alias_until, now, applied);
        ready(rotated.map(|rotated| rotated.unwrap_or(Patched::Gone)))
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        ready(self.touch_at_once(key, expires, now))
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        ready(self.delete_at_once(key))
    }
}

impl UserSessions for MemoryStore {
    fn of_user<'a>(
        &'a self,
        user: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        ready(Ok(self.of_user_now(user, now)))
    }

    fn delete_of_user<'a>(
        &'a self,
        user: &'a str,
        which: Which,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        ready(Ok(self.delete_of_user_now(user, which)))
    }
}

impl ExpiredSweep for MemoryStore {
    fn claim<'a>(
        &'a self,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let claimed =
            self.claimed_until
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |claimed| {
                    claim_ends(claimed, until, now).then_some(until.unix())
                });
        ready(Ok(claimed.is_ok()))
    }

    fn sweep<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        ready(Ok(self.sweep_now(limit, now)))
    }
}
