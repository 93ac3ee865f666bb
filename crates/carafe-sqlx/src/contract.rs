//! The store's contract, in terms of `verbs` and `change`. Next: `inventory`, the part for operators.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{
        BoxFuture, Created, ExpiredSweep, Inventory, Patched, Record, SessionStore, StoreError,
        StoreKey, Summary, UserSessions, Which,
    },
};

use crate::{change::Change, claim, dialect::Dialect, row::json_of, store::SqlStore, verbs};

impl<D: Dialect> SessionStore for SqlStore<D> {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        Box::pin(async move {
            let json = json_of(record);
            self.check(record, &json)?;
            self.write(|lease| verbs::create(lease, &self.statements, key, record, &json))
                .await
        })
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.read(move |lease| verbs::load(lease, &self.statements, *key, now)))
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        let change = Change {
            store: self,
            key,
            base,
            patch,
            to: None,
            alias_until: None,
            now,
        };
        Box::pin(async move { self.write(|lease| change.run(lease)).await })
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
        // No index minds a key that moves onto itself, and an alias of itself leads nowhere.
        if from == to {
            return Box::pin(async { Err(StoreError::Conflict) });
        }
        let change = Change {
            store: self,
            key: from,
            base,
            patch,
            to: Some(to),
            alias_until,
            now,
        };
        Box::pin(async move { self.write(|lease| change.run(lease)).await })
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.write(move |lease| verbs::touch(lease, &self.statements, *key, expires, now)))
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.write(move |lease| verbs::delete(lease, &self.statements, *key)))
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

impl<D: Dialect> UserSessions for SqlStore<D> {
    fn of_user<'a>(
        &'a self,
        user: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(self.read(move |lease| verbs::of_user(lease, &self.statements, user, now)))
    }

    fn delete_of_user<'a>(
        &'a self,
        user: &'a str,
        which: Which,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(
            self.write(move |lease| verbs::delete_of_user(lease, &self.statements, user, which)),
        )
    }
}

impl<D: Dialect> ExpiredSweep for SqlStore<D> {
    fn claim<'a>(
        &'a self,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.write(move |lease| claim::sweep(lease, &self.table, until, now)))
    }

    fn sweep<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        Box::pin(async move {
            let swept = self
                .write(|lease| verbs::sweep(lease, &self.statements, limit as u64, now))
                .await?;
            // At most `limit` rows, so it is a usize.
            Ok(usize::try_from(swept).unwrap_or(limit))
        })
    }
}
