//! Operations that the engine performs itself, with the changes so far.

use std::{net::IpAddr, sync::atomic::Ordering};

use carafe_core::session::SessionError;
use pyo3::prelude::*;

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
    pub(super) fn update<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        change: &Bound<'py, PyAny>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        errors::catch(py, || {
            let opened = self.opened(py)?;
            self.hand_over(py, opened)?;
            let engine = self.engine.get();
            let (change, default) = (
                change.clone().unbind(),
                default.map(|value| value.clone().unbind()),
            );
            let run = move |text: Option<&str>| {
                Python::attach(|py| {
                    let value = match (text, &default) {
                        (Some(text), _) => engine.codec.decode(py, text)?,
                        (None, Some(default)) => default.bind(py).clone(),
                        (None, None) => py.None().into_bound(py),
                    };
                    engine.codec.encode(&change.bind(py).call1((value,))?)
                })
            };
            let text = opened
                .live
                .run(py, opened.session.try_update_json_now(key, run));
            let text = text.map_err(|error| raised(py, error))?;
            self.take_over(py, opened)?;
            engine.codec.decode(py, &text)
        })
    }
}

/// Returns the exception that a Python callback raised, or the exception of the engine's error.
fn raised(py: Python<'_>, error: SessionError) -> PyErr {
    match error {
        SessionError::Update(inner) => match inner.downcast::<PyErr>() {
            Ok(raised) => *raised,
            Err(other) => errors::raise(py, "SessionError", &other.to_string()),
        },
        other => errors::of_session(py, &other),
    }
}
