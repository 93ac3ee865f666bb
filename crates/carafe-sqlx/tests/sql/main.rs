//! The stores in Postgres, MySQL and MariaDB.
//!
//! | module | asserts |
//! |---|---|
//! | `mysql` | the contract, [`suite`] and Flask-Session's table on MariaDB or MySQL |
//! | `postgres` | the same on Postgres, and behind a pooler |
//! | `rubbish` | the memory that invalid replies of a server take; needs no server |
//!
//! `rubbish` shares this binary because it counts allocations per thread and no other module counts
//! them. It replaces the panic hook of the process, so concurrent tests then fail without a
//! backtrace.

#![allow(clippy::print_stdout, reason = "a seed that is not said is of no use")]

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod rubbish;
mod suite;
mod support;
