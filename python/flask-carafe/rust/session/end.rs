//! The end of a request.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use carafe_core::{clock::Timestamp, session::HeaderChanges};
use pyo3::{intern, prelude::*};

use super::{SessionBase, loaded::Opened};
use crate::{
    engine::{Engine, Live},
    errors,
};

/// Flask's key for `session.permanent`.
const PERMANENT: &str = "_permanent";
/// Flask-Login's key for the user.
const USER: &str = "_user_id";

impl SessionBase {
    /// Commits the session at the end of the request.
    ///
    /// Returns `None` if the session has no effect on the response.
    pub(super) fn end(
        &self,
        py: Python<'_>,
        status: u16,
    ) -> PyResult<Option<(HeaderChanges, Option<Arc<Live>>)>> {
        let engine = self.engine.get();
        if !self.is_used() {
            return self.end_untouched(py, engine, status);
        }
        // A session that failed to load was not changed, and the handler has received the error.
        let Ok(opened) = self.opened(py) else {
            let live = engine.live(py).ok();
            let changes = HeaderChanges {
                vary_cookie: true,
                ..HeaderChanges::default()
            };
            return Ok(Some((changes, live)));
        };
        let is_modified = self.modified.load(Ordering::Relaxed);
        let has_changes = self.removed.load(Ordering::Relaxed) || opened.has_written(py);
        if self.sent.load(Ordering::Relaxed) && !has_changes {
            let changes = self
                .changes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            return Ok(changes.map(|changes| (changes, Some(Arc::clone(&opened.live)))));
        }
        let is_client_side = opened.live.store.is_none();
        let refreshes = is_client_side
            && engine.commits_untouched(true)
            && self
                .value(py, intern!(py, PERMANENT).as_any())?
                .is_some_and(|value| value.is_truthy().unwrap_or_default());
        if is_modified {
            self.note_log_in(py, opened)?;
        }
        if is_modified || refreshes {
            self.hand_over(py, opened)?;
        }
        if is_modified && is_client_side {
            // As in Flask, `modified` alone writes the cookie again.
            opened
                .session
                .renew()
                .map_err(|error| errors::of_session(py, &error))?;
        }
        let manager = &opened.live.manager;
        let lines = self.cookies.iter().map(Vec::as_slice);
        let commit = manager.end(&opened.slot, lines, status, Timestamp::now);
        let changes = opened
            .live
            .run(py, commit)
            .map_err(|error| errors::of_commit(py, &error))?;
        self.sent.store(true, Ordering::Relaxed);
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner) = Some(changes.clone());
        Ok(Some((changes, Some(Arc::clone(&opened.live)))))
    }

    /// Commits a request that has not used its session, because Flask refreshes permanent sessions.
    fn end_untouched(
        &self,
        py: Python<'_>,
        engine: &Engine,
        status: u16,
    ) -> PyResult<Option<(HeaderChanges, Option<Arc<Live>>)>> {
        let (live, slot) = match self.opened.get() {
            Some(opened) => (Arc::clone(&opened.live), opened.slot.clone()),
            None if engine.commits_untouched(!self.cookies.is_empty()) => {
                let live = engine.live(py)?;
                let slot = live.manager.begin();
                (live, slot)
            }
            None => return Ok(None),
        };
        let lines = self.cookies.iter().map(Vec::as_slice);
        let commit = live.manager.end(&slot, lines, status, Timestamp::now);
        let changes = live
            .run(py, commit)
            .map_err(|error| errors::of_commit(py, &error))?;
        Ok(Some((changes, Some(live))))
    }

    /// Notifies the engine of a log-in that Flask-Login has written into the dictionary.
    ///
    /// The session then gets a new ID and can be looked up by its user.
    fn note_log_in(&self, py: Python<'_>, opened: &Opened) -> PyResult<()> {
        let key = intern!(py, USER);
        if !opened.is_written(key)? {
            return Ok(());
        }
        let Some(user) = opened.items.bind(py).get_item(key)? else {
            return Ok(());
        };
        let Ok(user) = user.extract::<String>() else {
            return Ok(());
        };
        let known = opened.session.user();
        if !opened.live.manager.is_log_in(&user, known.as_deref()) {
            return Ok(());
        }
        opened
            .session
            .log_in(&user)
            .map_err(|error| errors::of_session(py, &error))
    }
}
