//! The stores in Postgres, MySQL and MariaDB.
//!
//! | module | asserts |
//! |---|---|
//! | `mysql` | the contract, [`suite`] and Flask-Session's table on MariaDB or MySQL |
//! | `postgres` | the same on Postgres, and behind a pooler |
//! | `rubbish` | what an operation costs when the other side is no database; needs no server |
//!
//! `rubbish` may be here because its allocations are counted for each thread, and no other module counts. It replaces the
//! panic hook of the process: the tests beside it then fail without a backtrace.

#![allow(clippy::print_stdout, reason = "a seed that is not said is of no use")]

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod rubbish;
mod suite;
mod support;
