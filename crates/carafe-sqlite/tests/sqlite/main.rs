//! The store in an SQLite file.
//!
//! | module | asserts |
//! |---|---|
//! | `conformance` | the contract of stores and the life of a session |
//! | `corrupt` | damaged rows |
//! | `flask_session` | Flask-Session's table |
//! | `kill` | `kill -9` loses nothing that was acknowledged |
//! | `opening` | who makes the tables, which are refused, who may read them |
//! | `races` | many threads and processes on one session |
//! | `trouble` | locks, full queues, panics, closing |
//!
//! `kill` and `races` start this program again with `--exact` and variables in the environment of that process only. A
//! test of `trouble` silences the panic hook of the process for the time of thirty writes.

mod common;
mod conformance;
mod corrupt;
#[cfg(feature = "flask-session")]
mod flask_session;
#[cfg(unix)] // elsewhere `kill` is not as sudden
mod kill;
mod opening;
mod races;
mod trouble;
