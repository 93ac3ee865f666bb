//! The verbs of the contract, each handed to the readers or to the writer. What they do stands in `find`,
//! `change` and `remove`; what goes to the writer is copied first, because it outlives a dropped future.
//! Next: `inventory` for those of operators.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{
        BoxFuture, Created, ExpiredSweep, Inventory, Patched, Record, SessionStore, StoreError,
        StoreKey, Summary, UserSessions, Which,
    },
};

use crate::{SqliteStore, change, claim, find, remove};

impl SessionStore for SqliteStore {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        let (key, record) = (*key, record.clone());
        Box::pin(self.write(move |db| change::create(db, &key, &record)))
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        let key = *key;
        Box::pin(self.read(move |db| Ok(find::record(db, &key, now)?.map(|(_, record)| record))))
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        let (key, base, patch) = (*key, base.clone(), patch.clone());
        Box::pin(self.write(move |db| change::patch(db, &key, &base, &patch, now)))
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        let (from, to, base, patch) = (*from, *to, base.clone(), patch.clone());
        Box::pin(
            self.write(move |db| change::rotate(db, (&from, &to), &base, &patch, alias_until, now)),
        )
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let key = *key;
        Box::pin(self.write(move |db| change::touch(db, &key, expires, now)))
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        let key = *key;
        Box::pin(self.write(move |db| remove::session(db, &key)))
    }

    fn users(&self) -> Option<&dyn UserSessions> {
        Some(self)
    }

    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        Some(self)
    }

    fn inventory(&self) -> Option<&dyn Inventory> {
        Some(self)
    }
}

impl UserSessions for SqliteStore {
    fn of_user<'a>(
        &'a self,
        user: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        let user = user.to_owned();
        Box::pin(self.read(move |db| find::of_user(db, &user, now)))
    }

    fn delete_of_user<'a>(
        &'a self,
        user: &'a str,
        which: Which,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        let user = user.to_owned();
        Box::pin(self.write(move |db| remove::of_user(db, &user, which)))
    }
}

impl ExpiredSweep for SqliteStore {
    fn claim<'a>(
        &'a self,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.write(move |db| claim::sweep(db, until, now)))
    }

    fn sweep<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        Box::pin(self.write(move |db| remove::expired(db, limit, now)))
    }
}
