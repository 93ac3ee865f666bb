//! The store contract: each operation runs on a reader or on the writer.
//!
//! The operations are implemented in `find`, `change` and `remove`. Arguments for the writer are
//! cloned, because a queued write outlives a dropped future. See `inventory` for the operators'
//! listing.

use carafe_core::{
    clock::Timestamp,
    session::{Access, Patch},
    store::{
        BoxFuture, Capabilities, Created, ExpiredSweep, KeyState, Patched, Position, Powers,
        PublicId, Record, Rotation, Selection, SessionMeta, SessionStore, StoreError, StoreKey,
        UserSessions,
    },
};

use crate::{SqliteStore, change, find, remove, sweep_lease};

impl SessionStore for SqliteStore {
    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        _: Timestamp,
    ) -> Result<Created, StoreError> {
        let (key, record) = (*key, record.clone());
        self.write(move |db| change::create(db, &key, &record))
            .await
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        let key = *key;
        self.read(move |db| find::state(db, &key, now)).await
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let (key, base, patch) = (*key, base.clone(), patch.clone());
        self.write(move |db| change::patch(db, &key, &base, &patch, now))
            .await
    }

    async fn rotate(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let (from, to, base, patch) = (*from, *to, base.clone(), patch.clone());
        self.write(move |db| change::rotate(db, (&from, &to), &base, &patch, rotation, now))
            .await
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        let (key, access) = (*key, *access);
        self.write(move |db| change::touch(db, &key, &access)).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        let key = *key;
        self.write(move |db| remove::session(db, &key, now)).await
    }

    fn powers(&self) -> Powers<'_> {
        Powers::new()
            .with_users(self)
            .with_sweeper(self)
            .with_listing(self)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::CARAFE
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        None
    }
}

impl UserSessions for SqliteStore {
    async fn list_by_user(
        &self,
        user: &str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let user = user.to_owned();
        self.read(move |db| find::of_user(db, &user, after, limit, now))
            .await
    }

    async fn delete_by_user(
        &self,
        user: &str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let user = user.to_owned();
        self.write(move |db| remove::of_user(db, &user, which, limit, now))
            .await
    }

    async fn trim(
        &self,
        user: &str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let user = user.to_owned();
        self.write(move |db| remove::surplus(db, &user, keep, own, limit, now))
            .await
    }
}

impl ExpiredSweep for SqliteStore {
    async fn acquire_sweep_lease(
        &self,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| sweep_lease::sweep(db, until, now))
            .await
    }

    async fn sweep(&self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |db| remove::expired(db, limit, now)).await
    }
}
