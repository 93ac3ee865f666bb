//! Operations that the engine performs itself, with the changes so far.

use std::{
    error::Error,
    fmt,
    net::IpAddr,
    sync::{PoisonError, atomic::Ordering},
    thread::{self, ThreadId},
};

use carafe_core::{session::SessionError, store::StoreError};
use pyo3::{prelude::*, types::PyString};

use super::{SessionBase, loaded::Opened};
use crate::errors;

/// The client of a request, as used by Flask-Login's session protection.
pub(super) type Client = (Option<String>, Option<String>, Option<String>);

impl SessionBase {
    /// Calls the engine with the pending changes, then updates the dictionary from the engine.
    pub(super) fn engine_call(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&Opened) -> Result<(), SessionError>,
    ) -> PyResult<()> {
        errors::catch(py, || {
            let opened = self.opened(py)?;
            self.hand_over(py, opened)?;
            call(opened).map_err(|error| errors::of_session(py, &error))?;
            self.modified.store(true, Ordering::Relaxed);
            self.take_over(py, opened)
        })
    }

    /// Renews the session and binds it to a user.
    pub(super) fn bind(&self, py: Python<'_>, user: &str, client: Client) -> PyResult<()> {
        self.engine_call(py, |opened| {
            let (forwarded, peer, agent) = client;
            let peer = peer.and_then(|peer| peer.parse::<IpAddr>().ok());
            let (forwarded, agent) = (
                forwarded.map(String::into_bytes),
                agent.map(String::into_bytes),
            );
            opened
                .slot
                .note_client(forwarded.as_deref(), peer, agent.as_deref());
            opened.session.log_in(user)
        })
    }

    /// Removes a key exactly once over all requests and returns its value.
    pub(super) fn take<'py>(
        &self,
        py: Python<'py>,
        key: &str,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        errors::catch(py, || {
            let opened = self.opened(py)?;
            self.hand_over(py, opened)?;
            let taken = opened.live.run(py, opened.session.take_json_once(key));
            let taken = taken.map_err(|error| errors::of_session(py, &error))?;
            self.take_over(py, opened)?;
            taken
                .map(|text| self.engine.get().codec.decode(py, &text))
                .transpose()
        })
    }

    /// Saves `change(value)` as the value of a key, and returns that.
    ///
    /// `change` runs between two calls of the engine, so that it may use sessions itself.
    pub(super) fn update<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        change: &Bound<'py, PyAny>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _update = self.begin_update(py, key)?;
        let codec = &self.engine.get().codec;
        let mut computed = None;
        for _ in 0..ATTEMPTS {
            let before = match self.store_update(py, key, computed.as_ref())? {
                Attempt::Stored(text) => return errors::catch(py, || codec.decode(py, &text)),
                Attempt::Needs(before) => before,
            };
            let value = match (&before, default) {
                (Some(text), _) => errors::catch(py, || codec.decode(py, text))?,
                (None, Some(default)) => default.clone(),
                (None, None) => py.None().into_bound(py),
            };
            let after = codec.encode(&change.call1((value,))?)?;
            if self
                .opened(py)?
                .is_written(PyString::new(py, key).as_any())?
            {
                return Err(errors::raise(py, "SessionError", OWN_CHANGE));
            }
            computed = Some(Computed { before, after });
        }
        Err(errors::of_store(py, &StoreError::Conflict))
    }

    /// Saves a computed value, if it was computed from the newest one.
    fn store_update(
        &self,
        py: Python<'_>,
        key: &str,
        computed: Option<&Computed>,
    ) -> PyResult<Attempt> {
        errors::catch(py, || {
            let opened = self.opened(py)?;
            self.hand_over(py, opened)?;
            let take = |text: Option<&str>| match computed {
                Some(known) if known.before.as_deref() == text => Ok(known.after.clone()),
                _ => Err(Needs(text.map(str::to_owned))),
            };
            let update = opened.session.try_update_json_now(key, take);
            match opened.live.run(py, update) {
                Ok(text) => self.take_over(py, opened).map(|()| Attempt::Stored(text)),
                Err(SessionError::Update(error)) => match error.downcast::<Needs>() {
                    Ok(needs) => Ok(Attempt::Needs(needs.0)),
                    Err(other) => Err(errors::raise(py, "SessionError", &other.to_string())),
                },
                Err(error) => Err(errors::of_session(py, &error)),
            }
        })
    }

    /// Returns an error if this thread is in an update of this key already, because the inner one
    /// would make the outer one run again.
    fn begin_update(&self, py: Python<'_>, key: &str) -> PyResult<Update<'_>> {
        let update = (thread::current().id(), key.to_owned());
        let mut updates = self.updates.lock().unwrap_or_else(PoisonError::into_inner);
        if updates.contains(&update) {
            drop(updates);
            return Err(errors::raise(py, "SessionError", OWN_CHANGE));
        }
        updates.push(update.clone());
        Ok(Update(self, update))
    }
}

/// Maximum number of times that the function of an update runs. Each failed attempt means that
/// another request has changed the key.
const ATTEMPTS: usize = 200;
const OWN_CHANGE: &str =
    "the function of update_now has changed its key itself; return the new value instead";

/// The key of an update, and the thread that runs it.
pub(super) type UpdateKey = (ThreadId, String);

/// An update in progress.
struct Update<'s>(&'s SessionBase, UpdateKey);

impl Drop for Update<'_> {
    fn drop(&mut self) {
        let updates = self.0.updates.lock();
        let mut updates = updates.unwrap_or_else(PoisonError::into_inner);
        updates.retain(|update| *update != self.1);
    }
}

/// The result of the function of an update, and the value that it was given.
struct Computed {
    before: Option<String>,
    after: String,
}

enum Attempt {
    Stored(String),
    /// The function has not been given this value yet.
    Needs(Option<String>),
}

/// Leaves the engine to run the function with this value.
#[derive(Debug)]
struct Needs(Option<String>);

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the function of the update has to run")
    }
}

impl Error for Needs {}
