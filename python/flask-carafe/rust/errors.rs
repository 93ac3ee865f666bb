//! The engine's errors as the exceptions of `flask_carafe.errors`, and panics as one of them.

use std::{
    error::Error,
    panic::{AssertUnwindSafe, catch_unwind},
};

use carafe_core::{
    error::ErrorChain,
    session::{CommitError, SessionError},
    store::StoreError,
};
use pyo3::{exceptions::PyRuntimeError, prelude::*, sync::PyOnceLock};

use crate::{events, head::Head};

/// Returns the exception `class` of `flask_carafe.errors` with `message`.
pub(crate) fn raise(py: Python<'_>, class: &str, message: &str) -> PyErr {
    let made = class_of(py, class).and_then(|class| class.call1((message,)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// Warns with the category `class` of `flask_carafe.errors`.
pub(crate) fn warn(py: Python<'_>, class: &str, message: &str) -> PyResult<()> {
    let warn = py.import("warnings")?.getattr("warn")?;
    warn.call1((message, class_of(py, class)?, 2)).map(drop)
}

/// Logs an error that a response hides. A failure to log is ignored.
pub(crate) fn log(py: Python<'_>, message: &str) {
    let logger = py
        .import("logging")
        .and_then(|logging| logging.call_method1("getLogger", ("flask_carafe",)));
    drop(logger.and_then(|logger| logger.call_method1("error", (message,))));
}

fn class_of<'py>(py: Python<'py>, class: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || {
        PyModule::import(py, "flask_carafe.errors").map(Bound::unbind)
    });
    module.and_then(|module| module.bind(py).getattr(class))
}

/// Returns the exception of a failure that is not caused by the caller.
pub(crate) fn unavailable(error: impl Error + 'static) -> PyErr {
    PyRuntimeError::new_err(ErrorChain::of(&error).to_string())
}

pub(crate) fn of_store(py: Python<'_>, error: &StoreError) -> PyErr {
    let class = match error {
        StoreError::Unavailable(_) | StoreError::Full => "StoreUnavailable",
        StoreError::Timeout(_) => "StoreTimeout",
        StoreError::Corrupt(_) => "StoreCorrupt",
        StoreError::Unmet | StoreError::Conflict => "SessionConflict",
        StoreError::Unsupported => "Unsupported",
        StoreError::TooLarge { .. } => "SessionTooLarge",
        _ => "StoreError",
    };
    raise(py, class, &ErrorChain::of(error).to_string())
}

pub(crate) fn of_session(py: Python<'_>, error: &SessionError) -> PyErr {
    let class = match error {
        SessionError::Encode { .. } => "EncodeError",
        SessionError::Decode { .. } => "DecodeError",
        SessionError::AlreadySent => "AlreadySent",
        SessionError::Gone => "SessionGone",
        SessionError::Unsupported => "Unsupported",
        SessionError::Store(error) => return of_store(py, error),
        SessionError::Commit(error) => {
            return raise(
                py,
                commit_class(error),
                &ErrorChain::of(&**error).to_string(),
            );
        }
        _ => "SessionError",
    };
    raise(py, class, &ErrorChain::of(error).to_string())
}

/// Returns the exception of a failed commit, with the response that replaces the handler's.
pub(crate) fn of_commit(py: Python<'_>, error: &CommitError) -> PyErr {
    let raised = raise(py, commit_class(error), &ErrorChain::of(error).to_string());
    let mut head = Head::default();
    let status = error.answer(&mut head);
    let value = raised.value(py);
    let set = value
        .setattr("replacement_status", status)
        .and_then(|()| value.setattr("replacement_headers", head.lines(py)?));
    set.err().unwrap_or(raised)
}

const fn commit_class(error: &CommitError) -> &'static str {
    match error {
        CommitError::TooLarge { .. } | CommitError::Limit(_) => "SessionTooLarge",
        CommitError::TooManySessions { .. } => "TooManySessions",
        CommitError::Conflict => "SessionConflict",
        CommitError::Store { source, .. } => match source {
            StoreError::Timeout(_) => "StoreTimeout",
            StoreError::Corrupt(_) => "StoreCorrupt",
            StoreError::TooLarge { .. } => "SessionTooLarge",
            StoreError::Unmet | StoreError::Conflict => "SessionConflict",
            _ => "StoreUnavailable",
        },
        _ => "CommitError",
    }
}

/// Calls `run`, and converts a panic to an exception.
///
/// PyO3 would convert the panic to an exception that `except Exception` does not catch, which stops
/// a server's worker.
pub(crate) fn catch<T>(py: Python<'_>, run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let _call = events::Call::begin(py);
    // The engine's state is consistent after a panic, because no lock is held while code of the
    // caller runs.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(raise(
            py,
            "InternalError",
            "the engine has a defect; its message is on standard error",
        ))
    })
}
