//! The power to look through all sessions, in terms of `look` and `verbs`.

use carafe_core::{
    clock::Timestamp,
    store::{
        Batch, BoxFuture, Cursor, Handle, Inventory, Position, Record, Sample, StoreError,
        StoreKey, Summary,
    },
};

use crate::{dialect::Dialect, look, store::SqlStore, verbs};

impl<D: Dialect> Inventory for SqlStore<D> {
    fn newest<'a>(
        &'a self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(self.read(move |lease| look::newest(lease, &self.statements, after, limit, now)))
    }

    fn of_handle<'a>(
        &'a self,
        handle: Handle,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            self.read(|lease| look::of_handle(lease, &self.statements, &handle, now))
                .await
        })
    }

    fn delete_of_handle<'a>(&'a self, handle: Handle) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            self.write(|lease| verbs::delete_of_handle(lease, &self.statements, &handle))
                .await
        })
    }

    fn delete_begun<'a>(
        &'a self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        let limit = limit as u64;
        Box::pin(
            self.write(move |lease| verbs::delete_begun(lease, &self.statements, until, limit)),
        )
    }

    fn sample<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Sample, StoreError>> {
        Box::pin(async move {
            let start = StoreKey::random().map_err(StoreError::unavailable)?;
            self.read(|lease| look::sample(lease, &self.statements, &start, limit, now))
                .await
        })
    }

    fn walk<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Batch, StoreError>> {
        Box::pin(async move {
            let after = after.map(Cursor::key).transpose()?;
            self.read(|lease| look::walk(lease, &self.statements, after.as_ref(), limit))
                .await
        })
    }
}
