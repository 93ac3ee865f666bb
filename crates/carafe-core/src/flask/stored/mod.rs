//! What Flask-Session 0.8 keeps in Redis and in its SQL table, read and written (feature `flask-session`).
//!
//! A record there is one dictionary, in MessagePack or JSON as `msgspec` writes them, under a prefix and the
//! session id itself. [`FlaskSession`] makes a [`Record`](crate::store::Record) of it and back; the stores that
//! share these layouts only carry bytes.
//!
//! What was not changed comes back with the same meaning in Python, and from `msgspec`'s own texts with the same
//! bytes. Types that JSON lacks stand in Flask's tags, or in the two forms that `key` and `msgpack` tell of.
//! A pickle is refused by name: unpickling runs what it says. Nothing here does I/O.
//!
//! | file | holds |
//! |---|---|
//! | `layout` | [`FlaskSession`]: names, records, values, the next state |
//! | `format` | [`Format`], and which of them bytes are in |
//! | `msgpack`, `json` | the two formats; `key` is keys that are no text, `date` is moments |
//! | `facts` | what Carafe knows of a session beside its dictionary |
//! | `walk` | [`Walk`]: going through all sessions, to take them elsewhere |
//! | `error` | [`Unreadable`] and [`Unwritable`] |

mod date;
mod error;
mod facts;
mod format;
mod json;
mod key;
mod layout;
mod msgpack;
mod walk;

pub use error::{Unreadable, Unwritable};
pub use facts::FACTS;
pub use format::Format;
pub use layout::{FlaskSession, Next};
pub use walk::{Met, Walk, Walked};

/// The members of a dictionary: each key as JSON text with its quotes, each value as JSON text with Flask's tags.
type Members = Vec<(String, String)>;

#[cfg(test)]
mod tests;
