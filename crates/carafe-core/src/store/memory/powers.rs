//! The optional operations of the memory store, whose futures are ready.

use std::sync::atomic::Ordering;

use super::MemoryStore;
use crate::{
    clock::Timestamp,
    future::MaybeReady,
    store::{
        BoxFuture, ExpiredSweep, Position, PublicId, Selection, SessionMeta, StoreError,
        UserSessions, powers::claim_ends,
    },
};

pub(super) fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

impl UserSessions for MemoryStore {
    fn list_by_user<'a>(
        &'a self,
        user: &'a str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<SessionMeta>, StoreError>> {
        ready(Ok(self.list_by_user_now(user, after, limit, now)))
    }

    fn delete_by_user<'a>(
        &'a self,
        user: &'a str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        ready(Ok(self.delete_by_user_now(user, which, limit, now)))
    }

    fn trim<'a>(
        &'a self,
        user: &'a str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<u64, StoreError>> {
        MaybeReady::now(Ok(self.trim_now(user, keep, own, limit, now)))
    }
}

impl ExpiredSweep for MemoryStore {
    fn acquire_sweep_lease<'a>(
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
