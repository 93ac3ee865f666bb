//! The optional store operations, guarded like the others. Operations that a visitor's request may
//! need count for the circuit; those of operators and tasks do not.

use carafe_core::{
    MaybeReady,
    clock::Timestamp,
    store::{
        BoxFuture, Cursor, ErasedStore, ExpiredSweep, Position, PublicId, Record, Sample, ScanPage,
        Selection, SessionListing, SessionMeta, StoreError, UserSessions,
    },
};

use super::{Guarded, delivery::USER_STEP, pending_revocation::RevocationTarget};

impl<S: ErasedStore + ?Sized> UserSessions for Guarded<S> {
    /// Skips the sessions that are revoked on this node, of which there may be many in a row.
    fn list_by_user<'a>(
        &'a self,
        user: &'a str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<SessionMeta>, StoreError>> {
        Box::pin(async move {
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
        })
    }

    /// A failed call is remembered as the whole revocation that it is a step of.
    fn delete_by_user<'a>(
        &'a self,
        user: &'a str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let delete = self.0.users()?.delete_by_user(user, which, limit, now);
            let target = RevocationTarget::User(user.into(), which);
            self.0.log_out(target, now, delete).await
        })
    }

    /// A failed call is not remembered, because the log-in that it belongs to fails as well.
    fn trim<'a>(
        &'a self,
        user: &'a str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<u64, StoreError>> {
        MaybeReady::later(async move {
            let trim = self.0.users()?.trim(user, keep, own, limit, now);
            self.0.call(self.0.options.to_change(), trim).await
        })
    }
}

impl<S: ErasedStore + ?Sized> ExpiredSweep for Guarded<S> {
    fn acquire_sweep_lease<'a>(
        &'a self,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let sweeper = self
                .0
                .store
                .powers()
                .sweeper()
                .ok_or(StoreError::Unsupported)?;
            let claim = sweeper.acquire_sweep_lease(until, now);
            self.0.admin_call(self.0.options.to_write(), claim).await
        })
    }

    fn sweep<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        Box::pin(async move {
            let sweeper = self
                .0
                .store
                .powers()
                .sweeper()
                .ok_or(StoreError::Unsupported)?;
            let sweep = sweeper.sweep(limit, now);
            self.0.admin_call(self.0.options.to_write(), sweep).await
        })
    }
}

impl<S: ErasedStore + ?Sized> SessionListing for Guarded<S> {
    fn list<'a>(
        &'a self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<SessionMeta>, StoreError>> {
        Box::pin(async move {
            let page = self.0.inventory()?.list(after, limit, now);
            self.0.admin_call(self.0.options.to_read(), page).await
        })
    }

    fn find<'a>(
        &'a self,
        public_id: PublicId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let found = self.0.inventory()?.find(public_id, now);
            let found = self.0.admin_call(self.0.options.to_read(), found).await?;
            Ok(found.filter(|record| !self.0.ends(record)))
        })
    }

    fn delete_by_public_id<'a>(
        &'a self,
        public_id: PublicId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let delete = self.0.inventory()?.delete_by_public_id(public_id, now);
            self.0
                .log_out_aside(RevocationTarget::PublicId(public_id), now, delete)
                .await
        })
    }

    /// A failed call is remembered as the whole revocation that it is a step of.
    fn delete_created_before<'a>(
        &'a self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let delete = self.0.inventory()?.delete_created_before(until, limit, now);
            self.0
                .log_out_aside(RevocationTarget::All, until, delete)
                .await
        })
    }

    fn sample<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Sample, StoreError>> {
        Box::pin(async move {
            let sample = self.0.inventory()?.sample(limit, now);
            self.0.admin_call(self.0.options.to_read(), sample).await
        })
    }

    fn scan<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<ScanPage, StoreError>> {
        Box::pin(async move {
            let walk = self.0.inventory()?.scan(after, limit);
            self.0.admin_call(self.0.options.to_read(), walk).await
        })
    }
}
