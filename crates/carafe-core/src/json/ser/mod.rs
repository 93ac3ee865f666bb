//! Serializes values to JSON text in Flask's format.
//!
//! Text is written directly to the output. A map records the positions of its members. When the map
//! is complete, the members are sorted if necessary, and a single key that looks like a tag is
//! escaped. Both are rare, so the common path never copies.
//!
//! `serializer.rs` contains the state, `compound.rs` sequences and maps, `key.rs` and `entry.rs`
//! the conversion and order of keys.

mod compound;
mod entry;
mod error;
mod key;
mod serializer;

pub use self::error::EncodeError;
use std::fmt::Display;

use serde::ser::{self, Serialize};

use self::{
    compound::{Map, Sequence},
    serializer::{Serializer, VALUE_DEPTH},
};
use super::{JsonDialect, MAX_DEPTH, number, payload::validate, string, tag};
use crate::base64;

/// Capacity for a typical value, in bytes, so that it is not reallocated while it grows.
const USUAL: usize = 64;

/// Returns the JSON text of a value.
///
/// ```
/// use std::collections::HashMap;
/// use carafe_core::json::{JsonDialect, to_text};
/// let cart = HashMap::from([("total", 9.99), ("count", 2.0)]);
/// assert_eq!(to_text(&cart, JsonDialect::FLASK)?, r#"{"count":2.0,"total":9.99}"#);
/// # Ok::<(), carafe_core::json::EncodeError>(())
/// ```
///
/// # Errors
///
/// Returns an error if Python cannot write the value either, or if it nests deeper than readers
/// accept.
pub fn to_text<T: Serialize + ?Sized>(
    value: &T,
    style: JsonDialect,
) -> Result<String, EncodeError> {
    let mut out = String::with_capacity(USUAL);
    append_text(value, style, &mut out)?;
    Ok(out)
}

/// Appends the JSON text of a value to `out`. On an error, `out` is unchanged.
///
/// ```
/// use carafe_core::json::{JsonDialect, append_text};
/// let mut out = String::from("n=");
/// append_text(&[1, 2], JsonDialect::FLASK, &mut out)?;
/// assert_eq!(out, "n=[1,2]");
/// # Ok::<(), carafe_core::json::EncodeError>(())
/// ```
///
/// # Errors
///
/// Returns the errors of [`to_text`].
pub fn append_text<T: Serialize + ?Sized>(
    value: &T,
    style: JsonDialect,
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
    style: JsonDialect,
    out: &mut String,
) -> Result<(), EncodeError> {
    let start = out.len();
    let mut serializer = Serializer::new(style, out);
    value.serialize(&mut serializer)?;
    // Escapes and raw fragments add levels that `depth` does not count.
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
