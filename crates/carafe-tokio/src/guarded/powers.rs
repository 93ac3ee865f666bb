//! The optional store operations, guarded like the others. Operations that a visitor's request may
//! need count for the circuit; those of operators and tasks do not.

use carafe_core::{
    clock::Timestamp,
    store::{
        Cursor, ErasedStore, ExpiredSweep, Position, PublicId, Record, Sample, ScanPage, Selection,
        SessionListing, SessionMeta, StoreError, UserSessions,
    },
};

use super::{Guarded, delivery::USER_STEP, pending_revocation::RevocationTarget};

impl<S: ErasedStore + ?Sized> UserSessions for Guarded<S> {
    /// Skips the sessions that are revoked on this node, of which there may be many in a row.
    async fn list_by_user(
        &self,
        user: &str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let (users, step) = (self.0.users()?, limit.max(USER_STEP));
        let (mut sessions, mut after, mut asks) = (Vec::new(), after, limit);
        loop {
            let list = users.list_by_user(user, after, asks, now);
            let page = self.0.call(self.0.options.to_read(), list).await?;
            let is_last = page.len() < asks;
            after = page.last().map(SessionMeta::position);
            let living = page.into_iter().filter(|session| !self.0.ends(session));
            sessions.extend(living.take(limit - sessions.len()));
            if is_last || sessions.len() == limit {
                return Ok(sessions);
            }
            asks = step;
        }
    }

    /// A failed call is remembered as the whole revocation that it is a step of.
    async fn delete_by_user(
        &self,
        user: &str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let delete = self.0.users()?.delete_by_user(user, which, limit, now);
        let target = RevocationTarget::User(user.into(), which);
        self.0.log_out(target, now, delete).await
    }

    /// A failed call is not remembered, because the log-in that it belongs to fails as well.
    async fn trim(
        &self,
        user: &str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let trim = self.0.users()?.trim(user, keep, own, limit, now);
        self.0.call(self.0.options.to_change(), trim).await
    }
}

impl<S: ErasedStore + ?Sized> ExpiredSweep for Guarded<S> {
    async fn acquire_sweep_lease(
        &self,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sweeper = self
            .0
            .store
            .powers()
            .sweeper()
            .ok_or(StoreError::Unsupported)?;
        let claim = sweeper.acquire_sweep_lease(until, now);
        self.0.admin_call(self.0.options.to_write(), claim).await
    }

    async fn sweep(&self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        let sweeper = self
            .0
            .store
            .powers()
            .sweeper()
            .ok_or(StoreError::Unsupported)?;
        let sweep = sweeper.sweep(limit, now);
        self.0.admin_call(self.0.options.to_write(), sweep).await
    }
}

impl<S: ErasedStore + ?Sized> SessionListing for Guarded<S> {
    async fn list(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let page = self.0.inventory()?.list(after, limit, now);
        self.0.admin_call(self.0.options.to_read(), page).await
    }

    async fn find(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let found = self.0.inventory()?.find(public_id, now);
        let found = self.0.admin_call(self.0.options.to_read(), found).await?;
        Ok(found.filter(|record| !self.0.ends(record)))
    }

    async fn delete_by_public_id(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let delete = self.0.inventory()?.delete_by_public_id(public_id, now);
        self.0
            .log_out_aside(RevocationTarget::PublicId(public_id), now, delete)
            .await
    }

    /// A failed call is remembered as the whole revocation that it is a step of.
    async fn delete_created_before(
        &self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let delete = self.0.inventory()?.delete_created_before(until, limit, now);
        self.0
            .log_out_aside(RevocationTarget::All, until, delete)
            .await
    }

    async fn sample(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        let sample = self.0.inventory()?.sample(limit, now);
        self.0.admin_call(self.0.options.to_read(), sample).await
    }

    async fn scan(&self, after: Option<&Cursor>, limit: usize) -> Result<ScanPage, StoreError> {
        let walk = self.0.inventory()?.scan(after, limit);
        self.0.admin_call(self.0.options.to_read(), walk).await
    }
}
