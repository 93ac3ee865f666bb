//! The dictionary of one request.
//!
//! The session is loaded at its first use. A value is decoded when it is read, and is then the same
//! object at every read, so that a change inside a list or a dict is seen. Writes stay in the
//! dictionary until they are handed to the engine: at the end of the request, and before an
//! operation that the engine performs itself.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use carafe_core::{
    clock::Timestamp,
    error::ErrorChain,
    session::{HeaderChanges, Session, SessionError, Slot},
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyKeyError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyIterator, PySet, PyString},
};

use crate::{
    engine::{Engine, Live},
    errors,
    head::{Head, latin1_bytes},
    values::is_immutable,
};

/// Flask's key for `session.permanent`.
const PERMANENT: &str = "_permanent";
/// Flask's key for flashed messages.
const FLASHES: &str = "_flashes";
/// Flask-Login's key for the user.
const USER: &str = "_user_id";

/// The engine's side of a session. `flask_carafe.Session` adds the rest of a mapping.
#[pyclass(frozen, subclass, mapping, weakref, module = "flask_carafe._native")]
pub(crate) struct SessionBase {
    engine: Py<Engine>,
    /// The request's `Cookie` header lines.
    cookies: Vec<Vec<u8>>,
    opened: OnceLock<Opened>,
    accessed: AtomicBool,
    modified: AtomicBool,
    /// Whether a loaded key may be missing in the dictionary.
    removed: AtomicBool,
    /// Whether the end of the request has been committed.
    sent: AtomicBool,
    /// The header changes of that commit, for a response that replaces the first one.
    changes: Mutex<Option<HeaderChanges>>,
}

/// A session that has been loaded.
struct Opened {
    live: Arc<Live>,
    slot: Slot,
    session: Session,
    /// The dictionary. A value that has not been read is the object `unread`.
    items: Py<PyDict>,
    /// The keys that were written since they were last handed to the engine.
    written: Py<PySet>,
    /// Whether the dictionary has the session's keys, which counts as a use of the session.
    is_listed: AtomicBool,
}

/// The user's request, as Flask-Login's session protection sees it.
type Client = (Option<String>, Option<String>, Option<String>);

#[pymethods]
impl SessionBase {
    /// `cookies` are the `Cookie` header lines of the request.
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
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.engine)?;
        if let Some(opened) = self.opened.get() {
            visit.call(&opened.items)?;
            visit.call(&opened.written)?;
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
        opened.written.bind(py).add(key)?;
        self.modified.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn __delitem__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<()> {
        let opened = self.admit_change(py, Some(key))?;
        opened.items.bind(py).del_item(key)?;
        opened.written.bind(py).discard(key)?;
        self.removed.store(true, Ordering::Relaxed);
        self.modified.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Removes all keys. Counts as a change even if there are none.
    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        let opened = self.admit_change(py, None)?;
        opened.items.bind(py).clear();
        opened.written.bind(py).clear();
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

    /// Whether the session was used, which makes the response vary with the cookie.
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

    /// Whether the request brought no valid session.
    #[getter(new)]
    fn is_new(&self, py: Python<'_>) -> PyResult<bool> {
        let opened = self.opened(py)?;
        Ok(opened.session.public_id().is_none() && opened.session.is_empty())
    }

    /// The public id of a stored session, or `None`.
    #[getter]
    fn public_id(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self
            .opened(py)?
            .session
            .public_id()
            .map(|id| id.to_string()))
    }

    /// Why the request's cookie was rejected, as a short word, or `None`.
    #[getter]
    fn rejection(&self, py: Python<'_>) -> PyResult<Option<&'static str>> {
        Ok(self
            .opened(py)?
            .session
            .rejection()
            .map(|rejection| rejection.code()))
    }

    /// When the user last logged in, in seconds since 1970, or `None`.
    #[getter]
    fn authenticated(&self, py: Python<'_>) -> PyResult<Option<i64>> {
        Ok(self
            .opened(py)?
            .session
            .authenticated()
            .map(Timestamp::unix))
    }

    /// Renews the session and binds it to a user. `client` is what Flask-Login identifies it by.
    fn bind_user(&self, py: Python<'_>, user: &str, client: Client) -> PyResult<()> {
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

    /// Removes all keys and the cookie, whatever the response's status.
    fn log_out(&self, py: Python<'_>) -> PyResult<()> {
        self.engine_call(py, |opened| opened.session.log_out())
    }

    /// Gives the session a new id.
    fn renew(&self, py: Python<'_>) -> PyResult<()> {
        self.engine_call(py, |opened| opened.session.renew())
    }

    /// Records a note about the device, for lists of devices.
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

    /// Removes a key exactly once over all requests and returns its value, or `default`.
    #[pyo3(signature = (key, default=None))]
    fn take_once<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        errors::catch(py, || {
            let opened = self.opened(py)?;
            self.hand_over(py, opened)?;
            let taken = opened.live.run(py, opened.session.take_json_once(key));
            let taken = taken.map_err(|error| errors::of_session(py, &error))?;
            self.take_over(py, opened)?;
            match taken {
                Some(text) => self.engine.get().codec.decode(py, &text),
                None => Ok(default.unwrap_or_else(|| py.None().into_bound(py))),
            }
        })
    }

    /// Replaces the value of a key with `change(value)` and saves it. Returns the saved value.
    ///
    /// `change` runs again if another request has written the key first. `default` stands for a
    /// missing value.
    #[pyo3(signature = (key, change, default=None))]
    fn update_now<'py>(
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

    /// Whether the session is still in its store.
    fn is_alive(&self, py: Python<'_>) -> PyResult<bool> {
        errors::catch(py, || {
            let opened = self.opened(py)?;
            let alive = opened.live.run(py, opened.session.is_alive());
            alive.map_err(|error| errors::of_session(py, &error))
        })
    }

    /// Commits the end of the request and changes the response's headers.
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

impl SessionBase {
    fn value<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let opened = self.opened(py)?;
        let items = opened.items.bind(py);
        match items.get_item(key)? {
            Some(value) if value.is(unread(py)) => {
                let name: Option<String> = key.extract().ok();
                let text = name.and_then(|name| opened.session.json_text(name.as_str()));
                let Some(text) = text else { return Ok(None) };
                let value = errors::catch(py, || self.engine.get().codec.decode(py, &text))?;
                items.set_item(key, &value)?;
                Ok(Some(value))
            }
            found => Ok(found),
        }
    }

    /// Returns the session and its keys, which the first call loads.
    fn opened(&self, py: Python<'_>) -> PyResult<&Opened> {
        let opened = self.loaded(py)?;
        if !opened.is_listed.load(Ordering::Relaxed) {
            list_keys(py, &opened.session, opened.items.bind(py))?;
            opened.is_listed.store(true, Ordering::Relaxed);
        }
        Ok(opened)
    }

    /// Returns the session without using it.
    fn loaded(&self, py: Python<'_>) -> PyResult<&Opened> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let opened = errors::catch(py, || {
            let live = self.engine.get().live(py)?;
            let slot = live.manager.begin();
            let lines = self.cookies.iter().map(Vec::as_slice);
            let session = live.run(py, live.manager.open(&slot, lines, Timestamp::now()));
            let session = session.map_err(|error| {
                let reason = ErrorChain::of(&error);
                errors::log(py, &format!("the session cannot be loaded: {reason}"));
                errors::of_store(py, &error)
            })?;
            let (items, written) = (PyDict::new(py).unbind(), PySet::empty(py)?.unbind());
            let is_listed = AtomicBool::new(false);
            Ok(Opened {
                live,
                slot,
                session,
                items,
                written,
                is_listed,
            })
        })?;
        // Of two threads that load at the same time, the first one counts.
        Ok(self.opened.get_or_init(|| opened))
    }

    fn is_used(&self) -> bool {
        let opened = self.opened.get();
        self.accessed.load(Ordering::Relaxed)
            || opened.is_some_and(|opened| opened.is_listed.load(Ordering::Relaxed))
    }

    /// Returns the session, and warns about a change that will be lost.
    ///
    /// After the response, only a session in a store can be changed, by a `commit` of its own.
    /// Flask loses such a change silently. Messages that a test takes after the response are none.
    fn admit_change(&self, py: Python<'_>, key: Option<&Bound<'_, PyAny>>) -> PyResult<&Opened> {
        let opened = self.opened(py)?;
        if self.sent.load(Ordering::Relaxed)
            && opened.live.store.is_none()
            && !key.is_some_and(|key| key.eq(FLASHES).unwrap_or_default())
        {
            errors::warn(
                py,
                "LateChangeWarning",
                "the session was changed after its response was sent; the change is lost",
            )?;
        }
        Ok(opened)
    }

    /// Calls the engine with the changes so far, and reads the dictionary that it leaves.
    fn engine_call(
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

    /// Hands the changes of the dictionary to the engine.
    fn hand_over(&self, py: Python<'_>, opened: &Opened) -> PyResult<()> {
        let (items, session) = (opened.items.bind(py), &opened.session);
        let raise = |error| errors::of_session(py, &error);
        if self.removed.swap(false, Ordering::Relaxed) {
            if items.is_empty() {
                session.clear().map_err(raise)?;
            }
            for key in session.keys() {
                if !items.contains(&key)? {
                    session.remove(key.as_str()).map_err(raise)?;
                }
            }
        }
        let written = opened.written.bind(py);
        // A copy, because a serializer of the application may change the dictionary.
        for (key, value) in items.copy()? {
            if value.is(unread(py)) {
                continue;
            }
            let is_written = written.contains(&key)?;
            if !is_written && is_immutable(&value) {
                continue;
            }
            let text = self.engine.get().codec.encode(&value)?;
            let name = match key.cast::<PyString>() {
                Ok(key) => key.to_str()?.to_owned(),
                Err(_) => json_key(&key)?,
            };
            if is_written || session.json_text(name.as_str()).as_deref() != Some(&text) {
                session.insert_json(name.as_str(), text).map_err(raise)?;
            }
        }
        written.clear();
        Ok(())
    }

    /// Reads the keys of the engine's dictionary again. Unchanged values stay the same objects.
    fn take_over(&self, py: Python<'_>, opened: &Opened) -> PyResult<()> {
        let items = opened.items.bind(py);
        let before = items.copy()?;
        items.clear();
        list_keys(py, &opened.session, items)?;
        for (key, value) in before {
            let Ok(name) = key.extract::<String>() else {
                continue;
            };
            if value.is(unread(py)) || !items.contains(&key)? {
                continue;
            }
            let text = self.engine.get().codec.encode(&value)?;
            if opened.session.json_text(name.as_str()).as_deref() == Some(&text) {
                items.set_item(key, value)?;
            }
        }
        Ok(())
    }

    /// Commits the end of the request. Returns `None` if the session has nothing to do with it.
    fn end(
        &self,
        py: Python<'_>,
        status: u16,
    ) -> PyResult<Option<(HeaderChanges, Option<Arc<Live>>)>> {
        let engine = self.engine.get();
        if !self.is_used() {
            return self.end_untouched(py, engine, status);
        }
        // A session that cannot be loaded was not changed, and the handler has had the error.
        let Ok(opened) = self.opened(py) else {
            let live = engine.live(py).ok();
            let changes = HeaderChanges {
                vary_cookie: true,
                ..HeaderChanges::default()
            };
            return Ok(Some((changes, live)));
        };
        let is_modified = self.modified.load(Ordering::Relaxed);
        let has_changes =
            self.removed.load(Ordering::Relaxed) || !opened.written.bind(py).is_empty();
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
            && engine.refreshes_untouched()
            && self
                .value(py, &PyString::intern(py, PERMANENT).into_any())?
                .is_some_and(|value| value.is_truthy().unwrap_or_default());
        if is_modified && !is_client_side {
            self.note_log_in(py, opened)?;
        }
        if is_modified || refreshes {
            self.hand_over(py, opened)?;
        }
        if is_modified && is_client_side {
            // `modified` alone writes the cookie again, as in Flask.
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

    /// Commits a request that has not used its session: Flask refreshes permanent sessions.
    fn end_untouched(
        &self,
        py: Python<'_>,
        engine: &Engine,
        status: u16,
    ) -> PyResult<Option<(HeaderChanges, Option<Arc<Live>>)>> {
        let opened = self.opened.get();
        if opened.is_none() && (self.cookies.is_empty() || !engine.refreshes_untouched()) {
            return Ok(None);
        }
        let (live, slot) = match opened {
            Some(opened) => (Arc::clone(&opened.live), opened.slot.clone()),
            None => {
                let live = engine.live(py)?;
                let slot = live.manager.begin();
                (live, slot)
            }
        };
        let lines = self.cookies.iter().map(Vec::as_slice);
        let commit = live.manager.end(&slot, lines, status, Timestamp::now);
        let changes = live
            .run(py, commit)
            .map_err(|error| errors::of_commit(py, &error))?;
        Ok(Some((changes, Some(live))))
    }

    /// Tells the engine of a log-in that Flask-Login has written into the dictionary.
    ///
    /// The session then gets a new id and can be found by its user.
    fn note_log_in(&self, py: Python<'_>, opened: &Opened) -> PyResult<()> {
        let key = PyString::intern(py, USER);
        if !opened.written.bind(py).contains(&key)? {
            return Ok(());
        }
        let Some(user) = opened.items.bind(py).get_item(&key)? else {
            return Ok(());
        };
        let Ok(user) = user.extract::<String>() else {
            return Ok(());
        };
        if opened.session.user().as_deref() == Some(&user) {
            return Ok(());
        }
        opened
            .session
            .log_in(&user)
            .map_err(|error| errors::of_session(py, &error))
    }
}

/// Returns the object that stands for a value that has not been read.
fn unread(py: Python<'_>) -> &Bound<'_, PyAny> {
    static UNREAD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let made = UNREAD.get_or_init(py, || {
        let made = py
            .import("builtins")
            .and_then(|builtins| builtins.call_method0("object"));
        made.expect("`object()` has no reason to fail").unbind()
    });
    made.bind(py)
}

fn list_keys(py: Python<'_>, session: &Session, items: &Bound<'_, PyDict>) -> PyResult<()> {
    let unread = unread(py);
    session
        .keys()
        .iter()
        .try_for_each(|key| items.set_item(PyString::intern(py, key), unread))
}

/// Returns the text that JSON makes of a key that is no string.
fn json_key(key: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = key.py();
    let (json, pair) = (py.import("json")?, PyDict::new(py));
    pair.set_item(key, py.None())?;
    let text = json.call_method1("dumps", (pair,))?;
    let back = json.call_method1("loads", (text,))?;
    back.try_iter()?
        .next()
        .ok_or_else(|| PyKeyError::new_err(key.clone().unbind()))??
        .extract()
}

/// Returns the exception of a Python function that the engine has called, or the engine's own.
fn raised(py: Python<'_>, error: SessionError) -> PyErr {
    match error {
        SessionError::Update(inner) => match inner.downcast::<PyErr>() {
            Ok(raised) => *raised,
            Err(other) => errors::raise(py, "SessionError", &other.to_string()),
        },
        other => errors::of_session(py, &other),
    }
}
