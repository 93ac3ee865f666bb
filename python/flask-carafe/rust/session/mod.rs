//! The dictionary of one request.
//!
//! The session is loaded at its first use. A value is decoded when it is read, and every later read
//! returns the same object, so that changes inside a list or a dict are detected. Writes stay in
//! the dictionary until they are passed to the engine: at the end of the request, and before an
//! operation that the engine performs itself.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | [`SessionBase`] as Python sees it |
//! | `loaded` | the session and its dictionary, once they are loaded |
//! | `exchange` | what the dictionary and the engine tell each other |
//! | `verbs` | operations that the engine performs itself |
//! | `end` | the end of a request |

mod end;
mod exchange;
mod loaded;
mod verbs;

use std::sync::{
    Mutex, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use carafe_core::{clock::Timestamp, session::HeaderChanges};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyKeyError,
    prelude::*,
    types::{PyIterator, PyString},
};

use crate::{
    engine::Engine,
    errors,
    head::{Head, latin1_bytes},
};
use loaded::Opened;
use verbs::{Client, UpdateKey};

/// The engine's part of a session. `flask_carafe.Session` adds the other methods of a mapping.
#[pyclass(frozen, subclass, mapping, weakref, module = "flask_carafe._native")]
pub(crate) struct SessionBase {
    engine: Py<Engine>,
    /// The request's `Cookie` header lines.
    cookies: Vec<Vec<u8>>,
    opened: OnceLock<Opened>,
    accessed: AtomicBool,
    modified: AtomicBool,
    /// Whether a key of the loaded session may have been removed from the dictionary.
    removed: AtomicBool,
    /// Whether the end of the request has been committed.
    sent: AtomicBool,
    /// The header changes of that commit, for a response that replaces the original one.
    changes: Mutex<Option<HeaderChanges>>,
    /// The calls of `update_now` in progress. Locked only to add and to remove one.
    updates: Mutex<Vec<UpdateKey>>,
}

#[pymethods]
impl SessionBase {
    /// Creates the session of a request with these `Cookie` header lines.
    #[new]
    #[pyo3(signature = (engine, cookies=None))]
    fn new(engine: Py<Engine>, cookies: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let cookies = match cookies {
            None => Vec::new(),
            Some(line) => match line.cast::<PyString>() {
                Ok(line) => vec![latin1_bytes(line)?],
                Err(_) => line.extract()?,
            },
        };
        Ok(Self {
            engine,
            cookies,
            opened: OnceLock::new(),
            accessed: AtomicBool::new(false),
            modified: AtomicBool::new(false),
            removed: AtomicBool::new(false),
            sent: AtomicBool::new(false),
            changes: Mutex::new(None),
            updates: Mutex::default(),
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.engine)?;
        if let Some(opened) = self.opened.get() {
            visit.call(&opened.items)?;
            if let Some(written) = opened.written.get() {
                visit.call(written)?;
            }
        }
        Ok(())
    }

    /// Loads the session now. Does not count as a use of the session.
    fn load(&self, py: Python<'_>) -> PyResult<()> {
        self.loaded(py).map(drop)
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let value = self.value(py, key)?;
        value.ok_or_else(|| PyKeyError::new_err(key.clone().unbind()))
    }

    #[pyo3(signature = (key, default=None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let value = self.value(py, key)?;
        Ok(value
            .or(default)
            .unwrap_or_else(|| py.None().into_bound(py)))
    }

    fn __setitem__(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let opened = self.admit_change(py, Some(key))?;
        opened.items.bind(py).set_item(key, value)?;
        opened.note_written(key)?;
        self.modified.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn __delitem__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<()> {
        let opened = self.admit_change(py, Some(key))?;
        opened.items.bind(py).del_item(key)?;
        if let Some(written) = opened.written.get() {
            written.bind(py).discard(key)?;
        }
        self.removed.store(true, Ordering::Relaxed);
        self.modified.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Removes all keys. Counts as a change even if there are none.
    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        let opened = self.admit_change(py, None)?;
        opened.items.bind(py).clear();
        opened.forget_written(py);
        self.removed.store(true, Ordering::Relaxed);
        self.modified.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn __contains__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.opened(py)?.items.bind(py).contains(key)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.opened(py)?.items.bind(py).len())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.opened(py)?.items.bind(py).try_iter()
    }

    /// Whether the session was used, so that the response varies with the cookie.
    #[getter]
    fn accessed(&self) -> bool {
        self.is_used()
    }

    #[setter]
    fn set_accessed(&self, accessed: bool) {
        self.accessed.store(accessed, Ordering::Relaxed);
    }

    /// Whether the session is saved at the end of the request.
    #[getter]
    fn modified(&self) -> bool {
        self.modified.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_modified(&self, modified: bool) {
        self.modified.store(modified, Ordering::Relaxed);
    }

    /// Whether the request had no valid session.
    #[getter(new)]
    fn is_new(&self, py: Python<'_>) -> PyResult<bool> {
        let opened = self.opened(py)?;
        Ok(opened.session.public_id().is_none() && opened.session.is_empty())
    }

    /// The public ID of a stored session, or `None`.
    #[getter]
    fn public_id(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self
            .opened(py)?
            .session
            .public_id()
            .map(|id| id.to_string()))
    }

    /// The reason why the request's cookie was rejected, as a short code, or `None`.
    #[getter]
    fn rejection(&self, py: Python<'_>) -> PyResult<Option<&'static str>> {
        Ok(self
            .opened(py)?
            .session
            .rejection()
            .map(|rejection| rejection.code()))
    }

    /// The time of the user's last log-in, in seconds since 1970, or `None`.
    #[getter]
    fn authenticated(&self, py: Python<'_>) -> PyResult<Option<i64>> {
        Ok(self
            .opened(py)?
            .session
            .authenticated()
            .map(Timestamp::unix))
    }

    /// Renews the session and binds it to a user. `client` identifies the client for Flask-Login.
    fn bind_user(&self, py: Python<'_>, user: &str, client: Client) -> PyResult<()> {
        self.bind(py, user, client)
    }

    /// Removes all keys and the cookie, regardless of the response's status.
    fn log_out(&self, py: Python<'_>) -> PyResult<()> {
        self.engine_call(py, |opened| {
            // No response is left to carry it out.
            if self.sent.load(Ordering::Relaxed) && opened.live.store.is_some() {
                return opened.live.run(py, opened.session.log_out_now());
            }
            opened.session.log_out()
        })
    }

    /// Gives the session a new ID.
    fn renew(&self, py: Python<'_>) -> PyResult<()> {
        self.engine_call(py, |opened| opened.session.renew())
    }

    /// Sets the device note, for lists of devices.
    fn set_device(&self, py: Python<'_>, note: &str) -> PyResult<()> {
        let opened = self.opened(py)?;
        opened
            .session
            .set_device(note)
            .map_err(|error| errors::of_session(py, &error))
    }

    /// Saves the changes now.
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        errors::catch(py, || {
            let opened = self.opened(py)?;
            self.hand_over(py, opened)?;
            let result = opened.live.run(py, opened.session.commit());
            result.map_err(|error| errors::of_session(py, &error))?;
            self.take_over(py, opened)
        })
    }

    /// Reloads the session from its store and keeps the changes of this request.
    fn reload(&self, py: Python<'_>) -> PyResult<()> {
        errors::catch(py, || {
            let opened = self.opened(py)?;
            self.hand_over(py, opened)?;
            let result = opened.live.run(py, opened.session.reload());
            result.map_err(|error| errors::of_session(py, &error))?;
            self.take_over(py, opened)
        })
    }

    /// Removes a key exactly once over all requests. Returns its value, or `default`.
    #[pyo3(signature = (key, default=None))]
    fn take_once<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let taken = self.take(py, key)?;
        Ok(taken
            .or(default)
            .unwrap_or_else(|| py.None().into_bound(py)))
    }

    /// Replaces the value of a key with `change(value)` and saves it. Returns the saved value.
    ///
    /// `change` runs again if another request has written the key first, and may use sessions
    /// itself.
    /// `default` replaces a missing value.
    #[pyo3(signature = (key, change, default=None))]
    fn update_now<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        change: &Bound<'py, PyAny>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.update(py, key, change, default)
    }

    /// Returns whether the session is still in its store.
    fn is_alive(&self, py: Python<'_>) -> PyResult<bool> {
        errors::catch(py, || {
            let opened = self.opened(py)?;
            let alive = opened.live.run(py, opened.session.is_alive());
            alive.map_err(|error| errors::of_session(py, &error))
        })
    }

    /// Commits the session at the end of the request and updates the response's headers.
    ///
    /// `status` is the response's status, and `headers` are Werkzeug's `Headers`.
    fn finish(&self, py: Python<'_>, status: u16, headers: &Bound<'_, PyAny>) -> PyResult<()> {
        errors::catch(py, || {
            let Some((changes, live)) = self.end(py, status)? else {
                return Ok(());
            };
            if changes == HeaderChanges::default() {
                return Ok(());
            }
            let mut head = Head::read(headers)?;
            let name = live.as_deref().map(|live| live.manager.cookie().name());
            changes.apply(&mut head, name.unwrap_or_default());
            head.write(headers)
        })
    }
}
