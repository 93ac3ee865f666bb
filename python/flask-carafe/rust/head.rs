//! The head of a response as a list of header fields, as in Werkzeug's `Headers` and in WSGI.

use carafe_core::session::{Field, ResponseHead};
use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyList, PyString, PyType},
};

const FIELDS: [(Field, &str); 4] = [
    (Field::CacheControl, "Cache-Control"),
    (Field::RetryAfter, "Retry-After"),
    (Field::SetCookie, "Set-Cookie"),
    (Field::Vary, "Vary"),
];
/// The names of `FIELDS` as objects.
static NAMES: PyOnceLock<[Py<PyString>; FIELDS.len()]> = PyOnceLock::new();

/// The fields that a commit may change.
#[derive(Default)]
pub(crate) struct Head<'py> {
    lines: Vec<(Field, Vec<u8>)>,
    /// The fields that the response had, by their position in `FIELDS`.
    found: [bool; FIELDS.len()],
    changed: [bool; FIELDS.len()],
    /// The names of all headers.
    names: Vec<Bound<'py, PyString>>,
    /// Other headers that the commit has set.
    set: Vec<(String, String)>,
    /// The list of the headers that were read: [`list_of`].
    list: Option<Bound<'py, PyList>>,
}

impl<'py> Head<'py> {
    /// Reads the fields from an iterable of names and values.
    pub(crate) fn read(headers: &Bound<'py, PyAny>) -> PyResult<Self> {
        let list = list_of(headers)?;
        let items = list.as_ref().map_or(headers, |list| list.as_any());
        let items = items.try_iter()?;
        let mut head = Self {
            list,
            ..Self::default()
        };
        for item in items {
            let (name, value): (Bound<'py, PyString>, Bound<'py, PyString>) = item?.extract()?;
            if let Some(field) = field_of(&name) {
                head.lines.push((field, latin1_bytes(&value)?));
                head.found[field as usize] = true;
            }
            head.names.push(name);
        }
        Ok(head)
    }

    /// Writes the changed fields into Werkzeug's `Headers`, which were read before.
    pub(crate) fn write(&self, headers: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = headers.py();
        let (add, remove) = (intern!(py, "add"), intern!(py, "remove"));
        let names = NAMES.get_or_init(py, || {
            FIELDS.map(|(_, name)| PyString::intern(py, name).unbind())
        });
        for ((field, _), name) in FIELDS.into_iter().zip(names) {
            if !self.changed[field as usize] {
                continue;
            }
            if self.found[field as usize] {
                headers.call_method1(remove, (name,))?;
            }
            for value in self.values(field) {
                let line = (name, latin1_text(py, value)?);
                match &self.list {
                    Some(list) => list.append(line)?,
                    None => drop(headers.call_method1(add, line)?),
                }
            }
        }
        for (name, value) in &self.set {
            headers.call_method1(remove, (name,))?;
            headers.call_method1(add, (name, value))?;
        }
        Ok(())
    }

    /// Returns all fields as pairs.
    pub(crate) fn lines(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for (field, value) in &self.lines {
            let (_, name) = FIELDS[*field as usize];
            list.append((name, latin1_text(py, value)?))?;
        }
        self.set.iter().try_for_each(|header| list.append(header))?;
        Ok(list)
    }
}

/// Returns the list of pairs inside Werkzeug's `Headers`, if they have it.
///
/// The list saves most of the time that `add` and iteration take, but it is not public. Headers
/// without it, and subclasses, are used by their methods.
fn list_of<'py>(headers: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyList>>> {
    static HEADERS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = headers.py();
    let class = HEADERS.import(py, "werkzeug.datastructures", "Headers")?;
    if !headers.get_type().is(class) {
        return Ok(None);
    }
    let list = headers.getattr_opt(intern!(py, "_list"))?;
    Ok(list.and_then(|list| list.cast_into_exact().ok()))
}

fn field_of(name: &Bound<'_, PyString>) -> Option<Field> {
    let name = name.to_str().ok()?;
    let mut fields = FIELDS.iter();
    let known = fields.find(|(_, known)| name.eq_ignore_ascii_case(known));
    known.map(|(field, _)| *field)
}

/// Returns the bytes of a header's value, which WSGI carries as Latin-1 text.
pub(crate) fn latin1_bytes(text: &Bound<'_, PyString>) -> PyResult<Vec<u8>> {
    match text.to_str() {
        Ok(text) if text.is_ascii() => Ok(text.as_bytes().to_vec()),
        _ => text
            .call_method1("encode", ("latin-1", "replace"))?
            .extract(),
    }
}

fn latin1_text<'py>(py: Python<'py>, value: &[u8]) -> PyResult<Bound<'py, PyString>> {
    match str::from_utf8(value) {
        Ok(text) if text.is_ascii() => Ok(PyString::new(py, text)),
        _ => {
            let text: String = value.iter().copied().map(char::from).collect();
            Ok(PyString::new(py, &text))
        }
    }
}

impl ResponseHead for Head<'_> {
    fn values(&self, field: Field) -> impl Iterator<Item = &[u8]> {
        let ours = self.lines.iter().filter(move |(name, _)| *name == field);
        ours.map(|(_, value)| value.as_slice())
    }

    fn append(&mut self, field: Field, value: String) {
        self.changed[field as usize] = true;
        self.lines.push((field, value.into_bytes()));
    }

    fn replace(&mut self, field: Field, value: String) {
        self.retain(field, |_| false);
        self.append(field, value);
    }

    fn set_if_absent(&mut self, field: Field, value: &'static str) -> bool {
        let is_there = self.values(field).next().is_some();
        if !is_there {
            self.append(field, value.to_owned());
        }
        is_there
    }

    fn contains(&self, name: &str) -> bool {
        let mut names = self.names.iter();
        self.set.iter().any(|(known, _)| known == name)
            || names.any(|known| {
                let known = known.to_str();
                known.is_ok_and(|known| known.eq_ignore_ascii_case(name))
            })
    }

    fn set(&mut self, name: &str, value: String) {
        self.set.retain(|(known, _)| known != name);
        self.set.push((name.to_owned(), value));
    }

    fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool) {
        self.changed[field as usize] = true;
        self.lines
            .retain(|(name, value)| *name != field || keep(value));
    }
}
