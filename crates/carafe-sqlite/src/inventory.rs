//! The listing of all sessions: each call runs on a thread for long reads or on the writer.
//!
//! The statements are in `look` and `remove`.

use carafe_core::{
    clock::Timestamp,
    store::{
        Cursor, Position, PublicId, Record, Sample, ScanPage, SessionListing, SessionMeta,
        StoreError, StoreKey,
    },
};

use crate::{SqliteStore, look, remove};

impl SessionListing for SqliteStore {
    async fn list(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        self.read_long(move |db| look::newest(db, after, limit, now))
            .await
    }

    async fn find(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        self.read(move |db| look::find(db, public_id, now)).await
    }

    async fn delete_by_public_id(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| remove::by_public_id(db, public_id, now))
            .await
    }

    async fn delete_created_before(
        &self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write(move |db| remove::begun(db, until, limit, now))
            .await
    }

    async fn sample(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        let start = StoreKey::random().map_err(StoreError::unavailable)?;
        self.read_long(move |db| look::sample(db, &start, limit, now))
            .await
    }

    async fn scan(&self, after: Option<&Cursor>, limit: usize) -> Result<ScanPage, StoreError> {
        let after = after.map(Cursor::key).transpose()?;
        self.read_long(move |db| look::walk(db, after.as_ref(), limit))
            .await
    }
}
