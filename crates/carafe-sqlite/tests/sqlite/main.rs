//! The store in an SQLite file.
//!
//! | module | asserts |
//! |---|---|
//! | `conformance` | the conformance tests of stores and sessions |
//! | `corrupt` | damaged rows |
//! | `flask_session` | Flask-Session's table |
//! | `kill` | `kill -9` loses no acknowledged write |
//! | `opening` | creation of the tables, rejected files, permissions |
//! | `races` | many threads and processes on one session |
//! | `trouble` | locks, full queues, panics, closing |
//!
//! `kill` and `races` start this program again with `--exact` and with variables in the environment
//! of that process only. A test of `trouble` silences the panic hook of the process during thirty
//! writes.

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
