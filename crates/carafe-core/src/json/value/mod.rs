//! A value of a type not known in advance, which survives a round trip through Rust unchanged.
//!
//! Numbers and strings keep their JSON text, so big integers and lone surrogates survive. Python's
//! own types are variants, and an unknown tag is a [`Value::Dict`] with one member.
//!
//! `parse.rs` parses text, and `bridge.rs` converts values from and to serde.

mod bridge;
mod parse;

use std::{borrow::Cow, fmt};

use super::{JsonDialect, number, string, tag, to_text};

/// Any value of a session.
///
/// ```
/// use carafe_core::json::{JsonDialect, Value, to_text};
/// let text = r#"[{" t":[1]},NaN,"\ud800",{" zz":1234567890123456789012345678901234567890}]"#;
/// let value = Value::parse(text, true)?;
/// assert!(matches!(&value, Value::List(items) if matches!(&items[0], Value::Tuple(_))));
/// assert_eq!(to_text(&value, JsonDialect::FLASK)?, text);
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
    /// A string.
    String(Text),
    /// A list.
    List(Vec<Value>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A dict, in the order of its text.
    Dict(Vec<(Text, Value)>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A string that is safe in HTML.
    Markup(Text),
    /// A UUID.
    Uuid(tag::Uuid),
    /// A datetime, as its text. Python reads None if [`date`](Self::date) returns `None`.
    DateTime(Text),
}

impl Value {
    /// Returns the text of a string or markup, or `None` for other values and for lone surrogates.
    ///
    /// ```
    /// use carafe_core::json::Value;
    ///
    /// let text = |json| {
    ///     let value = Value::parse(json, true).ok()?;
    ///     Some(value.as_str()?.into_owned())
    /// };
    /// assert_eq!(text(r#""caf\u00e9""#).as_deref(), Some("café"));
    /// assert_eq!(text(r#"{" m":"<b>bold</b>"}"#).as_deref(), Some("<b>bold</b>"));
    /// assert_eq!(text("42"), None);
    /// assert_eq!(text(r#""\ud800""#), None, "a lone surrogate");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::String(text) | Self::Markup(text) => text.as_str(),
            _ => None,
        }
    }

    /// Returns the moment of a datetime, or `None` if its text is not a date.
    ///
    /// ```
    /// use carafe_core::json::Value;
    /// let value = Value::parse(r#"{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}"#, true)?;
    /// assert_eq!(value.date().unwrap().timestamp().unix(), 1_700_000_000);
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    #[must_use]
    pub fn date(&self) -> Option<tag::DateTime> {
        match self {
            Self::DateTime(text) => tag::DateTime::of_raw(&text.0),
            _ => None,
        }
    }
}

/// Writes the value as Flask would, on one line, or the reason why the value cannot be written.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = JsonDialect {
            sort_keys: false,
            ..JsonDialect::FLASK
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
///
/// ```
/// use carafe_core::json::Value;
///
/// let Value::Number(price) = Value::parse("0.10", true)? else { panic!() };
/// assert_eq!(price.as_text(), "0.10", "the zero is kept");
/// assert_eq!(price.as_i128(), None);
/// # Ok::<(), carafe_core::json::ScanError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Box<str>);

impl Number {
    /// Returns the number's JSON text unchanged.
    #[must_use]
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// Returns the number if it is an integer that an `i128` can represent.
    ///
    /// ```
    /// use carafe_core::json::Value;
    /// let Value::Number(number) = Value::parse("12345678901234567890", true)? else { panic!() };
    /// assert_eq!(number.as_i128(), Some(12_345_678_901_234_567_890));
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    #[must_use]
    pub fn as_i128(&self) -> Option<i128> {
        self.0.parse().ok()
    }

    /// Returns the number, rounded if necessary.
    ///
    /// ```
    /// use carafe_core::json::Value;
    /// let Value::Number(number) = Value::parse("2.50", true)? else { panic!() };
    /// assert_eq!((number.as_f64(), number.as_text()), (2.5, "2.50"));
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        // The text was scanned as a number, and every number can be read as a float.
        number::read_float(&self.0).unwrap_or(f64::NAN)
    }
}

/// A string, as its JSON text. Python's strings may contain lone surrogates, which Rust's cannot.
///
/// ```
/// use carafe_core::json::Value;
///
/// let Value::String(text) = Value::parse(r#""\ud800!""#, true)? else { panic!() };
/// assert_eq!(text.as_str(), None);
/// assert_eq!(text.as_raw(), r#""\ud800!""#, "written again without a change");
/// assert_eq!(text.to_string(), "\u{fffd}!");
/// # Ok::<(), carafe_core::json::ScanError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text(Box<str>);

impl Text {
    /// Creates the JSON text of a Rust string.
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

    /// Returns the string, or `None` if no Rust string can represent it.
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        if self.0.starts_with('"') {
            string::decode(&self.0).ok()
        } else {
            None
        }
    }

    /// Returns the JSON text unchanged, quotes included.
    ///
    /// For Markup of a value other than a string, which occurs only in handwritten payloads,
    /// returns that value's text.
    #[must_use]
    pub fn as_raw(&self) -> &str {
        &self.0
    }
}

/// Writes U+FFFD for lone surrogates.
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
