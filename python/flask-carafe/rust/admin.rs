//! Operations on the sessions of a user and of a store, for an application and its operators.

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, Selection, SessionMeta, StoreError},
};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{engine::Engine, errors};

/// Maximum number of expired sessions deleted per call of a store.
const SWEEP_STEP: usize = 1_000;

/// A session in a list: public ID, user, device, and the times of its creation, last use, expiry
/// and last log-in.
type Listed = (
    String,
    Option<String>,
    Option<String>,
    i64,
    i64,
    i64,
    Option<i64>,
);

fn listed(meta: SessionMeta) -> Listed {
    let [created, last_seen, expires] =
        [meta.created, meta.last_seen, meta.expires].map(Timestamp::unix);
    let authenticated = meta.authenticated.map(Timestamp::unix);
    (
        meta.public_id.to_string(),
        meta.user,
        meta.device,
        created,
        last_seen,
        expires,
        authenticated,
    )
}

/// Returns the live sessions of a user, newest ID first.
#[pyfunction]
pub(crate) fn sessions_of(
    py: Python<'_>,
    engine: &Bound<'_, Engine>,
    user: &str,
) -> PyResult<Vec<Listed>> {
    errors::catch(py, || {
        let live = engine.get().live(py)?;
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = live.run(py, live.manager.sessions_of(user, after, Timestamp::now()));
            let page = page.map_err(|error| errors::of_store(py, &error))?;
            let is_last = page.len() < carafe_core::session::SessionManager::LIST_LIMIT;
            after = page.last().map(SessionMeta::position);
            found.extend(page.into_iter().map(listed));
            if is_last {
                return Ok(found);
            }
        }
    })
}

/// Revokes the sessions of a user: all, one, or all but one. Returns their number.
#[pyfunction]
#[pyo3(signature = (engine, user, only=None, all_but=None))]
pub(crate) fn revoke(
    py: Python<'_>,
    engine: &Bound<'_, Engine>,
    user: &str,
    only: Option<&str>,
    all_but: Option<&str>,
) -> PyResult<u64> {
    errors::catch(py, || {
        let parse = |text: &str| {
            text.parse::<PublicId>()
                .map_err(|error| PyValueError::new_err(error.to_string()))
        };
        let which = match (only, all_but) {
            (Some(only), _) => Selection::Only(parse(only)?),
            (None, Some(one)) => Selection::AllBut(parse(one)?),
            (None, None) => Selection::All,
        };
        let live = engine.get().live(py)?;
        let ended = live.run(py, live.manager.end_sessions_of(user, which));
        ended.map_err(|error| errors::of_store(py, &error))
    })
}

/// Revokes all sessions that exist now. Returns their number.
#[pyfunction]
pub(crate) fn revoke_all(py: Python<'_>, engine: &Bound<'_, Engine>) -> PyResult<u64> {
    errors::catch(py, || {
        let live = engine.get().live(py)?;
        let ended = live.run(py, live.manager.end_all_sessions(Timestamp::now()));
        ended.map_err(|error| errors::of_store(py, &error))
    })
}

/// Deletes expired sessions. Returns their number.
#[pyfunction]
pub(crate) fn sweep(py: Python<'_>, engine: &Bound<'_, Engine>) -> PyResult<usize> {
    errors::catch(py, || {
        let live = engine.get().live(py)?;
        let unsupported = || errors::of_store(py, &StoreError::Unsupported);
        let store = live.store.as_ref().ok_or_else(unsupported)?;
        let sweeper = store.powers().sweeper().ok_or_else(unsupported)?;
        let mut deleted = 0;
        loop {
            let swept = live.run(py, sweeper.sweep(SWEEP_STEP, Timestamp::now()));
            match swept.map_err(|error| errors::of_store(py, &error))? {
                0 => return Ok(deleted),
                count => deleted += count,
            }
        }
    })
}
