//! The engine of Carafe: cookies and sessions with Flask's model and Flask's wire format.
//!
//! Nothing in here opens a socket, knows a web framework or reads a clock: header bytes and the time
//! come in, decisions and header text go out. Applications use the crate `carafe`, or `carafe-actix`; this one is
//! for adapters to other frameworks, for stores, and for programs that sign or read cookies themselves.
//!
//! | room | what it does | it never |
//! |---|---|---|
//! | [`key`] | secret keys and the key ring | shows a key |
//! | [`token`] | signed and encrypted text | decodes before it has verified |
//! | [`json`] | Python's and Flask's JSON, to the byte | touches what was not written |
//! | [`cookie`] | `Cookie` in, `Set-Cookie` out | knows a session |
//! | [`store`] | the contract of stores, the one in memory | sees a session id |
//! | [`session`] | the dictionary, and what a request does to it | does I/O |
//! | [`flask`] | a Flask application's settings, by their names | guesses what was meant |

#![warn(clippy::print_stdout, clippy::print_stderr)]

#[cfg(feature = "actix")]
mod actix;
mod answer;
#[cfg(feature = "axum")]
pub mod axum;
mod base64;
pub mod clock;
pub mod cookie;
pub mod flask;
pub mod json;
pub mod key;
pub mod prelude;
pub mod session;
pub mod store;
pub mod token;

pub use answer::Answer;
