//! The measuring harness: takes candidates and returns results. Contains no peer and no scenario.
//!
//! On two shared cores, wall time is useless and a single CPU time is unreliable. Every candidate
//! is therefore a short batch, all batches of a family run once per round, and a result is the
//! median of many rounds. Differences are computed within a round, before the median, so that a
//! slow moment affects both sides.

mod alloc;
mod candidate;
pub(crate) mod cpu;
pub(crate) mod instructions;
mod measured;
mod table;

pub(crate) use alloc::{CountingAllocator, asked};
pub(crate) use candidate::{Candidate, Candidates};
pub(crate) use measured::{Measured, measure, median};
pub(crate) use table::Table;

/// The result of a step. The error is one line for the user.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
