//! Looks up the session of a request in a store.

use super::{
    Duplicates, Loaded, OnCorrupt, Rejection, ServerSide,
    loaded::{LoadedSession, SessionRef, Stored},
    on_corrupt,
};
use crate::{
    clock::Timestamp,
    cookie::Candidates,
    store::{KeyState, Record, StoreError, StoreKey},
};

impl ServerSide {
    /// Loads the session of a request's cookies.
    pub(super) async fn load(
        &self,
        candidates: &Candidates<'_>,
        (duplicates, newest): (Duplicates, bool),
        now: Timestamp,
    ) -> Result<LoadedSession, StoreError> {
        let mut search = Lookup::new(self, newest, duplicates.refuses(candidates), now);
        for cookie in duplicates.looks_at(candidates) {
            if let Some(at) = search.next_id(cookie) {
                let loaded = self.store.load(&at.key, now).await;
                search.record(at, loaded)?;
            }
        }
        Ok(search.finish())
    }
}

/// The state of a lookup. Only text in the form of an ID is passed to the store.
struct Lookup<'s> {
    side: &'s ServerSide,
    /// Whether the most recently issued ID is used if several IDs refer to sessions.
    newest: bool,
    now: Timestamp,
    found: Option<Stored>,
    refused: Option<Rejection>,
}

impl<'s> Lookup<'s> {
    const fn new(side: &'s ServerSide, newest: bool, refuses: bool, now: Timestamp) -> Self {
        Self {
            side,
            newest,
            now,
            found: None,
            refused: match refuses {
                true => Some(Rejection::Ambiguous),
                false => None,
            },
        }
    }

    /// Returns the ID in a cookie if it must be loaded from the store.
    fn next_id(&mut self, cookie: &[u8]) -> Option<Box<SessionRef>> {
        if cookie.is_empty() || self.refused == Some(Rejection::Ambiguous) {
            return None;
        }
        match self.side.id_in(cookie, self.now) {
            Ok((id, _)) if self.found.as_ref().is_some_and(|stored| stored.at.id == id) => None,
            Ok((id, signed_by)) => Some(Box::new(SessionRef {
                key: self.side.key_of(&id),
                id,
                signed_by,
            })),
            Err(rejection) => {
                self.refused = Some(rejection);
                None
            }
        }
    }

    fn record(
        &mut self,
        at: Box<SessionRef>,
        loaded: Result<KeyState, StoreError>,
    ) -> Result<(), StoreError> {
        let (record, is_current) = match loaded.map(|state| self.accepted(state, &at.key)) {
            Ok(Ok(found)) => found,
            Ok(Err(rejection)) => {
                // A retired ID takes precedence, because its request must not create a session.
                if rejection == Rejection::Retired || self.refused.is_none() {
                    self.refused = Some(rejection);
                }
                return Ok(());
            }
            Err(error @ StoreError::Corrupt(_)) if self.side.on_corrupt == OnCorrupt::Anonymous => {
                on_corrupt::log(&at.key, &error);
                self.refused.get_or_insert(Rejection::Unreadable);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if let Some(found) = &self.found {
            let known = &found.record;
            // Two IDs of the same session: a timed renewal has replaced one of them.
            if known.meta.public_id == record.meta.public_id {
                if found.is_current {
                    return Ok(());
                }
            } else if self.newest {
                if record.meta.renewed < known.meta.renewed {
                    return Ok(());
                }
            } else {
                self.refused = Some(Rejection::Ambiguous);
                return Ok(());
            }
        }
        self.found = Some(Stored {
            at,
            is_current,
            record,
        });
        Ok(())
    }

    /// Returns the record that `key` refers to, and whether `key` is the record's current key.
    fn accepted(&self, state: KeyState, key: &StoreKey) -> Result<(Box<Record>, bool), Rejection> {
        let (record, is_current) = match state {
            KeyState::Absent => return Err(Rejection::UnknownId),
            KeyState::Retired => return Err(Rejection::Retired),
            KeyState::Current(record) => (record, true),
            KeyState::Moved(record) => (record, false),
        };
        if !self.side.is_live(&record, self.now) {
            return Err(Rejection::UnknownId);
        }
        let renewal = record.meta.renewal.as_ref();
        if is_current || renewal.is_some_and(|renewal| renewal.accepts(key, self.now)) {
            return Ok((record, is_current));
        }
        Err(Rejection::Retired)
    }

    fn finish(self) -> LoadedSession {
        match (self.found, self.refused) {
            (_, Some(Rejection::Ambiguous)) => {
                LoadedSession::nothing(Loaded::Rejected(Rejection::Ambiguous), self.now)
            }
            (Some(stored), _) => LoadedSession::stored(stored, self.now),
            (None, Some(rejection)) => {
                LoadedSession::nothing(Loaded::Rejected(rejection), self.now)
            }
            (None, None) => LoadedSession::nothing(Loaded::Absent, self.now),
        }
    }
}
