//! The powers that some stores have, guarded as the verbs are. What a visitor's request may ask for counts for
//! the circuit; what only operators and tasks ask for does not.

use carafe_core::{
    clock::Timestamp,
    store::{
        Batch, BoxFuture, Cursor, ExpiredSweep, Handle, Inventory, Position, Record, Sample,
        SessionStore, StoreError, Summary, UserSessions, Which, guard::Whose,
    },
};

use super::Guarded;

impl<S: SessionStore + ?Sized> UserSessions for Guarded<S> {
    fn of_user<'a>(
        &'a self,
        user: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(async move {
            let list = self.0.users()?.of_user(user, now);
            let mut sessions = self.0.call(self.0.options.to_read(), list).await?;
            sessions.retain(|session| !self.0.ends(session));
            Ok(sessions)
        })
    }

    fn delete_of_user<'a>(
        &'a self,
        user: &'a str,
        which: Which,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let delete = self.0.users()?.delete_of_user(user, which);
            let whose = Whose::User(user.into(), which);
            self.0.log_out(whose, delete).await
        })
    }
}

impl<S: SessionStore + ?Sized> ExpiredSweep for Guarded<S> {
    fn claim<'a>(
        &'a self,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let sweeper = self.0.store.sweeper().ok_or(StoreError::Unsupported)?;
            let claim = sweeper.claim(until, now);
            self.0.aside(self.0.options.to_write(), claim).await
        })
    }

    fn sweep<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        Box::pin(async move {
            let sweeper = self.0.store.sweeper().ok_or(StoreError::Unsupported)?;
            let sweep = sweeper.sweep(limit, now);
            self.0.aside(self.0.options.to_write(), sweep).await
        })
    }
}

impl<S: SessionStore + ?Sized> Inventory for Guarded<S> {
    fn newest<'a>(
        &'a self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(async move {
            let page = self.0.inventory()?.newest(after, limit, now);
            self.0.aside(self.0.options.to_read(), page).await
        })
    }

    fn of_handle<'a>(
        &'a self,
        handle: Handle,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let found = self.0.inventory()?.of_handle(handle, now);
            let found = self.0.aside(self.0.options.to_read(), found).await?;
            Ok(found.filter(|record| !self.0.ends(record)))
        })
    }

    fn delete_of_handle<'a>(&'a self, handle: Handle) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let delete = self.0.inventory()?.delete_of_handle(handle);
            let (whose, at) = (Whose::Handle(handle), Timestamp::now());
            self.0.log_out_aside(whose, at, delete).await
        })
    }

    /// One that fails is remembered as the order that it is a step of: to end all that began until then.
    fn delete_begun<'a>(
        &'a self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let delete = self.0.inventory()?.delete_begun(until, limit);
            self.0.log_out_aside(Whose::Everyone, until, delete).await
        })
    }

    fn sample<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Sample, StoreError>> {
        Box::pin(async move {
            let sample = self.0.inventory()?.sample(limit, now);
            self.0.aside(self.0.options.to_read(), sample).await
        })
    }

    fn walk<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Batch, StoreError>> {
        Box::pin(async move {
            let walk = self.0.inventory()?.walk(after, limit);
            self.0.aside(self.0.options.to_read(), walk).await
        })
    }
}
