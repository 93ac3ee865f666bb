//! Converts between Python values and the JSON text of a session.
//!
//! The exact built-in types are converted here. Every other value, and every value of an
//! application with its own serializer or JSON provider, is converted by that serializer, so that
//! its tags and rules apply.

use carafe_core::json::{self, JsonDialect, Text, Value, string, tag};
use pyo3::{
    IntoPyObjectExt,
    exceptions::PyTypeError,
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple},
};
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap, SerializeSeq},
};

use crate::errors;

/// The serialization of an application's session values.
pub(crate) struct Codec {
    /// Flask's `TaggedJSONSerializer`, or the application's own.
    serializer: Py<PyAny>,
    /// Whether the serializer is Flask's, with its default tags and JSON provider.
    is_plain: bool,
    dialect: JsonDialect,
}

impl Codec {
    pub(crate) const fn new(serializer: Py<PyAny>, is_plain: bool, dialect: JsonDialect) -> Self {
        Self {
            serializer,
            is_plain,
            dialect,
        }
    }

    /// Returns the JSON text of a value.
    pub(crate) fn encode(&self, value: &Bound<'_, PyAny>) -> PyResult<String> {
        if self.is_plain
            && let Ok(text) = json::to_text(&Plain(value), self.dialect)
        {
            return Ok(text);
        }
        let py = value.py();
        let text = self
            .serializer
            .bind(py)
            .call_method1(intern!(py, "dumps"), (value,))?;
        text.extract()
    }

    /// Returns the value of a JSON text.
    pub(crate) fn decode<'py>(&self, py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
        if !self.is_plain {
            return self
                .serializer
                .bind(py)
                .call_method1(intern!(py, "loads"), (text,));
        }
        match text.as_bytes() {
            [b'"', ..] => return decode_string(py, text),
            b"true" => return true.into_bound_py_any(py),
            b"false" => return false.into_bound_py_any(py),
            b"null" => return Ok(py.None().into_bound(py)),
            [b'-' | b'0'..=b'9', ..] => {
                if let Ok(number) = text.parse::<i64>() {
                    return number.into_bound_py_any(py);
                }
            }
            _ => {}
        }
        let value = Value::parse(text, self.dialect.tags);
        let value = value.map_err(|error| errors::raise(py, "DecodeError", &error.to_string()))?;
        to_python(py, &value)
    }
}

/// Returns whether a value cannot change.
pub(crate) fn is_immutable(value: &Bound<'_, PyAny>) -> bool {
    value.is_none()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyBytes>()
}

/// A value of exact built-in types.
///
/// Serializing any other value is an error, and then Python's serializer is used.
struct Plain<'a, 'py>(&'a Bound<'py, PyAny>);

impl Serialize for Plain<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.0;
        if let Ok(text) = value.cast_exact::<PyString>() {
            return serializer.serialize_str(text.to_str().map_err(S::Error::custom)?);
        }
        if value.is_none() {
            return serializer.serialize_unit();
        }
        if let Ok(flag) = value.cast_exact::<PyBool>() {
            return serializer.serialize_bool(flag.is_true());
        }
        if let Ok(number) = value.cast_exact::<PyInt>() {
            return match number.extract::<i64>() {
                Ok(number) => serializer.serialize_i64(number),
                Err(_) => large(number).ok_or_else(beyond)?.serialize(serializer),
            };
        }
        if let Ok(number) = value.cast_exact::<PyFloat>() {
            return serializer.serialize_f64(number.value());
        }
        if let Ok(items) = value.cast_exact::<PyList>() {
            let mut list = serializer.serialize_seq(Some(items.len()))?;
            for item in items {
                list.serialize_element(&Plain(&item))?;
            }
            return list.end();
        }
        if let Ok(members) = value.cast_exact::<PyDict>() {
            let mut map = serializer.serialize_map(Some(members.len()))?;
            for (key, value) in members {
                let key = key.cast_exact::<PyString>().map_err(S::Error::custom)?;
                map.serialize_entry(key.to_str().map_err(S::Error::custom)?, &Plain(&value))?;
            }
            return map.end();
        }
        if let Ok(items) = value.cast_exact::<PyTuple>() {
            return tag::Tuple(Items(items)).serialize(serializer);
        }
        if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            return tag::Bytes(bytes.as_bytes().to_vec()).serialize(serializer);
        }
        Err(beyond())
    }
}

/// The items of a tuple.
struct Items<'a, 'py>(&'a Bound<'py, PyTuple>);

impl Serialize for Items<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for item in self.0 {
            list.serialize_element(&Plain(&item))?;
        }
        list.end()
    }
}

fn beyond<E: serde::ser::Error>() -> E {
    E::custom("a value for the application's own serializer")
}

/// Returns the JSON value of an integer that exceeds 64 bits.
fn large(number: &Bound<'_, PyInt>) -> Option<Value> {
    let text = number.str().ok()?;
    Value::parse(text.to_str().ok()?, false).ok()
}

fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(value) => (*value).into_bound_py_any(py),
        Value::Number(number) => {
            let text = number.as_text();
            match text.parse::<i64>() {
                Ok(number) => number.into_bound_py_any(py),
                Err(_)
                    if text
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || byte == b'-') =>
                {
                    py.get_type::<PyInt>().call1((text,))
                }
                Err(_) => number.as_f64().into_bound_py_any(py),
            }
        }
        Value::String(text) => decode_string(py, text.as_raw()),
        Value::List(items) => {
            let list = PyList::empty(py);
            items
                .iter()
                .try_for_each(|item| list.append(to_python(py, item)?))?;
            Ok(list.into_any())
        }
        Value::Tuple(items) => {
            let items: Vec<_> = items
                .iter()
                .map(|item| to_python(py, item))
                .collect::<PyResult<_>>()?;
            Ok(PyTuple::new(py, items)?.into_any())
        }
        Value::Dict(members) => {
            let dict = PyDict::new(py);
            for (key, value) in members {
                dict.set_item(decode_string(py, key.as_raw())?, to_python(py, value)?)?;
            }
            Ok(dict.into_any())
        }
        Value::Bytes(bytes) => Ok(PyBytes::new(py, bytes).into_any()),
        Value::Markup(text) => {
            class(py, &MARKUP, "markupsafe", "Markup")?.call1((any_text(py, text)?,))
        }
        Value::Uuid(uuid) => class(py, &UUID, "uuid", "UUID")?.call1((uuid.to_string(),)),
        Value::DateTime(text) => {
            class(py, &PARSE_DATE, "werkzeug.http", "parse_date")?.call1((any_text(py, text)?,))
        }
        // `Value` is non-exhaustive. A variant that is unknown here would be a bug of this crate.
        other => Err(PyTypeError::new_err(format!(
            "a value that this version cannot read: {other}"
        ))),
    }
}

static MARKUP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static UUID: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static PARSE_DATE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn class<'py>(
    py: Python<'py>,
    known: &'static PyOnceLock<Py<PyAny>>,
    module: &str,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    let found = known.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import(module)?.getattr(name)?.unbind())
    })?;
    Ok(found.bind(py))
}

fn any_text<'py>(py: Python<'py>, text: &Text) -> PyResult<Bound<'py, PyAny>> {
    decode_string(py, text.as_raw())
}

/// Decodes a raw JSON string. Python strings may contain lone surrogates.
fn decode_string<'py>(py: Python<'py>, raw: &str) -> PyResult<Bound<'py, PyAny>> {
    match string::decode(raw) {
        Ok(text) if raw.starts_with('"') => Ok(PyString::new(py, &text).into_any()),
        _ => class(py, &LOADS, "json", "loads")?.call1((raw,)),
    }
}
