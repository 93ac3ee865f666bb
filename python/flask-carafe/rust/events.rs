//! The engine's log events as records of Python's logger `flask_carafe`.
//!
//! The engine logs while it holds locks, and Python code may switch threads, so an event waits
//! until the call that caused it has returned. An event of a thread without a call, such as that of
//! a lost connection, waits for the next call.

use std::{
    cell::{Cell, RefCell},
    fmt::{Debug, Write as _},
    sync::{
        Mutex, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
};

use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{IntoPyDict, PyDict},
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::Interest,
};

/// The field that `tracing` puts the text of an event into.
const MESSAGE: &str = "message";
/// How many events of other threads wait at most. Later ones are dropped.
const WAITING: usize = 256;

/// An event that waits to be logged.
struct Waiting {
    level: Level,
    message: String,
    fields: Vec<(&'static str, String)>,
}

thread_local! {
    /// How many calls of the engine are in progress on this thread.
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static OWN: RefCell<Vec<Waiting>> = const { RefCell::new(Vec::new()) };
}
static OTHERS: Mutex<Vec<Waiting>> = Mutex::new(Vec::new());
static OTHERS_WAIT: AtomicBool = AtomicBool::new(false);

/// Starts collecting events. Later calls have no effect.
pub(crate) fn collect() {
    // Fails if this module has already done so.
    let _ = tracing::subscriber::set_global_default(Collector);
}

/// A call of the engine by Python. The end of the outermost one logs the events.
pub(crate) struct Call<'py>(Python<'py>);

impl<'py> Call<'py> {
    pub(crate) fn begin(py: Python<'py>) -> Self {
        CALLS.set(CALLS.get() + 1);
        Self(py)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        CALLS.set(CALLS.get() - 1);
        if CALLS.get() > 0 {
            return;
        }
        for event in OWN.take() {
            log(self.0, &event);
        }
        if OTHERS_WAIT.swap(false, Ordering::Acquire) {
            let others = OTHERS
                .try_lock()
                .map(|mut others| std::mem::take(&mut *others));
            for event in others.unwrap_or_default() {
                log(self.0, &event);
            }
        }
    }
}

/// Logs one record. An error of a handler is ignored, because the engine's caller cannot act on it.
fn log(py: Python<'_>, event: &Waiting) {
    let _ = try_log(py, event);
}

fn try_log(py: Python<'_>, event: &Waiting) -> PyResult<()> {
    static LOGGER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let logger = LOGGER.get_or_try_init(py, || {
        let logging = py.import("logging")?;
        let logger = logging.call_method1("getLogger", ("flask_carafe",))?;
        PyResult::Ok(logger.unbind())
    })?;
    let fields = event.fields.iter().map(|(name, value)| (*name, value));
    let extra = [("carafe", fields.into_py_dict(py)?)].into_py_dict(py)?;
    let arguments = (number(event.level), &event.message);
    let keywords: Bound<'_, PyDict> = [("extra", extra)].into_py_dict(py)?;
    logger
        .bind(py)
        .call_method("log", arguments, Some(&keywords))
        .map(drop)
}

/// Returns Python's number of a level.
fn number(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        _ => 10,
    }
}

/// Collects the events of Carafe's crates.
struct Collector;

impl Subscriber for Collector {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.enabled(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("carafe")
    }

    fn event(&self, event: &Event<'_>) {
        let mut waiting = Waiting {
            level: *event.metadata().level(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut waiting);
        if CALLS.try_with(Cell::get).is_ok_and(|calls| calls > 0) {
            OWN.with_borrow_mut(|own| own.push(waiting));
            return;
        }
        // A fork may have copied the lock while it was held, so it must not be waited for.
        for _ in 0..WAITING {
            match OTHERS.try_lock() {
                Ok(mut others) => {
                    if others.len() < WAITING {
                        others.push(waiting);
                        OTHERS_WAIT.store(true, Ordering::Release);
                    }
                    return;
                }
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
                Err(TryLockError::Poisoned(_)) => return,
            }
        }
    }

    // There are no spans: `enabled` refuses them.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl Visit for Waiting {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            MESSAGE => value.clone_into(&mut self.message),
            name => self.fields.push((name, value.to_owned())),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // Writing to a `String` fails only if the value's own `fmt` does.
        let _ = write!(text, "{value:?}");
        match field.name() {
            MESSAGE => self.message = text,
            name => self.fields.push((name, text)),
        }
    }
}
