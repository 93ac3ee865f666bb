//! A cheap check, on each request, whether the settings of an application have changed.

use pyo3::{
    PyTraverseError, PyVisit, intern,
    prelude::*,
    types::{PyBool, PyDict, PyList, PyString, PyTuple},
};

/// The number of settings outside `app.config`.
const OUTSIDE: usize = 5;

/// The settings of an application. Comparing them is fast as long as they are the same objects.
#[pyclass(frozen, module = "flask_carafe._native")]
pub(crate) struct Snapshot {
    /// The names in `app.config`, in order, and their values.
    names: Py<PyList>,
    values: Py<PyList>,
    /// `SECRET_KEY_FALLBACKS`, if it is a list, which may change in place, and its items.
    fallbacks: Option<(Py<PyList>, Py<PyList>)>,
    outside: [Py<PyAny>; OUTSIDE],
    tags: usize,
}

#[pymethods]
impl Snapshot {
    /// Returns `None` for fallback keys of a type whose changes are not noticed.
    #[staticmethod]
    fn take(app: &Bound<'_, PyAny>, interface: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let config = config(app)?;
        let fallbacks = match config.get_item(intern!(app.py(), "SECRET_KEY_FALLBACKS"))? {
            Some(keys) if keys.is_instance_of::<PyList>() => {
                let keys = keys.cast_into::<PyList>()?;
                let items = PyList::new(app.py(), &keys)?;
                Some((keys.unbind(), items.unbind()))
            }
            Some(keys) if !keys.is_none() && !keys.is_exact_instance_of::<PyTuple>() => {
                return Ok(None);
            }
            _ => None,
        };
        Ok(Some(Self {
            names: config.keys().unbind(),
            values: config.values().unbind(),
            fallbacks,
            outside: outside(app, interface)?.map(Bound::unbind),
            tags: tags(interface)?,
        }))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.names)?;
        visit.call(&self.values)?;
        if let Some((keys, items)) = &self.fallbacks {
            visit.call(keys)?;
            visit.call(items)?;
        }
        self.outside
            .iter()
            .try_for_each(|object| visit.call(object))
    }

    /// Returns whether the settings are the same as before.
    ///
    /// Objects of the application that cannot be compared count as changed.
    fn holds(&self, app: &Bound<'_, PyAny>, interface: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (py, config) = (app.py(), config(app)?);
        let fallbacks = self.fallbacks.as_ref();
        Ok(config.len() == self.names.bind(py).len()
            && config.values().eq(&self.values).unwrap_or(false)
            && config.keys().eq(&self.names).unwrap_or(false)
            && fallbacks.is_none_or(|(keys, items)| keys.bind(py).eq(items).unwrap_or(false))
            && are_same(&self.outside, &outside(app, interface)?)
            && self.tags == tags(interface)?)
    }
}

fn config<'py>(app: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let config = app.getattr(intern!(app.py(), "config"))?;
    Ok(config.cast_into::<PyDict>()?)
}

fn outside<'py>(
    app: &Bound<'py, PyAny>,
    interface: &Bound<'py, PyAny>,
) -> PyResult<[Bound<'py, PyAny>; OUTSIDE]> {
    let py = app.py();
    let provider = app.getattr(intern!(py, "json"))?;
    Ok([
        attribute(&provider, intern!(py, "sort_keys"))?,
        attribute(&provider, intern!(py, "ensure_ascii"))?,
        interface.getattr(intern!(py, "serializer"))?,
        interface.getattr(intern!(py, "salt"))?,
        provider,
    ])
}

/// Returns the number of tags of the serializer, which are registered in place.
fn tags(interface: &Bound<'_, PyAny>) -> PyResult<usize> {
    let py = interface.py();
    let serializer = interface.getattr(intern!(py, "serializer"))?;
    let order = serializer.getattr_opt(intern!(py, "order"))?;
    order.map_or(Ok(0), |order| order.len())
}

/// Returns an attribute, or `True` if it is missing.
fn attribute<'py>(
    of: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    let found = of.getattr_opt(name)?;
    Ok(found.unwrap_or_else(|| PyBool::new(of.py(), true).to_owned().into_any()))
}

fn are_same(known: &[Py<PyAny>], now: &[Bound<'_, PyAny>]) -> bool {
    known.iter().zip(now).all(|(known, now)| now.is(known))
}
