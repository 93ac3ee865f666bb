//! The store contract, implemented with `verbs` and `change`.
//!
//! See `inventory` for the operators' listing.

use carafe_core::{
    clock::Timestamp,
    session::{Access, Patch},
    store::{
        BoxFuture, Capabilities, Created, ExpiredSweep, KeyState, Patched, Position, Powers,
        PublicId, Record, Rotation, Selection, SessionMeta, SessionStore, StoreError, StoreKey,
        UserSessions,
    },
};

use crate::{
    change::Change, dialect::Dialect, look, row::json_of, store::SqlStore, sweep_lease, trim::Trim,
    verbs,
};

impl<D: Dialect> SessionStore for SqlStore<D> {
    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        _: Timestamp,
    ) -> Result<Created, StoreError> {
        let json = json_of(record);
        self.check(record, &json)?;
        self.write(|lease| verbs::create(lease, &self.statements, key, record, &json))
            .await
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        self.read(move |lease| verbs::load(lease, &self.statements, *key, now))
            .await
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let change = Change {
            store: self,
            key,
            base,
            patch,
            rotation: None,
            now,
        };
        self.write(|lease| change.run(lease)).await
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
        // A key that moves onto itself violates no index, and a pointer to itself is a marker.
        if from == to {
            return Err(StoreError::Conflict);
        }
        let change = Change {
            store: self,
            key: from,
            base,
            patch,
            rotation: Some((to, rotation)),
            now,
        };
        self.write(|lease| change.run(lease)).await
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        self.write(move |lease| verbs::touch(lease, &self.statements, *key, access))
            .await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |lease| verbs::delete(lease, &self.statements, *key, now))
            .await
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

impl<D: Dialect> UserSessions for SqlStore<D> {
    async fn list_by_user(
        &self,
        user: &str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        Self::check_user(user)?;
        self.read(move |lease| look::of_user(lease, &self.statements, user, after, limit, now))
            .await
    }

    async fn delete_by_user(
        &self,
        user: &str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        Self::check_user(user)?;
        let limit = limit as u64;
        self.write(move |lease| {
            verbs::delete_by_user(lease, &self.statements, user, which, limit, now)
        })
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
        let trim = Trim {
            statements: &self.statements,
            user,
            keep,
            own,
            limit,
            now,
        };
        self.write(|lease| trim.run(lease)).await
    }
}

impl<D: Dialect> ExpiredSweep for SqlStore<D> {
    async fn acquire_sweep_lease(
        &self,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |lease| sweep_lease::sweep(lease, &self.table, until, now))
            .await
    }

    async fn sweep(&self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        let swept = self
            .write(|lease| verbs::sweep(lease, &self.statements, limit as u64, now))
            .await?;
        // At most `limit` rows, so the count fits into a usize.
        Ok(usize::try_from(swept).unwrap_or(limit))
    }
}
