//! The exchange between the dictionary and the engine: changes and keys.

use std::sync::atomic::Ordering;

use pyo3::{
    exceptions::PyKeyError,
    prelude::*,
    types::{PyDict, PyString},
};

use super::{
    SessionBase,
    loaded::{Opened, list_keys, unread},
};
use crate::{errors, values::is_immutable};

impl SessionBase {
    /// Passes the changes of the dictionary to the engine.
    pub(super) fn hand_over(&self, py: Python<'_>, opened: &Opened) -> PyResult<()> {
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
        // A copy, because the application's serializer may change the dictionary.
        for (key, value) in items.copy()? {
            if value.is(unread(py)) {
                continue;
            }
            let is_written = opened.is_written(&key)?;
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
        opened.forget_written(py);
        Ok(())
    }

    /// Updates the dictionary from the engine. Unchanged values stay the same objects.
    pub(super) fn take_over(&self, py: Python<'_>, opened: &Opened) -> PyResult<()> {
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
}

/// Returns the JSON text of a key that is not a string.
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
