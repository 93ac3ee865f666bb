//! The listing of all sessions, implemented with `look` and `verbs`.

use carafe_core::{
    clock::Timestamp,
    store::{
        BoxFuture, Cursor, Position, PublicId, Record, Sample, ScanPage, SessionListing,
        SessionMeta, StoreError, StoreKey,
    },
};

use crate::{dialect::Dialect, look, store::SqlStore, verbs};

impl<D: Dialect> SessionListing for SqlStore<D> {
    fn list<'a>(
        &'a self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<SessionMeta>, StoreError>> {
        Box::pin(self.read(move |lease| look::newest(lease, &self.statements, after, limit, now)))
    }

    fn find<'a>(
        &'a self,
        public_id: PublicId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            self.read(|lease| look::find(lease, &self.statements, &public_id, now))
                .await
        })
    }

    fn delete_by_public_id<'a>(
        &'a self,
        public_id: PublicId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            self.write(|lease| verbs::delete_by_public_id(lease, &self.statements, &public_id, now))
                .await
        })
    }

    fn delete_created_before<'a>(
        &'a self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        let limit = limit as u64;
        Box::pin(self.write(move |lease| {
            verbs::delete_created_before(lease, &self.statements, until, limit, now)
        }))
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

    fn scan<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<ScanPage, StoreError>> {
        Box::pin(async move {
            let after = after.map(Cursor::key).transpose()?;
            self.read(|lease| look::walk(lease, &self.statements, after.as_ref(), limit))
                .await
        })
    }
}
