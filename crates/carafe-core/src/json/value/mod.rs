//! A value of a type not known in advance, which loses nothing on the way through Rust.
//!
//! Numbers and strings keep their JSON text, so big integers and halves of surrogate pairs survive;
//! Python's own types are variants; a tag nobody knows is a [`Value::Dict`] with one member.
//!
//! Next: `parse.rs` makes values from text, `bridge.rs` takes them in and out of serde.

mod bridge;
mod parse;

use std::{borrow::Cow, fmt};

use super::{ScanError, Style, number, string, tag, to_text};

/// Any value of a session.
///
/// ```
/// use carafe_core::json::{Style, Value, to_text};
/// let text = r#"[{" t":[1]},NaN,"\ud800",{" zz":12345678901234567890123456789012345678901234567890}]"#;
/// let value = Value::parse(text, true)?;
/// assert!(matches!(&value, Value::List(items) if matches!(&items[0], Value::Tuple(_))));
/// assert_eq!(to_text(&value, Style::FLASK)?, text);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Python's `None`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of any size or a float.
    Number(Number),
    /// Text.
    String(Text),
    /// A list.
    List(Vec<Value>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A dict, in the order of its text.
    Dict(Vec<(Text, Value)>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Text that is safe in HTML.
    Markup(Text),
    /// A UUID.
    Uuid(tag::Uuid),
    /// A datetime, as its text; Python holds None if [`date`](Self::date) is none.
    DateTime(Text),
}

impl Value {
    /// Reads a value; with `tags`, Flask's tags become the types they stand for.
    ///
    /// # Errors
    ///
    /// When Flask could not read it either, or it exceeds the limits of [`ScanError`].
    pub fn parse(text: &str, tags: bool) -> Result<Self, ScanError> {
        parse::parse(text, tags)
    }

    /// The text of a string or markup that Rust can hold.
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::String(text) | Self::Markup(text) => text.as_str(),
            _ => None,
        }
    }

    /// The moment of a datetime whose text is a date.
    #[must_use]
    pub fn date(&self) -> Option<tag::DateTime> {
        match self {
            Self::DateTime(text) => tag::DateTime::of_raw(&text.0),
            _ => None,
        }
    }
}

/// The value as Flask would write it, on one line; if it cannot be written, why.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = Style {
            sort_keys: false,
            ..Style::FLASK
        };
        // An error of `fmt` would make `to_string` panic.
        match to_text(self, style) {
            Ok(text) => f.write_str(&text),
            Err(error) => write!(f, "({error})"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(Text::new(text))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(Number(value.to_string().into()))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        let mut text = String::new();
        number::write_float(value, &mut text);
        Self::Number(Number(text.into()))
    }
}

/// A number, as its JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Box<str>);

impl Number {
    /// The text as it came.
    #[must_use]
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// The number, if it is an integer that fits.
    #[must_use]
    pub fn as_i128(&self) -> Option<i128> {
        self.0.parse().ok()
    }

    /// The number, rounded if need be.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        // The text was scanned as a number, and every number reads as a float.
        number::read_float(&self.0).unwrap_or(f64::NAN)
    }
}

/// A string, as its JSON text: Python's strings may hold what Rust's cannot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text(Box<str>);

impl Text {
    /// The text of a Rust string.
    ///
    /// ```
    /// use carafe_core::json::Text;
    /// assert_eq!(Text::new("é").as_raw(), r#""\u00e9""#);
    /// ```
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut raw = String::new();
        string::write(text, true, &mut raw);
        Self(raw.into())
    }

    /// The string, if Rust can hold it.
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        if self.0.starts_with('"') {
            string::decode(&self.0).ok()
        } else {
            None
        }
    }

    /// The JSON text as it came, with quotes. (Markup of something other than a string, which only
    /// hand-made payloads hold, is that something.)
    #[must_use]
    pub fn as_raw(&self) -> &str {
        &self.0
    }
}

/// With U+FFFD for what Rust cannot hold.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self
            .0
            .starts_with('"')
            .then(|| string::decode_lossy(&self.0));
        f.write_str(shown.as_deref().unwrap_or(&self.0))
    }
}

#[cfg(test)]
mod tests;
