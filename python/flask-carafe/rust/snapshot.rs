//! A cheap check, on each request, whether the settings of an application have changed.

use pyo3::{
    PyTraverseError, PyVisit, intern,
    prelude::*,
    types::{PyBool, PyDict, PyList, PyString, PyTuple},
};

/// The number of settings outside `app.config`.
const OUTSIDE: usize = 5;
/// The position of the serializer among them.
const SERIALIZER: usize = 0;

/// The settings of an application. They have changed if they are not the same objects.
#[pyclass(frozen, module = "flask_carafe._native")]
pub(crate) struct Snapshot {
    /// The names in `app.config`, in order, and their values.
    config: Vec<[Py<PyAny>; 2]>,
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
            config: config
                .iter()
                .map(|(name, value)| [name.unbind(), value.unbind()])
                .collect(),
            fallbacks,
            outside: outside(app, interface)?.map(Bound::unbind),
            tags: tags(&interface.getattr(intern!(app.py(), "serializer"))?)?,
        }))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some((keys, items)) = &self.fallbacks {
            visit.call(keys)?;
            visit.call(items)?;
        }
        let config = self.config.iter().flatten();
        config
            .chain(&self.outside)
            .try_for_each(|object| visit.call(object))
    }

    /// Returns whether the settings are the same as before.
    ///
    /// Equal settings that are other objects count as changed.
    fn holds(&self, app: &Bound<'_, PyAny>, interface: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (py, config) = (app.py(), config(app)?);
        let fallbacks = self.fallbacks.as_ref();
        let mut settings = config.iter().zip(&self.config);
        Ok(config.len() == self.config.len()
            && settings.all(|((name, value), known)| name.is(&known[0]) && value.is(&known[1]))
            && fallbacks.is_none_or(|(keys, items)| keys.bind(py).eq(items).unwrap_or(false))
            && are_same(&self.outside, &outside(app, interface)?)
            && self.tags == tags(self.outside[SERIALIZER].bind(py))?)
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
        interface.getattr(intern!(py, "serializer"))?,
        attribute(&provider, intern!(py, "sort_keys"))?,
        attribute(&provider, intern!(py, "ensure_ascii"))?,
        interface.getattr(intern!(py, "salt"))?,
        provider,
    ])
}

/// Returns the number of tags of a serializer, which are registered in place.
fn tags(serializer: &Bound<'_, PyAny>) -> PyResult<usize> {
    let order = serializer.getattr_opt(intern!(serializer.py(), "order"))?;
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
