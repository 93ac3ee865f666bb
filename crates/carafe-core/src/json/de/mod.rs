//! JSON text to values: Python's grammar in, any type that derives serde's `Deserialize` out.
//!
//! Tags are taken off for plain Rust types: a tuple reads as a sequence, markup, UUIDs and dates read as
//! text, bytes as bytes or as the base64 they came as. A tag nobody knows is a map.
//!
//! Python keeps the last of duplicate keys. So do maps read here; a derived struct refuses a duplicate field.
//!
//! Next: `compound.rs` for arrays, objects and enums, `tagged.rs` for tags, `key.rs` for keys.

mod compound;
mod key;
mod tagged;

use std::{borrow::Cow, fmt};

use serde::de::{self, Deserialize, Visitor};

use super::{
    MAX_DEPTH, ScanError, number,
    scan::Scanner,
    string::{self, LoneSurrogate},
};

/// Why a text does not read as the type that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The text is not JSON, or a tag in it holds what it cannot.
    Scan(ScanError),
    /// A string that Rust cannot hold.
    LoneSurrogate,
    /// What the type's own `Deserialize` said, usually that the value is of another type.
    Custom(String),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scan(error) => error.fmt(f),
            Self::LoneSurrogate => LoneSurrogate.fmt(f),
            Self::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Scan(error) => Some(error),
            Self::LoneSurrogate => Some(&LoneSurrogate),
            Self::Custom(_) => None,
        }
    }
}

/// Errors go to the log, so they name the kind of a value and never the value: serde's own text is
/// `invalid type: string "4111 1111 1111 1111", expected u64`.
impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Custom(format!("{}, expected {expected}", kind(found)))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Custom(format!("{} out of range, expected {expected}", kind(found)))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Custom(format!("unknown variant, expected one of {expected:?}"))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Custom(format!("unknown field, expected one of {expected:?}"))
    }
}

const fn kind(value: de::Unexpected<'_>) -> &'static str {
    use de::Unexpected::{
        Bool, Bytes, Char, Enum, Float, Map, NewtypeStruct, NewtypeVariant, Option, Other, Seq,
        Signed, Str, StructVariant, TupleVariant, Unit, UnitVariant, Unsigned,
    };
    match value {
        Bool(_) => "a boolean",
        Unsigned(_) | Signed(_) => "an integer",
        Float(_) => "a float",
        Char(_) | Str(_) => "a string",
        Bytes(_) => "bytes",
        Unit | Option => "null",
        Seq => "a list",
        Map => "a map",
        NewtypeStruct | Enum | Other(_) => "another type",
        UnitVariant | NewtypeVariant | StructVariant | TupleVariant => "another variant",
    }
}

impl From<ScanError> for DecodeError {
    fn from(error: ScanError) -> Self {
        Self::Scan(error)
    }
}

impl From<LoneSurrogate> for DecodeError {
    fn from(_: LoneSurrogate) -> Self {
        Self::LoneSurrogate
    }
}

/// Reads a value; with `tags`, through Flask's tags.
///
/// ```
/// use carafe_core::json::from_text;
/// let flashes: Vec<(String, String)> = from_text(r#"[{" t":["message","Hello"]}]"#, true)?;
/// assert_eq!(flashes, [("message".to_owned(), "Hello".to_owned())]);
/// assert_eq!(from_text::<&str>(r#""borrowed""#, true)?, "borrowed");
/// # Ok::<(), carafe_core::json::DecodeError>(())
/// ```
///
/// # Errors
///
/// When the text is not JSON as Python reads it, or not of this type.
pub fn from_text<'de, T: Deserialize<'de>>(text: &'de str, tags: bool) -> Result<T, DecodeError> {
    let mut reader = Reader::new(text, tags, 0)?;
    let value = T::deserialize(&mut reader)?;
    reader.scanner.end()?;
    Ok(value)
}

/// A position in a text from which values are read.
struct Reader<'de> {
    scanner: Scanner<'de>,
    tags: bool,
    depth: usize,
}

impl<'de> Reader<'de> {
    fn new(text: &'de str, tags: bool, depth: usize) -> Result<Self, DecodeError> {
        let mut scanner = Scanner::new(text)?.at_depth(depth);
        scanner.blanks();
        Ok(Self {
            scanner,
            tags,
            depth,
        })
    }

    fn enter(&mut self) -> Result<(), DecodeError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            Err(ScanError::TooDeep.into())
        } else {
            Ok(())
        }
    }

    /// The text of the value here, which is stepped over.
    fn skip(&mut self) -> Result<&'de str, DecodeError> {
        let start = self.scanner.position();
        self.scanner = self.scanner.clone().at_depth(self.depth);
        self.scanner.value()?;
        Ok(self.scanner.text_from(start))
    }

    fn text(&mut self) -> Result<Cow<'de, str>, DecodeError> {
        Ok(string::decode(self.skip()?)?)
    }

    fn string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        visit_text(self.text()?, visitor)
    }

    fn scalar<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.skip()? {
            "null" => visitor.visit_unit(),
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            number => visit_number(number, visitor),
        }
    }

    fn float<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        if matches!(self.scanner.peek(), b'-' | b'0'..=b'9' | b'N' | b'I')
            && let Some(value) = number::read_float(self.skip()?)
        {
            return visitor.visit_f64(value);
        }
        de::Deserializer::deserialize_any(self, visitor)
    }

    /// What an object stands for to a caller with no wish of its own.
    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.tagged()? {
            Some(tagged) => tagged.any(visitor),
            None => self.map(visitor),
        }
    }
}

fn visit_text<'de, V: Visitor<'de>>(
    text: Cow<'de, str>,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// The smallest type that holds the number; integers beyond 128 bits only fit floats.
pub(super) fn visit_number<'de, V: Visitor<'de>>(
    text: &str,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    if number::is_integer(text) {
        if let Ok(value) = text.parse::<u64>() {
            return visitor.visit_u64(value);
        }
        if let Ok(value) = text.parse::<i64>() {
            return visitor.visit_i64(value);
        }
        if let Ok(value) = text.parse::<i128>() {
            return visitor.visit_i128(value);
        }
        if let Ok(value) = text.parse::<u128>() {
            return visitor.visit_u128(value);
        }
    }
    match number::read_float(text) {
        Some(value) => visitor.visit_f64(value),
        None => Err(de::Error::custom("not a number")),
    }
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.scanner.peek() {
            b'"' => self.string(visitor),
            b'{' => self.object(visitor),
            b'[' => self.array(visitor),
            _ => self.scalar(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.float(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.float(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.scanner.peek() == b'n' {
            self.skip()?;
            return visitor.visit_none();
        }
        if self.is_lost_date()? {
            self.skip()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.tagged()? {
            Some(tagged) => tagged.bytes(visitor),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.tagged()? {
            Some(tagged) => tagged.sequence(visitor),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.choice(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.skip()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string
        unit unit_struct map struct identifier
    }
}

#[cfg(test)]
mod tests;
