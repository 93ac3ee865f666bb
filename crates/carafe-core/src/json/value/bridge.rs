//! Conversion of values from and to serde.
//!
//! Carafe's serializer receives the raw text, other formats the plain value.

use serde::{
    Deserializer, Serialize, Serializer,
    de::{
        Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    ser::SerializeMap,
};

use super::{Number, Text, Value};
use crate::{
    base64,
    json::{
        DecodeError, number, string,
        tag::{self, Piece, Tuple},
    },
};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => text.serialize(serializer),
            Self::List(items) => items.serialize(serializer),
            Self::Tuple(items) => Tuple(items).serialize(serializer),
            Self::Bytes(bytes) => tag::Bytes(bytes.clone()).serialize(serializer),
            Self::Uuid(uuid) => uuid.serialize(serializer),
            Self::Markup(text) => serializer.serialize_newtype_struct(tag::MARKUP, &text.piece()),
            Self::DateTime(text) => {
                serializer.serialize_newtype_struct(tag::DATETIME, &text.piece())
            }
            Self::Dict(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl Text {
    fn piece(&self) -> Piece<&Self, &str> {
        Piece {
            plain: self,
            json: &self.0,
        }
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(tag::RAW, &self.piece())
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !number::is_integer(&self.0) {
            return serializer.serialize_f64(self.as_f64());
        }
        if let Ok(value) = self.0.parse() {
            return serializer.serialize_i64(value);
        }
        if let Ok(value) = self.0.parse() {
            return serializer.serialize_u64(value);
        }
        let piece = Piece {
            plain: &self.0,
            json: &self.0,
        };
        serializer.serialize_newtype_struct(tag::RAW, &piece)
    }
}

/// Deserializes from a value, for tags whose contents only [`Value`] supports.
impl<'de> Deserializer<'de> for Value {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Number(number) => crate::json::de::visit_number(&number.0, visitor),
            Self::String(text) => visitor.visit_string(string::decode(&text.0)?.into_owned()),
            Self::Markup(text) => visitor.visit_string(text.to_string()),
            Self::List(items) | Self::Tuple(items) => {
                visitor.visit_seq(SeqDeserializer::new(items.into_iter()))
            }
            Self::Bytes(bytes) => visitor.visit_string(base64::encode_standard(&bytes)),
            Self::Uuid(uuid) => visitor.visit_string(uuid.to_string()),
            Self::DateTime(text) if tag::DateTime::of_raw(&text.0).is_none() => {
                visitor.visit_unit()
            }
            Self::DateTime(text) => visitor.visit_string(text.to_string()),
            Self::Dict(members) => visitor.visit_map(MapDeserializer::new(
                members
                    .into_iter()
                    .map(|(key, value)| (key.to_string(), value)),
            )),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Null => visitor.visit_none(),
            Self::DateTime(_) if self.date().is_none() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Bytes(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.into_iter())),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        unit unit_struct tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> serde::de::IntoDeserializer<'de, DecodeError> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
