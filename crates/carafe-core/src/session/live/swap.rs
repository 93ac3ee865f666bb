//! A change of one key that depends on its newest value.

use crate::{
    session::{
        Patch, Session, SessionError,
        loaded::{LoadedSession, Stored},
    },
    store::{Patched, StoreError, with_budget},
};

/// Maximum number of attempts of a conditional change.
///
/// Each failed attempt means that another request succeeded, so only a broken store exhausts the
/// attempts.
const ATTEMPTS: usize = 200;

impl Session {
    /// Changes one key and commits the change.
    ///
    /// `change` returns the new text of the key and the result. It runs again on the newest text if
    /// another request has written the key first. Without a result, nothing is changed.
    pub(super) async fn swap<T>(
        &self,
        key: &str,
        change: impl Fn(Option<&str>) -> Result<(Option<String>, Option<T>), SessionError>,
    ) -> Result<Option<T>, SessionError> {
        let side = self.server_side()?;
        // Commit this request's changes first, because they may include `key`.
        self.persist(side).await?;
        for _ in 0..ATTEMPTS {
            let now = self.0.manager.now();
            let (stored, access, opened) = {
                let state = self.locked();
                let access = self.0.manager.access(side, state.look(), now);
                let found = state.found();
                (found.in_store().cloned(), access, found.opened)
            };
            let Some(stored) = stored else {
                // The commit above stores a new session unless it is empty, so no other request has
                // this session.
                let (text, answer) = change(None)?;
                if let Some(text) = text {
                    self.write(|state| state.patch().set(key, text))?;
                    self.persist(side).await?;
                }
                return Ok(answer);
            };
            let expected = stored.record.data.text_of(key).map(str::to_owned);
            let (text, answer) = change(expected.as_deref())?;
            if answer.is_none() {
                return Ok(None);
            }
            let mut patch = Patch::new();
            patch.swap(key, expected, text);
            patch.facts.seen = Some(access);
            let patched = side
                .store
                .patch(&stored.at.key, &stored.record, &patch, now);
            match with_budget(&*side.store, patched).await {
                Ok(Patched::Applied(record)) => {
                    let stored = Stored { record, ..stored };
                    self.locked().rebase(LoadedSession::stored(stored, opened));
                    return Ok(answer);
                }
                Ok(Patched::Gone) => return Err(SessionError::Gone),
                Err(StoreError::Unmet) => {
                    let stored = self.load(side, stored.at.id, stored.at.signed_by).await?;
                    self.rebase(stored);
                }
                Err(error) => return Err(SessionError::Store(error)),
            }
        }
        Err(SessionError::Store(StoreError::Conflict))
    }
}
