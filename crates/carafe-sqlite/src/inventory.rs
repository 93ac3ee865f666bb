//! The listing of all sessions: each call runs on a thread for long reads or on the writer.
//!
//! The statements are in `look` and `remove`.

use carafe_core::{
    clock::Timestamp,
    store::{
        BoxFuture, Cursor, Position, PublicId, Record, Sample, ScanPage, SessionListing,
        SessionMeta, StoreError, StoreKey,
    },
};

use crate::{SqliteStore, look, remove};

impl SessionListing for SqliteStore {
    fn list<'a>(
        &'a self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<SessionMeta>, StoreError>> {
        Box::pin(self.read_long(move |db| look::newest(db, after, limit, now)))
    }

    fn find<'a>(
        &'a self,
        public_id: PublicId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.read(move |db| look::find(db, public_id, now)))
    }

    fn delete_by_public_id<'a>(
        &'a self,
        public_id: PublicId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.write(move |db| remove::by_public_id(db, public_id, now)))
    }

    fn delete_created_before<'a>(
        &'a self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.write(move |db| remove::begun(db, until, limit, now)))
    }

    fn sample<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Sample, StoreError>> {
        Box::pin(async move {
            let start = StoreKey::random().map_err(StoreError::unavailable)?;
            self.read_long(move |db| look::sample(db, &start, limit, now))
                .await
        })
    }

    fn scan<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<ScanPage, StoreError>> {
        Box::pin(async move {
            let after = after.map(Cursor::key).transpose()?;
            self.read_long(move |db| look::walk(db, after.as_ref(), limit))
                .await
        })
    }
}
