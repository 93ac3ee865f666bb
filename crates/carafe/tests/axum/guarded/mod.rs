//! A guarded store: it conforms to the contract, and limits the impact of failures.
//!
//! `fickle` is a store that fails, hangs and recovers as requested; the clock is paused.

mod circuit;
mod conformance;
mod everywhere;
mod fickle;
mod journal;
mod log_outs;
mod requests;
