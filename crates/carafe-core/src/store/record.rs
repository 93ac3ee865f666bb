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
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_core::session::SessionData;
/// use carafe_core::store::{PublicId, Record, SessionMeta};
///
/// let at = Timestamp::from_unix;
/// let data = SessionData::parse(r#"{"theme":"dark"}"#.to_owned(), Record::STYLE)?;
/// let record = Record::new(SessionMeta::new(PublicId::random()?, at(0), at(60)), data);
/// assert!(!record.is_expired(at(59)));
/// assert!(record.is_expired(at(60)), "`expires` is the first second without the session");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::session::{Patch, SessionData};
    /// use carafe_core::store::{PublicId, Record, SessionMeta};
    ///
    /// struct RowVersion(u64);
    ///
    /// let (created, expires) = (Timestamp::from_unix(0), Timestamp::from_unix(60));
    /// let meta = SessionMeta::new(PublicId::random()?, created, expires);
    /// let record = Record::new(meta, SessionData::default()).with_stored_version(RowVersion(7));
    /// let version = record.stored_version::<RowVersion>();
    /// assert_eq!(version.map(|RowVersion(number)| *number), Some(7));
    ///
    /// let changed = record.merge(&record, &Patch::new())?.expect("the user is the same");
    /// assert!(changed.stored_version::<RowVersion>().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
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
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::session::{Patch, SessionData};
    /// use carafe_core::store::{PublicId, Record, SessionMeta};
    ///
    /// let now = Timestamp::from_unix(0);
    /// let meta = SessionMeta::new(PublicId::random()?, now, Timestamp::from_unix(60));
    /// let base = Record::new(meta, SessionData::default());
    /// let patch = |key: &str| {
    ///     let mut patch = Patch::new();
    ///     patch.set(key, "1".to_owned());
    ///     patch
    /// };
    ///
    /// // Two requests have loaded `base`, and both changes survive.
    /// let newest = base.merge(&base, &patch("a"))?.expect("the user is the same");
    /// let merged = newest.merge(&base, &patch("b"))?.expect("the user is the same");
    /// assert_eq!(merged.data.payload(Record::STYLE), r#"{"a":1,"b":1}"#);
    /// assert_eq!(merged.meta.version, 2);
    ///
    /// // A third request comes too late: the session has another user.
    /// let mut log_in = Patch::new();
    /// log_in.facts.user = Some("ada".to_owned());
    /// let logged_in = merged.merge(&merged, &log_in)?.expect("the user was the same");
    /// assert!(logged_in.merge(&base, &patch("c"))?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::session::{Patch, SessionData};
    /// use carafe_core::store::{Nonce, PublicId, Record, Rotation, SessionMeta, StoreKey};
    ///
    /// let (created, now) = (Timestamp::from_unix(0), Timestamp::from_unix(900));
    /// let meta = SessionMeta::new(PublicId::random()?, created, Timestamp::from_unix(3_600));
    /// let record = Record::new(meta, SessionData::default());
    /// let (from, nothing) = (StoreKey::of_id("the old ID"), Patch::new());
    ///
    /// let replaced = record.rotated(&record, &nothing, &from, Rotation::Replacement, now)?;
    /// let replaced = replaced.expect("the user is the same").meta;
    /// assert_eq!((replaced.created, replaced.renewed, replaced.renewal), (created, now, None));
    ///
    /// let renewal = Rotation::Renewal(Nonce::random()?);
    /// let renewed = record.rotated(&record, &nothing, &from, renewal, now)?;
    /// let renewal = renewed.and_then(|record| record.meta.renewal).expect("it is pending");
    /// assert!(renewal.accepts(&from, now), "until a request presents the new ID");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::session::{Access, SessionData};
    /// use carafe_core::store::{PublicId, Record, SessionMeta};
    ///
    /// let at = Timestamp::from_unix;
    /// let meta = SessionMeta::new(PublicId::random()?, at(0), at(60));
    /// let record = Record::new(meta, SessionData::default());
    /// let access = Access { at: at(30), expires: at(90), confirms: None };
    /// let touched = record.touched(&access).expect("a later use");
    /// assert_eq!((touched.meta.last_seen, touched.meta.expires), (at(30), at(90)));
    /// assert_eq!(touched.meta.version, record.meta.version);
    ///
    /// let late = Access { at: at(20), expires: at(80), confirms: None };
    /// assert!(touched.touched(&late).is_none(), "times only increase");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn touched(&self, access: &Access) -> Option<Self> {
        let mut meta = self.meta.clone();
        let is_changed = meta.note(access);
        is_changed.then(|| Self::new(meta, self.data.clone()))
    }

    /// The format of the dictionary in a store: Flask's tags, in insertion order.
    pub const STYLE: JsonDialect = JsonDialect::QUART;
}
