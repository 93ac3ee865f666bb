//! Patch and rotate: one statement if the record is unchanged, else a short transaction.
//!
//! The statement is conditional on the version that the new row was computed from. If it matches no
//! row, the row is locked and the change is merged with its newest state: waiting for a lock
//! terminates, retrying a conditional update need not.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Patched, Record, Rotation, StoreError, StoreKey, retired_until},
};

use crate::{
    dialect::Dialect,
    failure::Failure,
    lease::Lease,
    row::{Found, json_of},
    store::SqlStore,
    value::Value,
    verbs::{hit, leave, must_hit, one, prolong},
};

/// A patch or a rotation.
pub(crate) struct Change<'a, D: Dialect> {
    pub(crate) store: &'a SqlStore<D>,
    pub(crate) key: &'a StoreKey,
    pub(crate) base: &'a Record,
    pub(crate) patch: &'a Patch,
    pub(crate) rotation: Option<(&'a StoreKey, Rotation)>,
    pub(crate) now: Timestamp,
}

/// The new state of a record, with its encoded columns.
struct Next {
    record: Box<Record>,
    json: String,
    opaque: Option<String>,
}

impl<D: Dialect> Change<'_, D> {
    pub(crate) async fn run(&self, mut lease: Lease<D>) -> Result<Patched, Failure> {
        let patched = match self.unchanged(&mut lease).await? {
            Some(record) => Ok(Patched::Applied(record)),
            None => self.merged(&mut lease).await,
        };
        // An unmet condition is a regular result and leaves no transaction open.
        if matches!(patched, Ok(_) | Err(Failure::Store(StoreError::Unmet))) {
            lease.done();
        }
        patched
    }

    /// Applies the change with one statement.
    ///
    /// Returns `None` if the record has changed since `base` or if the change needs several
    /// statements.
    async fn unchanged(&self, lease: &mut Lease<D>) -> Result<Option<Box<Record>>, Failure> {
        if self.rotation.is_some() {
            return Ok(None);
        }
        let next = match self.next(self.key, self.base) {
            Ok(Some(next)) => next,
            // The condition may hold for the newest state.
            Ok(None) | Err(StoreError::Unmet) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let before = json_of(self.base);
        let mut values = replacement(self.key, self.key, &next);
        values.push(self.base.meta.version.into());
        values.push(before.as_str().into());
        values.push(self.now.into());
        let replaced = hit::<D>(lease, &self.store.statements.replace_unchanged, &values).await?;
        Ok(replaced.then_some(next.record))
    }

    /// Applies the change to the newest state, while holding the row's lock.
    async fn merged(&self, lease: &mut Lease<D>) -> Result<Patched, Failure> {
        D::batch(lease, &self.store.statements.begin).await?;
        let Some((own, newest)) = self.locked(lease).await? else {
            return self.gone(lease).await;
        };
        let next = match self.next(&own, &newest) {
            Ok(Some(next)) => next,
            Ok(None) => return self.gone(lease).await,
            Err(StoreError::Unmet) => {
                self.gone(lease).await?;
                return Err(StoreError::Unmet.into());
            }
            Err(error) => return Err(error.into()),
        };
        let to = self.rotation.map_or(&own, |(to, _)| to);
        let replacement = replacement(&own, to, &next);
        must_hit::<D>(lease, &self.store.statements.replace, &replacement).await?;
        self.leave_former_keys(lease, &own, &newest, &next.record)
            .await?;
        D::batch(lease, &self.store.statements.commit).await?;
        Ok(Patched::Applied(next.record))
    }

    async fn gone(&self, lease: &mut Lease<D>) -> Result<Patched, Failure> {
        D::batch(lease, &self.store.statements.rollback).await?;
        Ok(Patched::Gone)
    }

    /// Locks the record and returns it with its current key.
    async fn locked(&self, lease: &mut Lease<D>) -> Result<Option<(StoreKey, Record)>, Failure> {
        let (mut key, mut looked) = (*self.key, false);
        loop {
            let values = [(&key).into(), self.now.into()];
            match one(lease, &self.store.statements.lock, &values, &key).await? {
                Some(Found::Record(record) | Found::Moved(record)) => {
                    return Ok(Some((key, *record)));
                }
                // Another request has already renewed this id.
                Some(Found::Pointer(_)) if self.renews() => return Ok(None),
                Some(Found::Pointer(target)) => (key, looked) = (*target, false),
                Some(Found::Marker) => return Ok(None),
                // Postgres: a row that was moved while this statement waited for its lock is not
                // found, and neither is the row at its new key. The next statement sees both.
                None if !looked => looked = true,
                None => return Ok(None),
            }
        }
    }

    fn renews(&self) -> bool {
        matches!(self.rotation, Some((_, Rotation::Renewal(_))))
    }

    /// Leaves a pointer or a marker at the record's former key.
    ///
    /// Older pointers lead to the record, or to the marker, which has the same effect as markers in
    /// their place.
    async fn leave_former_keys(
        &self,
        lease: &mut Lease<D>,
        own: &StoreKey,
        before: &Record,
        record: &Record,
    ) -> Result<(), Failure> {
        let statements = &self.store.statements;
        match self.rotation {
            Some((to, Rotation::Renewal(_))) => {
                // Only a renewal leaves pointers.
                if before.meta.renewal.is_some() {
                    let values = [to.into(), (&record.meta.public_id).into(), own.into()];
                    D::changed(lease, &statements.lead_on, &values).await?;
                }
                leave(
                    lease,
                    statements,
                    own,
                    to,
                    record.meta.expires,
                    &record.meta,
                )
                .await
            }
            Some((_, Rotation::Replacement)) => {
                leave(
                    lease,
                    statements,
                    own,
                    own,
                    retired_until(self.now),
                    &record.meta,
                )
                .await
            }
            None if own != self.key => {
                prolong(lease, statements, self.key, record.meta.expires).await
            }
            None => Ok(()),
        }
    }

    fn next(&self, own: &StoreKey, newest: &Record) -> Result<Option<Next>, StoreError> {
        let next = match self.rotation {
            Some((_, rotation)) => {
                newest.rotated(self.base, self.patch, own, rotation, self.now)?
            }
            None => newest.merge(self.base, self.patch)?,
        };
        let Some(record) = next else { return Ok(None) };
        let json = json_of(&record);
        self.store.check(&record, &json)?;
        let opaque = record.meta.opaque();
        Ok(Some(Next {
            record,
            json,
            opaque,
        }))
    }
}

/// Returns the values that replace the row at `from`.
fn replacement<'v>(from: &'v StoreKey, to: &'v StoreKey, next: &'v Next) -> Vec<Value<'v>> {
    let meta = &next.record.meta;
    vec![
        to.into(),
        next.json.as_str().into(),
        (&meta.user).into(),
        (&meta.device).into(),
        meta.renewed.into(),
        meta.last_seen.into(),
        meta.expires.into(),
        meta.authenticated.into(),
        (&next.opaque).into(),
        meta.version.into(),
        from.into(),
    ]
}
