//! The search for a request's session in a store, over its cookies.

use super::{
    Loaded, OnCorrupt, Rejection, ServerSide, on_corrupt,
    slot::{Found, Stored},
};
use crate::{
    clock::Timestamp,
    key::KeyUse,
    store::{Record, StoreError, StoreKey},
    token::SessionId,
};

/// What was found so far. Only what has the form of an id reaches the store.
pub(super) struct Search<'s> {
    side: &'s ServerSide,
    now: Timestamp,
    found: Option<Box<Stored>>,
    refused: Option<Rejection>,
}

/// An id that the store is asked for.
pub(super) struct Asked {
    id: SessionId,
    pub(super) key: StoreKey,
    signed_by: KeyUse,
}

impl<'s> Search<'s> {
    pub(super) const fn new(side: &'s ServerSide, now: Timestamp) -> Self {
        Self {
            side,
            now,
            found: None,
            refused: None,
        }
    }

    /// What the store has to be asked about a cookie, if anything.
    pub(super) fn asks(&mut self, cookie: &[u8]) -> Option<Asked> {
        if cookie.is_empty() || self.refused == Some(Rejection::Ambiguous) {
            return None;
        }
        match self.side.id_in(cookie, self.now) {
            Ok((id, _)) if self.found.as_ref().is_some_and(|stored| stored.id == id) => None,
            Ok((id, signed_by)) => Some(Asked {
                key: self.side.key_of(&id),
                id,
                signed_by,
            }),
            Err(rejection) => {
                self.refused = Some(rejection);
                None
            }
        }
    }

    pub(super) fn hears(
        &mut self,
        asked: Asked,
        loaded: Result<Option<Record>, StoreError>,
    ) -> Result<(), StoreError> {
        let record = match loaded {
            Ok(Some(record)) if self.side.is_live(&record, self.now) => record,
            Ok(_) => {
                self.refused.get_or_insert(Rejection::UnknownId);
                return Ok(());
            }
            Err(error @ StoreError::Corrupt(_)) if self.side.on_corrupt == OnCorrupt::Anonymous => {
                on_corrupt::log(&asked.key, &error);
                self.refused.get_or_insert(Rejection::Unreadable);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if self.found.is_some() {
            self.refused = Some(Rejection::Ambiguous);
            return Ok(());
        }
        let Asked { id, key, signed_by } = asked;
        self.found = Some(Box::new(Stored {
            id,
            key,
            signed_by,
            record,
        }));
        Ok(())
    }

    pub(super) fn ends(self) -> Found {
        match (self.found, self.refused) {
            (_, Some(Rejection::Ambiguous)) => {
                Found::nothing(Loaded::Rejected(Rejection::Ambiguous), self.now)
            }
            (Some(stored), _) => Found::stored(stored, self.now),
            (None, Some(rejection)) => Found::nothing(Loaded::Rejected(rejection), self.now),
            (None, None) => Found::nothing(Loaded::Absent, self.now),
        }
    }
}
