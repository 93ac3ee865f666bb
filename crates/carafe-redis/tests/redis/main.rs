//! The store with real servers, which each test starts and stops.
//!
//! | module | subject |
//! |---|---|
//! | `conformance` | the conformance suites |
//! | `cost` | number of commands |
//! | `races` | concurrent calls in all orders |
//! | `faults` | failing servers |
//! | `corrupt` | values that are no sessions |
//! | `moves` | rotation in a cluster, step by step |
//! | `keys` | expiry of keys |
//! | `old_layout` | layout 2 |
//! | `index`, `users` | the indices of all sessions and of a user |
//! | `wait` | waiting for replicas |
//! | `flask_session` | Flask-Session's layout |
//! | `urls`, `tls`, `sentinel` | ways to reach a server |
//!
//! `CARAFE_FULL=1` runs the long forms; `CARAFE_SEED` repeats a failing one.

// The tests nest the futures of the store in futures of their own, unboxed.
#![recursion_limit = "256"]

mod conformance;
mod corrupt;
mod cost;
mod faults;
#[cfg(feature = "flask-session")]
mod flask_session;
mod index;
mod keys;
mod moves;
mod old_layout;
mod races;
mod sentinel;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod urls;
mod users;
mod wait;
