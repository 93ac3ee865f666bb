//! The runtime of commands that wait for a store.

use std::{future::Future, io};

use crate::failure::Failure;

/// Runs `work` to its end on this thread: stores wait, they do not compute.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let started = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let no_runtime =
        |error: io::Error| Failure::trouble(format_args!("cannot start the runtime: {error}"));
    started.map_err(no_runtime)?.block_on(work)
}
