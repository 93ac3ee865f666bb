//! The tokio runtime of a process. It starts with the first store, and again after a fork.
//!
//! A child process has none of its parent's threads, so the parent's runtime and stores are useless
//! in it. They are never dropped there: dropping them would wait for threads that do not exist, and
//! would close connections that the parent still uses.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use pyo3::{prelude::*, pyfunction};
use tokio::runtime::{Builder, Runtime};

use crate::errors;

/// Counts the forks that led to this process.
static GENERATION: AtomicU64 = AtomicU64::new(0);
static RUNTIME: Mutex<Option<(u64, &'static Runtime)>> = Mutex::new(None);

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
    // One worker drives timers and connections; the futures of requests run on their own threads.
    let built = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("carafe")
        .enable_all()
        .build();
    let runtime: &'static Runtime = Box::leak(Box::new(built.map_err(errors::unavailable)?));
    *known = Some((generation(), runtime));
    Ok(runtime)
}
