//! Measuring: candidates in, results out. Knows no peer and no scenario.
//!
//! Two cores shared with others make wall time useless and a single CPU time doubtful. So every candidate
//! is a short batch, all batches of a family run once a round, and a result is the median of many rounds;
//! differences are taken within a round before the median, so that a slow moment falls on both sides.

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

/// What a step comes to; the error is one line for a human.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
