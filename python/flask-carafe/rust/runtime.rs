//! The tokio runtime of a process. It starts with the first store, and again after a fork.
//!
//! The thread of a request drives the runtime while it waits for the store, so a call of a store
//! needs no switch of threads. A thread of the runtime's own drives it while no request does, for
//! the tasks and connections that remain.
//!
//! A child process has none of its parent's threads, so the parent's runtime and stores are useless
//! in it. They are never dropped there: dropping them would wait for threads that do not exist, and
//! would close connections that the parent still uses.

use std::{
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use pyo3::{prelude::*, pyfunction};
use tokio::{
    runtime::{self, Builder},
    sync::Notify,
    task::yield_now,
};

use crate::errors;

/// Counts the forks that led to this process.
static GENERATION: AtomicU64 = AtomicU64::new(0);
static RUNTIME: Mutex<Option<(u64, &'static Runtime)>> = Mutex::new(None);
/// How long no call may come before the runtime's own thread waits in the runtime.
const QUIET: Duration = Duration::from_millis(10);

/// Records that this process was forked. Registered with `os.register_at_fork`.
#[pyfunction]
pub(crate) fn after_fork() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Returns the number of forks that led to this process.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Returns the runtime of this process.
///
/// The lock is held only while the interpreter is attached, so no other thread holds it during a
/// fork.
pub(crate) fn runtime(_attached: Python<'_>) -> PyResult<&'static Runtime> {
    let mut known = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((generation, runtime)) = *known
        && generation == self::generation()
    {
        return Ok(runtime);
    }
    let runtime = Runtime::start().map_err(errors::unavailable)?;
    *known = Some((generation(), runtime));
    Ok(runtime)
}

/// A runtime that the waiting threads drive.
///
/// Tokio lets one of the threads in `block_on` drive at a time, and passes that on. The fields only
/// make that a thread of a request, which saves a switch of threads; no result depends on them.
pub(crate) struct Runtime {
    inner: runtime::Runtime,
    /// Counts the calls.
    calls: AtomicU64,
    /// Whether the runtime's own thread waits in the runtime.
    is_quiet: AtomicBool,
    called: Notify,
}

impl Runtime {
    fn start() -> io::Result<&'static Self> {
        let runtime: &Self = Box::leak(Box::new(Self {
            inner: Builder::new_current_thread().enable_all().build()?,
            calls: AtomicU64::new(0),
            is_quiet: AtomicBool::new(false),
            called: Notify::new(),
        }));
        let thread = thread::Builder::new().name("carafe".to_owned());
        thread.spawn(|| runtime.keep_driving())?;
        Ok(runtime)
    }

    /// Returns the output of `future`.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.is_quiet.load(Ordering::Relaxed) {
            self.called.notify_one();
        }
        self.inner.block_on(future)
    }

    /// Drives the runtime whenever no call does.
    fn keep_driving(&self) {
        let mut known = self.calls.load(Ordering::Relaxed);
        loop {
            thread::sleep(QUIET);
            let calls = self.calls.load(Ordering::Relaxed);
            if calls == known {
                self.is_quiet.store(true, Ordering::Relaxed);
                self.inner.block_on(self.called.notified());
                self.is_quiet.store(false, Ordering::Relaxed);
            } else {
                // A call that is ready at its first poll drives nothing.
                self.inner.block_on(yield_now());
            }
            known = calls;
        }
    }
}
