//! The JSON of sessions: what CPython's `json` and Flask's tags read and write, to the byte.
//!
//! A payload is one object. [`scan_root`] checks all of it once and says where each member lies;
//! a member's text is parsed only when it is read ([`from_text`], [`Value`]) and written only when it
//! is new ([`to_text`]); [`write_object`] joins the texts again. So what nobody touches keeps every
//! byte: tags we do not know, big integers, `NaN`, lone surrogates.
//!
//! Nothing here recurses deeper than [`MAX_DEPTH`] or panics on any text.
//!
//! Next: `scan.rs` the grammar, `check.rs` the rules of the tags, `ser/` and `de/` the two halves of
//! serde, `tag/` the types for Python's tuple, bytes, Markup, UUID and datetime.

mod check;
mod de;
mod members;
mod number;
mod root;
mod scan;
mod ser;
pub mod string;
mod style;
pub mod tag;
mod value;
mod write;

pub(crate) use check::is_truthy;
pub use de::{DecodeError, from_text};
pub use members::{Member, Members, Root, Span};
pub use number::write_float;
pub(crate) use scan::is_member_value;
pub use scan::{MAX_DEPTH, MAX_DIGITS, ScanError, scan_root, validate};
pub use ser::{EncodeError, append_text, to_text};
pub use style::Style;
pub use value::{Number, Text, Value};
pub(crate) use write::join;
pub use write::write_object;
