//! The session's newest state in its store.

use crate::{
    key::KeyUse,
    session::{
        Session, SessionError,
        backend::Prepared,
        loaded::{LoadedSession, SessionRef, Stored},
        server_side::ServerSide,
    },
    store::{KeyState, with_budget},
    token::SessionId,
};

impl Session {
    pub(super) fn server_side(&self) -> Result<&ServerSide, SessionError> {
        match &self.0.manager.side {
            Prepared::Server(side) => Ok(side),
            Prepared::Client(_) => Err(SessionError::Unsupported),
        }
    }

    /// Returns the ID of the stored session.
    pub(super) fn stored_id(&self) -> Option<(SessionId, KeyUse)> {
        let state = self.locked();
        let stored = state.found().in_store();
        match &state.last_id {
            Some(id) => Some((SessionId::clone(id), KeyUse::Current)),
            None => stored.map(|stored| (stored.at.id.clone(), stored.at.signed_by)),
        }
    }

    /// Loads the session's current state from the store.
    ///
    /// Also accepts an ID that is no longer accepted from a browser, because it was accepted for
    /// this request.
    pub(super) async fn load(
        &self,
        side: &ServerSide,
        id: SessionId,
        signed_by: KeyUse,
    ) -> Result<Stored, SessionError> {
        let (key, now) = (side.key_of(&id), self.0.manager.now());
        let state = with_budget(&*side.store, side.store.load(&key, now)).await;
        let (record, is_current) = match state.map_err(SessionError::Store)? {
            KeyState::Current(record) => (record, true),
            KeyState::Moved(record) => (record, false),
            KeyState::Absent | KeyState::Retired => return Err(SessionError::Gone),
        };
        if !side.is_live(&record, now) {
            return Err(SessionError::Gone);
        }
        Ok(Stored {
            at: Box::new(SessionRef { id, key, signed_by }),
            is_current,
            record,
        })
    }

    pub(super) fn rebase(&self, stored: Stored) {
        let mut state = self.locked();
        let opened = state.found().opened;
        state.last_id = None;
        state.rebase(LoadedSession::stored(stored, opened));
    }

    /// Loads the session that a commit has created or given a new ID, unless it is already loaded.
    pub(in crate::session) async fn ensure_stored(
        &self,
        side: &ServerSide,
    ) -> Result<(), SessionError> {
        let id = self.locked().last_id.clone();
        if let Some(id) = id {
            let stored = self.load(side, *id, KeyUse::Current).await?;
            self.rebase(stored);
        }
        Ok(())
    }
}
