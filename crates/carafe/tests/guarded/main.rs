//! A guarded store: the contract still holds, and trouble stays bounded. `fickle` is a store that fails, hangs
//! and recovers when it is told to; the clock stands still and is turned by the tests.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod circuit;
mod conformance;
mod everywhere;
mod fickle;
mod journal;
mod log_outs;
mod requests;
mod stale;
