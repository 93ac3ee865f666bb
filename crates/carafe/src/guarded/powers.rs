//! The powers that some stores have, guarded as the verbs are. What a visitor's request may ask for counts for
//! the circuit; what only operators and tasks ask for does not.

use carafe_core::{
    clock::Timestamp,
    store::{
        Batch, BoxFuture, Cursor, ExpiredSweep, Handle, Inventory, Position, Record, Sample,
        SessionStore, StoreError, Summary, UserSessions, Which,
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
            let users = self.0.store.users().ok_or(StoreError::Unsupported)?;
            let list = users.of_user(user, now);
            self.0.call(self.0.options.to_read(), list).await
        })
    }

    fn delete_of_user<'a>(
        &'a self,
        user: &'a str,
        which: Which,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let users = self.0.store.users().ok_or(StoreError::Unsupported)?;
            let delete = users.delete_of_user(user, which);
            self.0.call(self.0.options.to_write(), delete).await
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

impl<S: SessionStore + ?Sized> Guarded<S> {
    fn inner_inventory(&self) -> Result<&dyn Inventory, StoreError> {
        self.0.store.inventory().ok_or(StoreError::Unsupported)
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
            let page = self.inner_inventory()?.newest(after, limit, now);
            self.0.aside(self.0.options.to_read(), page).await
        })
    }

    fn of_handle<'a>(
        &'a self,
        handle: Handle,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let found = self.inner_inventory()?.of_handle(handle, now);
            self.0.aside(self.0.options.to_read(), found).await
        })
    }

    fn delete_of_handle<'a>(&'a self, handle: Handle) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let delete = self.inner_inventory()?.delete_of_handle(handle);
            self.0.aside(self.0.options.to_write(), delete).await
        })
    }

    fn delete_begun<'a>(
        &'a self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let delete = self.inner_inventory()?.delete_begun(until, limit);
            self.0.aside(self.0.options.to_write(), delete).await
        })
    }

    fn sample<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Sample, StoreError>> {
        Box::pin(async move {
            let sample = self.inner_inventory()?.sample(limit, now);
            self.0.aside(self.0.options.to_read(), sample).await
        })
    }

    fn walk<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Batch, StoreError>> {
        Box::pin(async move {
            let walk = self.inner_inventory()?.walk(after, limit);
            self.0.aside(self.0.options.to_read(), walk).await
        })
    }
}
