//! What the store does with real servers: private ones, started by each test, gone with it.
//!
//! `conformance` is the contract; `cost` counts commands; `races` has many at once and in every order;
//! `faults` takes the server away; `rubbish` is what the store must not touch; `moves` is rotation in a
//! cluster, step by step; `index` is the list of all sessions; `wait` is a fail-over; `flask_session` is a layout of
//! others; `tls` and `sentinel` are other ways to a server.
//! `CARAFE_FULL=1` runs the long forms; `CARAFE_SEED` repeats a failing one.

mod conformance;
mod cost;
mod faults;
#[cfg(feature = "flask-session")]
mod flask_session;
mod index;
mod moves;
mod races;
mod rubbish;
mod sentinel;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod wait;
mod ways;
