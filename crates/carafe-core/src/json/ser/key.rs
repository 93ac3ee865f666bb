//! The conversion of keys to strings.

use std::fmt::Display;

use serde::ser::{self, Impossible, Serialize};

use super::{
    EncodeError,
    entry::{Entry, Kind},
    serializer::Serializer,
};
use crate::json::{number, string, tag};

/// Appends a key with its quotes.
pub(super) fn write<T: Serialize + ?Sized>(
    key: &T,
    serializer: &mut Serializer<'_>,
) -> Result<Entry, EncodeError> {
    let start = serializer.out.len();
    let kind = key.serialize(KeySerializer(serializer))?;
    let key_end = serializer.out.len();
    Ok(Entry::new(start, key_end, kind))
}

struct KeySerializer<'a, 'o>(&'a mut Serializer<'o>);

impl KeySerializer<'_, '_> {
    fn quoted(self, text: impl Display, kind: Kind) -> Kind {
        self.0.out.push('"');
        self.0.display(text);
        self.0.out.push('"');
        kind
    }

    fn integer(self, value: i128) -> Kind {
        self.quoted(value, Kind::Integer(value))
    }

    fn text(self, text: &str) -> Kind {
        string::write(text, self.0.style.ascii, self.0.out);
        Kind::Text
    }
}

macro_rules! integers {
    ($($method:ident $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<Kind, EncodeError> {
            Ok(self.integer(value.into()))
        })*
    };
}

macro_rules! refused {
    ($($method:ident($($type:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<$ok, EncodeError> {
            Err(EncodeError::BadKey)
        })*
    };
}

type Never = Impossible<Kind, EncodeError>;

impl ser::Serializer for KeySerializer<'_, '_> {
    type Ok = Kind;
    type Error = EncodeError;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    integers! {
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64,
    }

    refused! {
        serialize_bytes(&[u8]) -> Kind;
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    fn serialize_bool(self, value: bool) -> Result<Kind, EncodeError> {
        Ok(self.quoted(value, Kind::Integer(value.into())))
    }

    fn serialize_u128(self, value: u128) -> Result<Kind, EncodeError> {
        let kind = i128::try_from(value).map_or(Kind::Big(value), Kind::Integer);
        Ok(self.quoted(value, kind))
    }

    fn serialize_f32(self, value: f32) -> Result<Kind, EncodeError> {
        let mut text = String::new();
        number::write_single(value, &mut text);
        Ok(self.quoted(text, Kind::Float(value.into())))
    }

    fn serialize_f64(self, value: f64) -> Result<Kind, EncodeError> {
        let mut text = String::new();
        number::write_float(value, &mut text);
        Ok(self.quoted(text, Kind::Float(value)))
    }

    fn serialize_char(self, value: char) -> Result<Kind, EncodeError> {
        Ok(self.text(value.encode_utf8(&mut [0; 4])))
    }

    fn serialize_str(self, value: &str) -> Result<Kind, EncodeError> {
        Ok(self.text(value))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<Kind, EncodeError> {
        ser::Serializer::collect_str(&mut *self.0, value).map(|()| Kind::Text)
    }

    fn serialize_none(self) -> Result<Kind, EncodeError> {
        Ok(self.quoted("null", Kind::None))
    }

    fn serialize_unit(self) -> Result<Kind, EncodeError> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Kind, EncodeError> {
        self.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Kind, EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Kind, EncodeError> {
        Ok(self.text(variant))
    }

    /// Writes the plain value of Carafe's wrapper types, because a JSON key cannot contain a tag.
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Kind, EncodeError> {
        self.0.verbatim = name == tag::RAW;
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<Kind, EncodeError> {
        Err(EncodeError::BadKey)
    }
}
