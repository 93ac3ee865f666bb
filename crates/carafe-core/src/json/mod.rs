//! The JSON of sessions: reads and writes CPython's `json` format and Flask's tags byte for byte.
//!
//! A payload is one object. [`scan_root`] validates the whole payload once and returns the span of
//! each member. A member's text is parsed only when the member is read ([`from_text`], [`Value`])
//! and is written only when the member is new ([`to_text`]); [`write_object`] joins the member
//! texts again. Members that a request does not change therefore keep every byte: unknown tags, big
//! integers, `NaN`, lone surrogates.
//!
//! No function in this module recurses deeper than [`MAX_DEPTH`] levels, and none panics on any
//! input.
//!
//! `payload.rs` handles whole payloads, `scan.rs` the grammar, `tags.rs` the rules of the tags,
//! `ser/` and `de/` serde, and `tag/` contains the types that represent Python's tuple, bytes,
//! Markup, UUID and datetime.
//!
//! # Example
//!
//! ```
//! use carafe_core::json::{JsonDialect, from_text, scan_root, to_text, write_object};
//!
//! let payload = r#"{"big":123456789012345678901234567890,"cart":["tea"]}"#;
//! let root = scan_root(payload, true)?;
//! let members: Vec<_> = root.members.iter().map(|member| {
//!     (member.key.of(payload), member.value.of(payload))
//! }).collect();
//! let mut cart: Vec<String> = from_text(members[1].1, true)?;
//! cart.push("rice".to_owned());
//! let cart = to_text(&cart, JsonDialect::FLASK)?;
//!
//! // The big integer, which no Rust integer can hold, keeps its digits.
//! let written = write_object([members[0], ("\"cart\"", &cart)].into_iter(), JsonDialect::FLASK);
//! assert_eq!(written, r#"{"big":123456789012345678901234567890,"cart":["tea","rice"]}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod de;
mod dialect;
mod number;
mod payload;
mod scan;
mod ser;
mod spans;
pub mod string;
pub mod tag;
mod tags;
mod value;
mod write;

pub(crate) use de::from_members;
pub use de::{DecodeError, from_text};
pub use dialect::JsonDialect;
pub use number::write_float;
pub(crate) use payload::check_member_value;
pub use payload::{scan_root, validate};
pub use scan::{MAX_DEPTH, MAX_DIGITS, ScanError};
pub use ser::{EncodeError, append_text, to_text};
pub use spans::{Member, Members, Root, Span};
pub(crate) use tags::is_truthy;
pub use value::{Number, Text, Value};
pub(crate) use write::join;
pub use write::write_object;
