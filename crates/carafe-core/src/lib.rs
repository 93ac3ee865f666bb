//! The engine of Carafe: cookies and sessions with Flask's model and Flask's wire format.
//!
//! This crate opens no socket, uses no web framework and reads no clock: its inputs are header
//! bytes and the time, its outputs are decisions and header text. Applications use the crate
//! `carafe` or `carafe-actix`. This crate is for adapters to other frameworks, for stores, and for
//! programs that sign or read cookies themselves.
//!
//! | module | responsibility | it never |
//! |---|---|---|
//! | [`key`] | secret keys and the key ring | shows a key |
//! | [`token`] | signed and encrypted text | decodes unverified text |
//! | [`json`] | Python's and Flask's JSON, byte for byte | changes unmodified text |
//! | [`cookie`] | parsing `Cookie`, rendering `Set-Cookie` | depends on a session |
//! | [`store`] | the contract of stores, and the memory store | sees a session ID |
//! | [`session`] | the dictionary, and the operations on it during a request | opens a socket |
//! | [`csrf`] | detection of cross-site requests | depends on a token |
//! | [`limits`] | size limits | depends on a store |
//! | [`error`] | responsibility for errors | repeats a cause |
//! | [`testing`] | clients and a clock for tests | depends on a framework |
//! | [`flask`] | a Flask application's settings, by their names | guesses a setting |

#![warn(clippy::print_stdout, clippy::print_stderr)]

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
mod base64;
pub mod clock;
pub mod cookie;
pub mod csrf;
mod data;
pub mod error;
pub mod flask;
mod future;
mod id;
pub mod json;
pub mod key;
pub mod limits;
pub mod session;
pub mod store;
pub mod testing;
pub mod token;

pub use future::MaybeReady;
