//! Deserializes JSON text in Python's grammar into any type that derives serde's `Deserialize`.
//!
//! Plain Rust types read tagged values without the tag: a tuple reads as a sequence; markup, UUIDs
//! and dates read as strings; bytes read as bytes or as their Base64 text. An unknown tag reads as
//! a map.
//!
//! Of duplicate keys, Python keeps the last, and so do maps. A derived struct rejects a duplicate
//! field.
//!
//! Read next: `compound.rs` for arrays, objects and enums, `tagged.rs` for tags, `key.rs` for keys,
//! `members.rs` for members that were scanned before.

mod compound;
mod error;
mod key;
mod members;
mod tagged;

pub use self::error::DecodeError;
pub(crate) use self::members::from_members;
use std::borrow::Cow;

use serde::de::{self, Deserialize, Visitor};

use super::{MAX_DEPTH, ScanError, number, scan::Scanner, string};

/// Reads a value, with Flask's tags if `tags` is set.
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
/// Returns an error if the text is not JSON as Python reads it, or does not match `T`.
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

    /// Consumes the value at the position and returns its text.
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

    /// Reads an object for a visitor that accepts any type.
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

/// Visits the smallest type that can represent the number.
///
/// An integer of more than 128 bits is read as a float.
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
