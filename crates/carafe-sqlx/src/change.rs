//! Patch and rotate: one statement if nobody has written since, a short transaction if somebody has.
//!
//! The statement states the version that its new row was computed from. Where it misses, the row is locked,
//! and the change is merged with what is there: waiting for a lock ends, trying again and again need not.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Created, Patched, Record, StoreError, StoreKey},
};

use crate::{
    dialect::{Dialect, Value, foreign},
    failure::Failure,
    lease::Lease,
    row::{Found, json_of},
    store::SqlStore,
    verbs::{hit, insert, must_hit, one},
};

/// A patch, or with `to` a rotation.
pub(crate) struct Change<'a, D: Dialect> {
    pub(crate) store: &'a SqlStore<D>,
    pub(crate) key: &'a StoreKey,
    pub(crate) base: &'a Record,
    pub(crate) patch: &'a Patch,
    pub(crate) to: Option<&'a StoreKey>,
    pub(crate) alias_until: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

/// What comes back from the state that a change has met.
struct Next {
    record: Record,
    json: String,
}

impl<D: Dialect> Change<'_, D> {
    pub(crate) async fn run(&self, mut lease: Lease<D>) -> Result<Patched, Failure> {
        let patched = match self.unchanged(&mut lease).await? {
            Some(record) => Patched::Applied(Box::new(record)),
            None => self.merged(&mut lease).await?,
        };
        lease.done();
        Ok(patched)
    }

    /// The change as one statement; `None` if somebody has written since `base`, or if one is not enough.
    async fn unchanged(&self, lease: &mut Lease<D>) -> Result<Option<Record>, Failure> {
        if self.alias().is_some() {
            return Ok(None);
        }
        let Some(next) = self.next(self.base)? else {
            return Ok(None);
        };
        let before = json_of(self.base);
        let mut values = self.replacement(self.key, &next);
        values.push(self.base.version.into());
        values.push(before.as_str().into());
        values.push(self.now.into());
        let replaced = hit::<D>(lease, &self.store.statements.replace_unchanged, &values).await?;
        Ok(replaced.then_some(next.record))
    }

    /// The change on the newest state, under the row's lock.
    async fn merged(&self, lease: &mut Lease<D>) -> Result<Patched, Failure> {
        D::batch(lease, &self.store.statements.begin).await?;
        let Some((key, newest)) = self.locked(lease).await? else {
            return self.gone(lease).await;
        };
        let Some(next) = self.next(&newest)? else {
            return self.gone(lease).await;
        };
        let replacement = self.replacement(&key, &next);
        must_hit::<D>(lease, &self.store.statements.replace, &replacement).await?;
        self.leave_alias(lease, &next.record).await?;
        D::batch(lease, &self.store.statements.commit).await?;
        Ok(Patched::Applied(Box::new(next.record)))
    }

    async fn gone(&self, lease: &mut Lease<D>) -> Result<Patched, Failure> {
        D::batch(lease, &self.store.statements.rollback).await?;
        Ok(Patched::Gone)
    }

    /// The record to change and the key that it has now, locked.
    async fn locked(&self, lease: &mut Lease<D>) -> Result<Option<(StoreKey, Record)>, Failure> {
        let (mut key, mut looked) = (*self.key, false);
        loop {
            let values = [(&key).into(), self.now.into()];
            match one(lease, &self.store.statements.lock, &values, &key).await? {
                Some(Found::Record(record)) => return Ok(Some((key, record))),
                // Who rotates has met an id that somebody else has replaced already.
                Some(Found::Alias(_)) if self.to.is_some() => return Ok(None),
                Some(Found::Alias(target)) => (key, looked) = (target, false),
                // Postgres: a row that was moved while we waited for it is not found by this statement, nor
                // is the alias that took its place. The next statement sees it.
                None if !looked => looked = true,
                None => return Ok(None),
            }
        }
    }

    /// Leaves an alias under the key that the record had.
    async fn leave_alias(&self, lease: &mut Lease<D>, record: &Record) -> Result<(), Failure> {
        let Some((to, until)) = self.alias() else {
            return Ok(());
        };
        // Nobody's: the list of a user's sessions is of records.
        let alias = Record {
            user: None,
            device: None,
            expires: until,
            ..record.clone()
        };
        let statements = &self.store.statements;
        match insert(lease, statements, self.key, Some(to), &alias, "").await? {
            Created::Created => Ok(()),
            // Its record has just left the key, in a transaction that has not ended.
            Created::Taken => Err(foreign().into()),
        }
    }

    fn alias(&self) -> Option<(&StoreKey, Timestamp)> {
        let until = self.alias_until.filter(|&until| until > self.now)?;
        self.to.map(|to| (to, until))
    }

    fn next(&self, newest: &Record) -> Result<Option<Next>, StoreError> {
        let next = match self.to {
            Some(_) => newest.rotated(self.base, self.patch, self.now)?,
            None => newest.after(self.base, self.patch)?,
        };
        let Some(record) = next else { return Ok(None) };
        let json = json_of(&record);
        self.store.check(&record, &json)?;
        Ok(Some(Next { record, json }))
    }

    /// The values that replace the row under `key`.
    fn replacement<'v>(&'v self, key: &'v StoreKey, next: &'v Next) -> Vec<Value<'v>> {
        let record = &next.record;
        vec![
            self.to.unwrap_or(key).into(),
            next.json.as_str().into(),
            (&record.user).into(),
            (&record.device).into(),
            record.renewed.into(),
            record.last_seen.into(),
            record.expires.into(),
            record.authenticated.into(),
            record.version.into(),
            key.into(),
        ]
    }
}
