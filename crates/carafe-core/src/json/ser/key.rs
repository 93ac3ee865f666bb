//! Keys: what Python makes of each kind, and the order it puts them in.
//!
//! Python sorts the keys as they are and only then makes text of them: 2 comes before 10, and numbers
//! and text in one dict cannot be sorted at all.

use std::{cmp::Ordering, fmt::Display};

use serde::ser::{self, Impossible, Serialize};

use super::{EncodeError, Serializer};
use crate::json::{number, string, tag};

/// A member of an open map.
pub(super) struct Entry {
    start: usize,
    pub(super) key_end: usize,
    /// After the value.
    pub(super) end: usize,
    kind: Kind,
}

/// What a key was before it became text. Python's booleans are the numbers 0 and 1.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    None,
    Integer(i128),
    /// Beyond `i128`.
    Big(u128),
    Float(f64),
}

impl Entry {
    pub(super) fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text)
    }

    /// The raw key.
    pub(super) fn text<'o>(&self, out: &'o str) -> &'o str {
        out.get(self.start..self.key_end).unwrap_or_default()
    }
}

/// Writes a key with its quotes.
pub(super) fn write<T: Serialize + ?Sized>(
    key: &T,
    serializer: &mut Serializer<'_>,
) -> Result<Entry, EncodeError> {
    let start = serializer.out.len();
    let kind = key.serialize(KeySerializer(serializer))?;
    let key_end = serializer.out.len();
    Ok(Entry {
        start,
        key_end,
        end: key_end,
        kind,
    })
}

/// Puts the members of a map, which end the output, in Python's order.
pub(super) fn sort(
    entries: &mut [Entry],
    out: &mut String,
    comma: &str,
) -> Result<(), EncodeError> {
    if entries
        .windows(2)
        .any(|pair| !comparable(pair[0].kind, pair[1].kind))
    {
        return Err(EncodeError::MixedKeys);
    }
    let Some(start) = entries.first().map(|entry| entry.start) else {
        return Ok(());
    };
    if !entries.is_sorted_by(|a, b| compare(a, b, out).is_le()) {
        entries.sort_by(|a, b| compare(a, b, out));
        let members: Vec<&str> = entries
            .iter()
            .filter_map(|entry| out.get(entry.start..entry.end))
            .collect();
        let ordered = members.join(comma);
        out.truncate(start);
        out.push_str(&ordered);
    }
    Ok(())
}

fn comparable(a: Kind, b: Kind) -> bool {
    match (a, b) {
        (Kind::Text, Kind::Text) => true,
        (Kind::Text | Kind::None, _) | (_, Kind::Text | Kind::None) => false,
        _ => true,
    }
}

fn compare(a: &Entry, b: &Entry, out: &str) -> Ordering {
    match (a.kind, b.kind) {
        (Kind::Integer(a), Kind::Integer(b)) => a.cmp(&b),
        (Kind::Big(a), Kind::Big(b)) => a.cmp(&b),
        (Kind::Text, _) | (Kind::None, _) => string::compare(a.text(out), b.text(out)),
        (a, b) => approximate(a).total_cmp(&approximate(b)),
    }
}

/// Mixed kinds of numbers in one map meet here; their order is Python's but for neighbours beyond 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "only the order matters")]
fn approximate(kind: Kind) -> f64 {
    match kind {
        Kind::Integer(value) => value as f64,
        Kind::Big(value) => value as f64,
        // Python finds the zeros equal.
        Kind::Float(value) => value + 0.0,
        Kind::Text | Kind::None => 0.0,
    }
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

    /// Of our own wrappers, keys keep the plain value: JSON has no room for a tag in a key.
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
