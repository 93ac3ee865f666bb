//! Values to JSON text: what Flask would write for the same meaning.
//!
//! Text goes straight to the output. A map notes where its members begin; when it ends, they are put
//! in order if they are not already, and a lone key that reads as a tag is escaped. Both are rare,
//! so the common path never copies.
//!
//! Next: `compound.rs` for sequences and maps, `key.rs` for what keys become and how they sort.

mod compound;
mod error;
mod key;

pub use self::error::EncodeError;
use std::fmt::{Display, Write as _};

use serde::ser::{self, Serialize};

use self::{
    compound::{Map, Sequence},
    key::Entry,
};
use super::{MAX_DEPTH, Style, check::Tag, number, scan::validate, string, tag};
use crate::base64;

/// A value lies in the root, which may itself need the escape of a tag: two levels less than a text.
const VALUE_DEPTH: usize = MAX_DEPTH - 2;

/// Room for a usual value, so that it is not moved while it grows.
const USUAL: usize = 64;

/// The JSON text of a value.
///
/// ```
/// use std::collections::HashMap;
/// use carafe_core::json::{Style, to_text};
/// let cart = HashMap::from([("total", 9.99), ("count", 2.0)]);
/// assert_eq!(to_text(&cart, Style::FLASK)?, r#"{"count":2.0,"total":9.99}"#);
/// # Ok::<(), carafe_core::json::EncodeError>(())
/// ```
///
/// # Errors
///
/// When Python could not write the value either, or no reader would follow its nesting.
pub fn to_text<T: Serialize + ?Sized>(value: &T, style: Style) -> Result<String, EncodeError> {
    let mut out = String::with_capacity(USUAL);
    append_text(value, style, &mut out)?;
    Ok(out)
}

/// As [`to_text`], at the end of `out`; on an error `out` is as before.
///
/// # Errors
///
/// As [`to_text`].
pub fn append_text<T: Serialize + ?Sized>(
    value: &T,
    style: Style,
    out: &mut String,
) -> Result<(), EncodeError> {
    let start = out.len();
    let written = write_value(value, style, out);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn write_value<T: Serialize + ?Sized>(
    value: &T,
    style: Style,
    out: &mut String,
) -> Result<(), EncodeError> {
    let start = out.len();
    let mut serializer = Serializer {
        out,
        style,
        depth: 0,
        entries: Vec::new(),
        verbatim: false,
        deepened: false,
    };
    value.serialize(&mut serializer)?;
    // Escapes and raw pieces add levels that were not counted on the way.
    if serializer.deepened && !fits(out.get(start..).unwrap_or_default()) {
        return Err(EncodeError::TooDeep);
    }
    Ok(())
}

#[cold]
fn fits(text: &str) -> bool {
    let levels = MAX_DEPTH - VALUE_DEPTH;
    validate(
        &format!("{}{text}{}", "[".repeat(levels), "]".repeat(levels)),
        false,
    )
    .is_ok()
}

pub(super) struct Serializer<'o> {
    out: &'o mut String,
    style: Style,
    depth: usize,
    /// The members of all maps that are open, innermost last.
    entries: Vec<Entry>,
    /// The next string is a [`tag::Piece`], whose JSON text is wanted.
    verbatim: bool,
    /// Levels were added that `depth` does not know.
    deepened: bool,
}

impl Serializer<'_> {
    fn enter(&mut self, levels: usize) -> Result<(), EncodeError> {
        self.depth += levels;
        if self.depth > VALUE_DEPTH {
            Err(EncodeError::TooDeep)
        } else {
            Ok(())
        }
    }

    fn float(&mut self, value: f64) {
        number::write_float(value, self.out);
    }

    fn display(&mut self, value: impl Display) {
        // Writing to a String does not fail.
        let _ = write!(self.out, "{value}");
    }

    fn open_tag(&mut self, key: &str) -> Result<(), EncodeError> {
        self.enter(1)?;
        let colon = self.style.colon();
        self.out.extend(["{\"", key, "\"", colon]);
        Ok(())
    }

    fn close_tag(&mut self) {
        self.out.push('}');
        self.depth -= 1;
    }

    fn tagged<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), EncodeError> {
        self.open_tag(key)?;
        value.serialize(&mut *self)?;
        self.close_tag();
        Ok(())
    }

    fn tuple<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let start = self.out.len() + "{\" t\"".len() + self.style.colon().len();
        self.tagged(" t", value)?;
        let sequence = self.out.as_bytes().get(start) == Some(&b'[');
        if sequence {
            Ok(())
        } else {
            Err(EncodeError::NotASequence)
        }
    }

    fn piece<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.verbatim = true;
        let written = value.serialize(&mut *self);
        self.verbatim = false;
        written
    }

    fn tagged_piece<T: Serialize + ?Sized>(
        &mut self,
        key: &str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.open_tag(key)?;
        self.piece(value)?;
        self.close_tag();
        Ok(())
    }

    /// A piece of JSON text, its strings spelled as the style asks.
    fn raw(&mut self, text: &str) {
        if text.starts_with('"') {
            return string::rewrite(text, self.style.ascii, self.out);
        }
        self.deepened = true;
        if self.style.ascii {
            string::append_ascii(text, self.out);
        } else {
            self.out.push_str(text);
        }
    }

    /// `{"variant":` and what must close it.
    fn open_variant(&mut self, variant: &str) -> Result<&'static str, EncodeError> {
        let mut key = String::new();
        string::write(variant, self.style.ascii, &mut key);
        if self.style.tags && Tag::of_key(&key).is_some() {
            self.open_tag(" di")?;
            self.open_tag(&format!("{variant}__"))?;
            self.depth -= 2;
            return Ok("}}");
        }
        self.out.extend(["{", &key, self.style.colon()]);
        Ok("}")
    }
}

macro_rules! integers {
    ($($method:ident $type:ty, $write:path;)*) => {
        $(fn $method(self, value: $type) -> Result<(), EncodeError> {
            $write(value.into(), self.out);
            Ok(())
        })*
    };
}

macro_rules! display {
    ($($method:ident $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<(), EncodeError> {
            self.display(value);
            Ok(())
        })*
    };
}

impl<'a, 'o> ser::Serializer for &'a mut Serializer<'o> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Sequence<'a, 'o>;
    type SerializeTuple = Sequence<'a, 'o>;
    type SerializeTupleStruct = Sequence<'a, 'o>;
    type SerializeTupleVariant = Sequence<'a, 'o>;
    type SerializeMap = Map<'a, 'o>;
    type SerializeStruct = Map<'a, 'o>;
    type SerializeStructVariant = Map<'a, 'o>;

    integers! {
        serialize_i8 i8, number::write_signed; serialize_i16 i16, number::write_signed;
        serialize_i32 i32, number::write_signed; serialize_i64 i64, number::write_signed;
        serialize_u8 u8, number::write_unsigned; serialize_u16 u16, number::write_unsigned;
        serialize_u32 u32, number::write_unsigned; serialize_u64 u64, number::write_unsigned;
    }

    display! {
        serialize_i128 i128, serialize_u128 u128,
    }

    fn serialize_bool(self, value: bool) -> Result<(), EncodeError> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), EncodeError> {
        number::write_single(value, self.out);
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), EncodeError> {
        self.float(value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), EncodeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), EncodeError> {
        string::write(value, self.style.ascii, self.out);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        if std::mem::take(&mut self.verbatim) {
            self.raw(&format!("{value:#}"));
        } else {
            string::write(&value.to_string(), self.style.ascii, self.out);
        }
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), EncodeError> {
        if !self.style.tags {
            return Err(EncodeError::BytesWithoutTags);
        }
        self.tagged(" b", &base64::encode_standard(value))
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), EncodeError> {
        self.out.push_str("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), EncodeError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        match name {
            tag::RAW => self.piece(value),
            tag::TUPLE if self.style.tags => self.tuple(value),
            tag::MARKUP if self.style.tags => self.tagged_piece(" m", value),
            tag::UUID if self.style.tags => self.tagged_piece(" u", value),
            tag::DATETIME if self.style.tags => self.tagged_piece(" d", value),
            _ => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.enter(1)?;
        let close = self.open_variant(variant)?;
        value.serialize(&mut *self)?;
        self.out.push_str(close);
        self.depth -= 1;
        Ok(())
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Sequence<'a, 'o>, EncodeError> {
        Sequence::open(self, "]")
    }

    fn serialize_tuple(self, length: usize) -> Result<Sequence<'a, 'o>, EncodeError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        length: usize,
    ) -> Result<Sequence<'a, 'o>, EncodeError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Sequence<'a, 'o>, EncodeError> {
        self.enter(1)?;
        let close = if self.open_variant(variant)? == "}" {
            "]}"
        } else {
            "]}}"
        };
        Sequence::open(self, close)
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Map<'a, 'o>, EncodeError> {
        Map::open(self, "")
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        length: usize,
    ) -> Result<Map<'a, 'o>, EncodeError> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Map<'a, 'o>, EncodeError> {
        self.enter(1)?;
        let close = self.open_variant(variant)?;
        Map::open(self, close)
    }
}

#[cfg(test)]
mod tests;
