//! A session as a store keeps it.

use super::{Renewal, Rotation, StoreError};
use crate::{
    clock::Timestamp,
    data::{Access, Patch, SessionData},
    id::{PublicId, StoreKey},
    json::JsonDialect,
};

/// The stored state of one session.
#[derive(Clone, Debug)]
pub struct Record {
    /// The dictionary.
    pub data: SessionData,
    /// The user of the session, after a log-in.
    pub user: Option<String>,
    /// The public id.
    pub public_id: PublicId,
    /// The application's note about the device, such as its user agent.
    pub device: Option<String>,
    /// The time at which the session was created. Never changes.
    pub created: Timestamp,
    /// The time at which the session got its present id.
    pub renewed: Timestamp,
    /// The time of the last use, to the precision of the refresh threshold.
    pub last_seen: Timestamp,
    /// The first second in which the session is expired.
    pub expires: Timestamp,
    /// The time at which the user last authenticated.
    pub authenticated: Option<Timestamp>,
    /// The timed renewal that gave the session its present id, if any.
    ///
    /// Stores keep the text of the renewal ([`Renewal::encode`]) and do not interpret it.
    pub renewal: Option<Renewal>,
    /// The number of changes, for stores that compare and set.
    pub version: u64,
}

impl Record {
    /// Returns whether the session is expired at `now`, even if it was not swept.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }

    /// Returns this newest record after `patch`, which was made on `base`.
    ///
    /// Returns `None` if the session has changed users since `base` was loaded, so that the patch
    /// no longer applies. All merging of changes happens in this function.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if an update cannot read a value that another request has written;
    /// [`StoreError::Unmet`] if a [`Change::Swap`](crate::session::Change::Swap) does not find the
    /// text that it expects.
    pub fn merge(&self, base: &Self, patch: &Patch) -> Result<Option<Self>, StoreError> {
        if self.user != base.user {
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
        let facts = &patch.facts;
        let mut record = Self {
            data: data.map_err(StoreError::corrupt)?,
            user: facts.user.clone().or_else(|| self.user.clone()),
            device: facts.device.clone().or_else(|| self.device.clone()),
            authenticated: facts.authenticated.or(self.authenticated),
            last_seen: self.last_seen,
            expires: self.expires,
            renewal: self.renewal,
            renewed: self.renewed,
            created: self.created,
            public_id: self.public_id,
            version: self.version + 1,
        };
        if let Some(access) = &facts.seen {
            record.note(access);
        }
        Ok(Some(record))
    }

    /// Returns the record after a rotation of its key `from` at `now`.
    ///
    /// Combines [`Record::merge`] with a new id.
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
    ) -> Result<Option<Self>, StoreError> {
        let moved = self.merge(base, patch)?;
        Ok(moved.map(|record| Self {
            renewed: now,
            renewal: match rotation {
                Rotation::Renewal(nonce) => Some(Renewal {
                    from: *from,
                    nonce,
                    until: None,
                }),
                Rotation::Replacement => None,
            },
            ..record
        }))
    }

    /// Returns the record after a use; `None` if the use changes nothing in it.
    ///
    /// A use is not a change of the data, so the version stays the same.
    #[must_use]
    pub fn touched(&self, access: &Access) -> Option<Self> {
        let mut touched = Self::clone(self);
        touched.note(access).then_some(touched)
    }

    /// Records a use and returns whether anything changed; times only move forward.
    fn note(&mut self, access: &Access) -> bool {
        let before = (self.last_seen, self.expires, self.renewal);
        self.last_seen = self.last_seen.max(access.at);
        self.expires = self.expires.max(access.expires);
        if let Some(renewal) = &mut self.renewal
            && renewal.is_pending()
        {
            renewal.until = access.confirms;
        }
        before != (self.last_seen, self.expires, self.renewal)
    }

    /// The format of the dictionary in a store: Flask's tags, in the order of insertion.
    pub const STYLE: JsonDialect = JsonDialect::QUART;
}
