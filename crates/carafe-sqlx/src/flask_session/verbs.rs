//! The operations on Flask-Session's table.
//!
//! A change is conditional on the value that the new one was computed from; if the row has another
//! value, it is locked and the change is merged with it. A rotation inserts a new row and deletes
//! the old one: Flask-Session updates rows by their primary key, and a late update by a request
//! with the old id must not change the row of the new id.

use carafe_core::{
    clock::Timestamp,
    flask::stored::Next,
    session::{Access, Patch},
    store::{Created, Patched, Record, StoreError, StoreKey},
};
use sqlx::SqlStr;

use super::{FlaskSessionStore, dialect::FlaskDialect};
use crate::{
    dialect::{Stored, foreign},
    failure::Failure,
    lease::Lease,
    value::Value,
    verbs::{created, hit},
};

/// A record with its encoded value.
struct Found {
    record: Record,
    value: Vec<u8>,
}

impl<D: FlaskDialect> FlaskSessionStore<D> {
    pub(super) async fn write_new(
        &self,
        mut lease: Lease<D>,
        key: &StoreKey,
        value: &[u8],
        expires: Timestamp,
    ) -> Result<Created, Failure> {
        let created = self.insert(&mut lease, key, value, expires).await?;
        lease.done();
        Ok(created)
    }

    pub(super) async fn read_record(
        &self,
        mut lease: Lease<D>,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<Option<Record>, Failure> {
        let found = self
            .find(&mut lease, &self.statements.load, key, now)
            .await?;
        lease.done();
        Ok(found.map(|found| found.record))
    }

    pub(super) async fn extend_expiry(
        &self,
        mut lease: Lease<D>,
        key: &StoreKey,
        access: &Access,
    ) -> Result<bool, Failure> {
        let (expires, now) = (access.expires, access.at);
        let name = self.layout.name(key);
        let values = [
            expires.into(),
            name.as_str().into(),
            name.as_str().into(),
            now.into(),
        ];
        // A count of 0 alone never proves that the row is missing.
        let touched = loop {
            if hit::<D>(&mut lease, &self.statements.touch, &values).await? {
                break true;
            }
            if self
                .row(&mut lease, &self.statements.load, &name, now)
                .await?
                .is_none()
            {
                break false;
            }
        };
        lease.done();
        Ok(touched)
    }

    pub(super) async fn remove_record(
        &self,
        mut lease: Lease<D>,
        key: &StoreKey,
    ) -> Result<bool, Failure> {
        let deleted = self.remove(&mut lease, key).await?;
        lease.done();
        Ok(deleted)
    }

    pub(super) async fn remove_expired(
        &self,
        mut lease: Lease<D>,
        limit: u64,
        now: Timestamp,
    ) -> Result<u64, Failure> {
        let values = [now.into(), limit.into()];
        let swept = D::execute(&mut lease, &self.statements.sweep, &values).await?;
        lease.done();
        Ok(swept)
    }

    pub(super) async fn apply_patch(
        &self,
        mut lease: Lease<D>,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, Failure> {
        let before = self.layout.value(key, base)?;
        let next = match self.next(key, base, base, patch, None) {
            // The condition may hold for the newest state.
            Err(StoreError::Unmet) => None,
            next => next?,
        };
        if let Some(next) = next
            && self.replace(&mut lease, key, &before, &next, now).await?
        {
            lease.done();
            return Ok(Patched::Applied(next.record));
        }
        D::batch(&mut lease, &self.sql.statements.begin).await?;
        let found = self
            .find(&mut lease, &self.statements.lock, key, now)
            .await?;
        let next = match &found {
            Some(found) => self.next(key, &found.record, base, patch, None),
            None => Ok(None),
        };
        if let Err(StoreError::Unmet) = next {
            // An unmet condition is a regular result; the connection stays usable.
            self.gone(lease).await?;
            return Err(StoreError::Unmet.into());
        }
        let (Some(found), Some(next)) = (found, next?) else {
            return self.gone(lease).await;
        };
        // The row is locked, so the update must match.
        if !self
            .replace(&mut lease, key, &found.value, &next, now)
            .await?
        {
            return Err(foreign().into());
        }
        self.commit(lease, next).await
    }

    pub(super) async fn move_record(
        &self,
        mut lease: Lease<D>,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, Failure> {
        D::batch(&mut lease, &self.sql.statements.begin).await?;
        let found = self
            .find(&mut lease, &self.statements.lock, from, now)
            .await?;
        let next = match &found {
            Some(found) => self.next(from, &found.record, base, patch, Some((to, now)))?,
            None => None,
        };
        let Some(next) = next else {
            return self.gone(lease).await;
        };
        let expires = next.record.meta.expires;
        // An error from here on drops the lease, which rolls the transaction back.
        if self.insert(&mut lease, to, &next.value, expires).await? == Created::Taken {
            return Err(StoreError::Conflict.into());
        }
        if !self.remove(&mut lease, from).await? {
            return Err(foreign().into());
        }
        self.commit(lease, next).await
    }

    async fn commit(&self, mut lease: Lease<D>, next: Next) -> Result<Patched, Failure> {
        D::batch(&mut lease, &self.sql.statements.commit).await?;
        lease.done();
        Ok(Patched::Applied(next.record))
    }

    async fn gone(&self, mut lease: Lease<D>) -> Result<Patched, Failure> {
        D::batch(&mut lease, &self.sql.statements.rollback).await?;
        lease.done();
        Ok(Patched::Gone)
    }

    fn next(
        &self,
        key: &StoreKey,
        newest: &Record,
        base: &Record,
        patch: &Patch,
        rotation: Option<(&StoreKey, Timestamp)>,
    ) -> Result<Option<Next>, StoreError> {
        let next = self.layout.next(key, newest, base, patch, rotation)?;
        if let Some(next) = &next {
            self.check(&next.value)?;
        }
        Ok(next)
    }

    async fn find(
        &self,
        lease: &mut Lease<D>,
        query: &SqlStr,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<Option<Found>, Failure> {
        let name = self.layout.name(key);
        let Some(row) = self.row(lease, query, &name, now).await? else {
            return Ok(None);
        };
        let (value, expires) = (row.value, Timestamp::from_unix(row.expires));
        let record = self.layout.record(key, &value, expires, now)?;
        Ok(Some(Found { record, value }))
    }

    async fn row(
        &self,
        lease: &mut Lease<D>,
        query: &SqlStr,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<Stored>, Failure> {
        let values = [name.into(), name.into(), now.into()];
        let row = D::asked_stored(lease, query, &values).await?;
        // Defense in depth: a mix-up of connections must never expose another session.
        if row.as_ref().is_some_and(|row| row.name != name.as_bytes()) {
            return Err(StoreError::corrupt("the row of another session").into());
        }
        Ok(row)
    }

    async fn insert(
        &self,
        lease: &mut Lease<D>,
        key: &StoreKey,
        value: &[u8],
        expires: Timestamp,
    ) -> Result<Created, Failure> {
        let name = self.layout.name(key);
        let values = [
            name.as_str().into(),
            Value::Bytes(Some(value)),
            expires.into(),
        ];
        created::<D>(lease, &self.statements.create, &values).await
    }

    async fn replace(
        &self,
        lease: &mut Lease<D>,
        key: &StoreKey,
        before: &[u8],
        next: &Next,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let name = self.layout.name(key);
        let values = [
            Value::Bytes(Some(&next.value)),
            next.record.meta.expires.into(),
            name.as_str().into(),
            name.as_str().into(),
            Value::Bytes(Some(before)),
            now.into(),
        ];
        hit::<D>(lease, &self.statements.replace, &values).await
    }

    async fn remove(&self, lease: &mut Lease<D>, key: &StoreKey) -> Result<bool, Failure> {
        let name = self.layout.name(key);
        let values = [name.as_str().into(), name.as_str().into()];
        hit::<D>(lease, &self.statements.delete, &values).await
    }
}
