//! The power to look through all sessions, each call handed to the readers or to the writer. What they do
//! stands in `look` and `remove`.

use carafe_core::{
    clock::Timestamp,
    store::{
        Batch, BoxFuture, Cursor, Handle, Inventory, Position, Record, Sample, StoreError,
        StoreKey, Summary,
    },
};

use crate::{SqliteStore, look, remove};

impl Inventory for SqliteStore {
    fn newest<'a>(
        &'a self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(self.read(move |db| look::newest(db, after, limit, now)))
    }

    fn of_handle<'a>(
        &'a self,
        handle: Handle,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.read(move |db| look::of_handle(db, handle, now)))
    }

    fn delete_of_handle<'a>(&'a self, handle: Handle) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.write(move |db| remove::of_handle(db, handle)))
    }

    fn delete_begun<'a>(
        &'a self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.write(move |db| remove::begun(db, until, limit)))
    }

    fn sample<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Sample, StoreError>> {
        Box::pin(async move {
            let start = StoreKey::random().map_err(StoreError::unavailable)?;
            self.read(move |db| look::sample(db, &start, limit, now))
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
            self.read(move |db| look::walk(db, after.as_ref(), limit))
                .await
        })
    }
}
