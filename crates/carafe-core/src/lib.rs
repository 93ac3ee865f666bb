//! The engine of Carafe: cookies and sessions with Flask's model and Flask's wire format.
//!
//! Nothing in here opens a socket, knows a web framework or reads a clock: header bytes and the time
//! come in, decisions and header text go out. Applications use the `carafe` crate; this one is for
//! adapters to other frameworks, for stores, and for programs that sign or read cookies themselves.

mod base64;
pub mod clock;
pub mod cookie;
pub mod json;
pub mod key;
