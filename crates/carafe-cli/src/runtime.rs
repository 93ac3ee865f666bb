//! The runtime of commands that call a store.

use std::{future::Future, io};

use crate::failure::Failure;

/// Runs `work` to completion on this thread. Stores are I/O-bound.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let started = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let no_runtime =
        |error: io::Error| Failure::trouble(format_args!("cannot start the runtime: {error}"));
    started.map_err(no_runtime)?.block_on(work)
}
