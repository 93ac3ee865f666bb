//! A session as stored.

use std::{any::Any, fmt, sync::Arc};

use super::{Renewal, Rotation, SessionMeta, StoreError};
use crate::{
    clock::Timestamp,
    data::{Access, Patch, SessionData},
    id::StoreKey,
    json::JsonDialect,
};

/// The stored state of one session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// Everything except the dictionary.
    pub meta: SessionMeta,
    /// The dictionary.
    pub data: SessionData,
    stored: Option<StoredVersion>,
}

/// A version of any store.
#[derive(Clone)]
struct StoredVersion(Arc<dyn Any + Send + Sync>);

impl fmt::Debug for StoredVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredVersion")
    }
}

impl Record {
    /// Creates a record.
    #[must_use]
    pub const fn new(meta: SessionMeta, data: SessionData) -> Self {
        Self {
            meta,
            data,
            stored: None,
        }
    }

    /// Returns the record with the version that it has in its store.
    ///
    /// A store that compares versions attaches the version to each record that it loads. `patch`
    /// and `rotate` find it in their `base`, and then need not read the record again. The version
    /// is opaque to the engine, and a changed record has none.
    ///
    /// ```
    /// use carafe_core::store::Record;
    ///
    /// fn loaded(record: Record, row_version: u64) -> Record {
    ///     record.with_stored_version(row_version)
    /// }
    ///
    /// fn row_version(base: &Record) -> Option<u64> {
    ///     base.stored_version().copied()
    /// }
    /// ```
    #[must_use]
    pub fn with_stored_version<V: Any + Send + Sync>(mut self, version: V) -> Self {
        self.stored = Some(StoredVersion(Arc::new(version)));
        self
    }

    /// Returns the version of [`Record::with_stored_version`], if it is of the type `V`.
    #[must_use]
    pub fn stored_version<V: Any>(&self) -> Option<&V> {
        self.stored.as_ref()?.0.downcast_ref()
    }

    /// Returns whether the session has expired at `now`, even if it was not swept.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.meta.is_expired(now)
    }

    /// Returns this newest record with `patch` applied, which was created for `base`.
    ///
    /// Returns `None` if the user of the session has changed since `base` was loaded, so that the
    /// patch no longer applies. This function is the only place where changes are merged.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if an update cannot read a value that another request has written.
    /// [`StoreError::Unmet`] if a [`Change::Swap`](crate::session::Change::Swap) does not find its
    /// expected text.
    pub fn merge(&self, base: &Self, patch: &Patch) -> Result<Option<Box<Self>>, StoreError> {
        if self.meta.user != base.meta.user {
            return Ok(None);
        }
        if !patch.conditions_hold(&self.data) {
            return Err(StoreError::Unmet);
        }
        let data = match patch.applies_cleanly(&self.data) {
            true => patch.applied(&self.data, Self::STYLE),
            false => {
                let rebased = patch.rebased(&self.data);
                let rebased = rebased.map_err(|_| StoreError::Conflict)?;
                rebased.applied(&self.data, Self::STYLE)
            }
        };
        let data = data.map_err(StoreError::corrupt)?;
        let mut merged = Box::new(Self::new(self.meta.clone(), data));
        let (meta, facts) = (&mut merged.meta, &patch.facts);
        if facts.user.is_some() {
            meta.user.clone_from(&facts.user);
        }
        if facts.device.is_some() {
            meta.device.clone_from(&facts.device);
        }
        meta.authenticated = facts.authenticated.or(meta.authenticated);
        meta.version += 1;
        if let Some(access) = &facts.seen {
            meta.note(access);
        }
        Ok(Some(merged))
    }

    /// Returns the record after a rotation of its key `from` at `now`.
    ///
    /// Combines [`Record::merge`] with a new ID.
    ///
    /// # Errors
    /// As [`Record::merge`].
    pub fn rotated(
        &self,
        base: &Self,
        patch: &Patch,
        from: &StoreKey,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Option<Box<Self>>, StoreError> {
        let moved = self.merge(base, patch)?;
        Ok(moved.map(|mut record| {
            record.meta.renewed = now;
            record.meta.renewal = match rotation {
                Rotation::Renewal(nonce) => Some(Renewal {
                    from: *from.as_bytes(),
                    nonce,
                    until: None,
                }),
                Rotation::Replacement => None,
            };
            record
        }))
    }

    /// Returns the record after a use, or `None` if the use does not change it.
    ///
    /// A use is not a change of the data, so the version stays the same.
    #[must_use]
    pub fn touched(&self, access: &Access) -> Option<Self> {
        let mut meta = self.meta.clone();
        let is_changed = meta.note(access);
        is_changed.then(|| Self::new(meta, self.data.clone()))
    }

    /// The format of the dictionary in a store: Flask's tags, in insertion order.
    pub const STYLE: JsonDialect = JsonDialect::QUART;
}
