//! The console mounted in an application with its own log-in.
//!
//! | module | tests |
//! |---|---|
//! | `app` | an application over a memory store, called without a socket |
//! | `mount` | pages and links under a path |
//! | `defenses` | requests without a log-in, forms of other sites, read-only consoles |
//! | `audit` | the log events |
//!
//! The pages in detail, outages and very many sessions are tested with `carafe console`, in
//! `carafe-cli`.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod app;
mod audit;
mod defenses;
mod mount;
