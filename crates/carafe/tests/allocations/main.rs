//! Memory costs of requests and operations.
//!
//! This binary contains no test that sets a `tracing` subscriber: a concurrent test that does would
//! make the measuring thread allocate at its first lookup of its own subscriber. The modules do not
//! affect each other, because allocations are counted per thread.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod layer;
mod request;
mod rubbish;
