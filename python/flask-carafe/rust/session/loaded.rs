//! A session that has been loaded, and the placeholder of a value that has not been read.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use carafe_core::{
    clock::Timestamp,
    error::ErrorChain,
    session::{Session, Slot},
};
use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PySet, PyString},
};

use super::SessionBase;
use crate::{engine::Live, errors};

/// Flask's key for flashed messages.
const FLASHES: &str = "_flashes";

/// A session that has been loaded.
pub(super) struct Opened {
    pub(super) live: Arc<Live>,
    pub(super) slot: Slot,
    pub(super) session: Session,
    /// The dictionary. A value that has not been read yet is the object `unread`.
    pub(super) items: Py<PyDict>,
    /// The keys that were written since they were last passed to the engine. Created by the first
    /// write.
    pub(super) written: OnceLock<Py<PySet>>,
    /// Whether the dictionary contains the session's keys, which counts as a use of the session.
    pub(super) is_listed: AtomicBool,
}

impl Opened {
    /// Notes that a key was written.
    pub(super) fn note_written(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = key.py();
        let written = match self.written.get() {
            Some(written) => written,
            None => {
                let empty = PySet::empty(py)?.unbind();
                self.written.get_or_init(|| empty)
            }
        };
        written.bind(py).add(key)
    }

    /// Returns whether a key was written since it was last passed to the engine.
    pub(super) fn is_written(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        match self.written.get() {
            Some(written) => written.bind(key.py()).contains(key),
            None => Ok(false),
        }
    }

    /// Returns whether any key was written since the last exchange with the engine.
    pub(super) fn has_written(&self, py: Python<'_>) -> bool {
        let written = self.written.get();
        written.is_some_and(|written| !written.bind(py).is_empty())
    }

    pub(super) fn forget_written(&self, py: Python<'_>) {
        if let Some(written) = self.written.get() {
            written.bind(py).clear();
        }
    }
}

impl SessionBase {
    pub(super) fn value<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let opened = self.opened(py)?;
        let items = opened.items.bind(py);
        match items.get_item(key)? {
            Some(value) if value.is(unread(py)) => {
                let name = key.cast::<PyString>().ok();
                let name = name.and_then(|name| name.to_str().ok());
                let text = name.and_then(|name| opened.session.json_text(name));
                let Some(text) = text else { return Ok(None) };
                let value = errors::catch(py, || self.engine.get().codec.decode(py, &text))?;
                items.set_item(key, &value)?;
                Ok(Some(value))
            }
            found => Ok(found),
        }
    }

    /// Returns the session with its keys, which the first call loads.
    pub(super) fn opened(&self, py: Python<'_>) -> PyResult<&Opened> {
        let opened = self.loaded(py)?;
        if !opened.is_listed.load(Ordering::Relaxed) {
            list_keys(py, &opened.session, opened.items.bind(py))?;
            opened.is_listed.store(true, Ordering::Relaxed);
        }
        Ok(opened)
    }

    /// Returns the session without using it.
    pub(super) fn loaded(&self, py: Python<'_>) -> PyResult<&Opened> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        errors::catch(py, || {
            let live = self.engine.get().live(py).inspect_err(|error| {
                errors::log(
                    py,
                    &format!("the store cannot be opened: {}", error.value(py)),
                );
            })?;
            let slot = live.manager.begin();
            let lines = self.cookies.iter().map(Vec::as_slice);
            let session = live.run(py, live.manager.open(&slot, lines, Timestamp::now()));
            let session = session.map_err(|error| {
                let reason = ErrorChain::of(&error);
                errors::log(py, &format!("the session cannot be loaded: {reason}"));
                errors::of_store(py, &error)
            })?;
            let opened = Opened {
                live,
                slot,
                session,
                items: PyDict::new(py).unbind(),
                written: OnceLock::new(),
                is_listed: AtomicBool::new(false),
            };
            // Of two threads that load at the same time, the first one counts. Kept before the call
            // ends and logs its events, because a handler of the log may use the session.
            Ok(self.opened.get_or_init(|| opened))
        })
    }

    pub(super) fn is_used(&self) -> bool {
        let opened = self.opened.get();
        self.accessed.load(Ordering::Relaxed)
            || opened.is_some_and(|opened| opened.is_listed.load(Ordering::Relaxed))
    }

    /// Returns the session, and warns about a change that would be lost.
    ///
    /// After the response, only a session in a store can be changed, by an explicit `commit`. Flask
    /// loses such a change silently. Flashed messages that a test takes after the response cause no
    /// warning.
    pub(super) fn admit_change(
        &self,
        py: Python<'_>,
        key: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<&Opened> {
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
}

/// Returns the placeholder object of a value that has not been read.
pub(super) fn unread(py: Python<'_>) -> &Bound<'_, PyAny> {
    static UNREAD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let made = UNREAD.get_or_init(py, || {
        let made = py
            .import("builtins")
            .and_then(|builtins| builtins.call_method0("object"));
        made.expect("`object()` has no reason to fail").unbind()
    });
    made.bind(py)
}

pub(super) fn list_keys(
    py: Python<'_>,
    session: &Session,
    items: &Bound<'_, PyDict>,
) -> PyResult<()> {
    let (unread, mut set) = (unread(py), Ok(()));
    session.each_key(|key| {
        if set.is_ok() {
            set = items.set_item(PyString::new(py, key), unread);
        }
    });
    set
}
