//! Reads and writes the sessions of Flask-Session 0.8 in Redis and SQL (feature `flask-session`).
//!
//! A stored record is one dictionary, in MessagePack or JSON as written by `msgspec`, under a
//! prefix and the session ID itself. [`FlaskSession`] converts the dictionary from and to a
//! [`Record`](crate::store::Record). The stores with these layouts only transport bytes.
//!
//! Unchanged values keep their meaning in Python, and values from `msgspec`'s own output keep their
//! bytes. Types that JSON lacks are represented by Flask's tags, or by the two forms that `key` and
//! `msgpack` describe. A pickle is recognized and rejected, because unpickling executes code. This
//! module does no I/O.
//!
//! | file | content |
//! |---|---|
//! | `layout` | [`FlaskSession`]: names, records, values, the next state |
//! | `format` | [`Format`], and its detection |
//! | `msgpack`, `json` | the two formats; `key` for keys that are not strings, `date` for moments |
//! | `facts` | Carafe's metadata of a session |
//! | `walk` | [`Walk`]: iteration over all sessions, for a migration |
//! | `error` | [`Unreadable`] and [`Unwritable`] |
//!
//! # Example
//!
//! A session as Flask-Session has stored it under `session:ID` in Redis, with a time to live:
//!
//! ```
//! use carafe_core::{clock::Timestamp, flask::stored::FlaskSession};
//!
//! let layout = FlaskSession::default();
//! let id = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
//! let (_, key) = layout.key_of(format!("session:{id}").as_bytes()).expect("the prefix");
//! let key = key?;
//!
//! let now = Timestamp::from_unix(1_700_000_000);
//! let value = b"\x82\xa8_user_id\xa3ada\xa5theme\xa4dark"; // MessagePack
//! let record = layout.record(&key, value, now.saturating_add(3_600), now)?;
//! assert_eq!(record.data.text_of("theme"), Some(r#""dark""#));
//! assert_eq!(layout.value(&key, &record)?, value, "an unchanged session keeps its bytes");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
pub use format::Format;
pub use layout::{FlaskSession, Next};
pub use walk::{Met, Walk, Walked};

/// The members of a dictionary, as texts.
///
/// Each key is JSON text with its quotes, each value is JSON text with Flask's tags.
type Members = Vec<(String, String)>;

#[cfg(test)]
mod tests;
