//! The listing of all sessions, implemented with `look` and `verbs`.

use carafe_core::{
    clock::Timestamp,
    store::{
        Cursor, Position, PublicId, Record, Sample, ScanPage, SessionListing, SessionMeta,
        StoreError, StoreKey,
    },
};

use crate::{dialect::Dialect, look, store::SqlStore, verbs};

impl<D: Dialect> SessionListing for SqlStore<D> {
    async fn list(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        self.read(move |lease| look::newest(lease, &self.statements, after, limit, now))
            .await
    }

    async fn find(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        self.read(|lease| look::find(lease, &self.statements, &public_id, now))
            .await
    }

    async fn delete_by_public_id(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|lease| verbs::delete_by_public_id(lease, &self.statements, &public_id, now))
            .await
    }

    async fn delete_created_before(
        &self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let limit = limit as u64;
        self.write(move |lease| {
            verbs::delete_created_before(lease, &self.statements, until, limit, now)
        })
        .await
    }

    async fn sample(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        let start = StoreKey::random().map_err(StoreError::unavailable)?;
        self.read(|lease| look::sample(lease, &self.statements, &start, limit, now))
            .await
    }

    async fn scan(&self, after: Option<&Cursor>, limit: usize) -> Result<ScanPage, StoreError> {
        let after = after.map(Cursor::key).transpose()?;
        self.read(|lease| look::walk(lease, &self.statements, after.as_ref(), limit))
            .await
    }
}
