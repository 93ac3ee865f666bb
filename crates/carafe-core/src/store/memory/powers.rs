//! The optional operations of the memory store.

use std::sync::atomic::Ordering;

use super::MemoryStore;
use crate::{
    clock::Timestamp,
    store::{
        ExpiredSweep, Position, PublicId, Selection, SessionMeta, StoreError, UserSessions,
        powers::claim_ends,
    },
};

impl UserSessions for MemoryStore {
    const NEVER_WAITS: bool = true;

    async fn list_by_user(
        &self,
        user: &str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        Ok(self.list_by_user_now(user, after, limit, now))
    }

    async fn delete_by_user(
        &self,
        user: &str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        Ok(self.delete_by_user_now(user, which, limit, now))
    }

    async fn trim(
        &self,
        user: &str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        Ok(self.trim_now(user, keep, own, limit, now))
    }
}

impl ExpiredSweep for MemoryStore {
    async fn acquire_sweep_lease(
        &self,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let claimed =
            self.claimed_until
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |claimed| {
                    claim_ends(claimed, until, now).then_some(until.unix())
                });
        Ok(claimed.is_ok())
    }

    async fn sweep(&self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        Ok(self.sweep_now(limit, now))
    }
}
