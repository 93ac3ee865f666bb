//! Rust types for the Python types that JSON lacks and Flask's tags represent.
//!
//! The types are [`Tuple`], [`Bytes`], [`Markup`], [`Uuid`] and [`DateTime`].
//!
//! The types are ordinary serde types: other formats see the plain value inside. Carafe's
//! serializer recognizes them by private newtype names and writes the tag. Reading needs no
//! wrapper: a `Vec` reads a tuple, a `String` reads markup.

mod datetime;
mod uuid;

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};

pub use datetime::{DateTime, ParseDateError};
pub use uuid::{ParseUuidError, Uuid};

pub(super) const TUPLE: &str = "$carafe::tuple";
pub(super) const BYTES: &str = "$carafe::bytes";
pub(super) const MARKUP: &str = "$carafe::markup";
pub(super) const UUID: &str = "$carafe::uuid";
pub(super) const DATETIME: &str = "$carafe::datetime";
/// A fragment of JSON text that the serializer copies.
pub(super) const RAW: &str = "$carafe::raw";

/// Displays `plain` to other formats and `json` to Carafe's serializer, which formats with `{:#}`.
pub(super) struct Piece<P, J> {
    pub(super) plain: P,
    pub(super) json: J,
}

impl<P: fmt::Display, J: fmt::Display> fmt::Display for Piece<P, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            write!(f, "{}", self.json)
        } else {
            write!(f, "{}", self.plain)
        }
    }
}

impl<P: fmt::Display, J: fmt::Display> Serialize for Piece<P, J> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A Python tuple: wraps any type that serializes as a sequence.
///
/// ```
/// use carafe_core::json::{JsonDialect, from_text, tag::Tuple, to_text};
/// let flash = Tuple(("message", "Hello"));
/// assert_eq!(to_text(&flash, JsonDialect::FLASK)?, r#"{" t":["message","Hello"]}"#);
/// let (category, text): (&str, &str) = from_text(r#"{" t":["message","Hello"]}"#, true)?;
/// assert_eq!((category, text), flash.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tuple<T>(pub T);

impl<T: Serialize> Serialize for Tuple<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(TUPLE, &self.0)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Tuple<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

/// Python's `bytes`, which Flask's tag encodes as standard Base64.
///
/// ```
/// use carafe_core::json::{JsonDialect, from_text, tag::Bytes, to_text};
/// let bytes = Bytes(b"hi".to_vec());
/// assert_eq!(to_text(&bytes, JsonDialect::FLASK)?, r#"{" b":"aGk="}"#);
/// assert_eq!(from_text::<Bytes>(r#"{" b":"aGk="}"#, true)?, bytes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub Vec<u8>);

struct Borrowed<'b>(&'b [u8]);

impl Serialize for Borrowed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(BYTES, &Borrowed(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(BytesVisitor).map(Self)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    /// Formats without a byte type write numbers.
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = items.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

/// Text that is safe to insert into HTML unescaped: Python's `markupsafe.Markup`.
///
/// ```
/// use carafe_core::json::{JsonDialect, tag::Markup, to_text};
/// let text = Markup("<b>hi</b>".to_owned());
/// assert_eq!(to_text(&text, JsonDialect::FLASK)?, r#"{" m":"<b>hi</b>"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Markup(pub String);

impl Serialize for Markup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(MARKUP, self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Markup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// Reads any type that parses from text, for the wrappers with a string as their plain form.
struct Parsed<T>(&'static str, std::marker::PhantomData<T>);

impl<T> Parsed<T> {
    const fn new(what: &'static str) -> Self {
        Self(what, std::marker::PhantomData)
    }
}

impl<T: std::str::FromStr> Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse()
            .map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::json::{JsonDialect, from_text, to_text};

    #[test]
    fn other_formats_see_the_plain_value() {
        let uuid = Uuid::from_u128(0x12345678123456781234567812345678);
        let date = DateTime::from(crate::clock::Timestamp::from_unix(1_700_000_000));
        let all = (
            Tuple((1, 2)),
            Bytes(vec![1, 2]),
            Markup("<b>".into()),
            uuid,
            date,
        );
        let text = serde_json::to_string(&all).expect("serde_json writes it");
        assert_eq!(
            text,
            r#"[[1,2],[1,2],"<b>","12345678-1234-5678-1234-567812345678","Tue, 14 Nov 2023 22:13:20 GMT"]"#
        );
        let back: (Tuple<(u8, u8)>, Bytes, Markup, Uuid, DateTime) =
            serde_json::from_str(&text).expect("serde_json reads it");
        assert_eq!(back, all);
    }

    #[test]
    fn inside_structs() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Profile {
            point: Tuple<(i32, i32)>,
            key: Bytes,
            bio: Markup,
            id: Uuid,
            since: Option<DateTime>,
        }
        let text = r#"{"bio":{" m":"<i>"},"id":{" u":"000000000000000000000000000000ff"},"key":{" b":"AP8="},"point":{" t":[1,2]},"since":{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}}"#;
        let profile: Profile = from_text(text, true).expect("a profile");
        assert_eq!(profile.id, Uuid::from_u128(255));
        assert_eq!(to_text(&profile, JsonDialect::FLASK).as_deref(), Ok(text));
        let unknown = text.replace("Tue, 14", "one day in");
        assert_eq!(
            from_text::<Profile>(&unknown, true)
                .expect("a profile")
                .since,
            None
        );
    }

    #[test]
    fn styles_without_tags() {
        let map = BTreeMap::from([("t", Tuple([1]))]);
        assert_eq!(
            to_text(&map, JsonDialect::STARLETTE).as_deref(),
            Ok(r#"{"t": [1]}"#)
        );
        assert_eq!(
            to_text(&Markup("<".into()), JsonDialect::STARLETTE).as_deref(),
            Ok("\"<\"")
        );
        assert!(to_text(&Bytes(vec![]), JsonDialect::STARLETTE).is_err());
        let uuid = to_text(&Uuid::from_u128(1), JsonDialect::STARLETTE);
        assert_eq!(
            uuid.as_deref(),
            Ok("\"00000000-0000-0000-0000-000000000001\"")
        );
    }

    #[test]
    fn a_tuple_of_something_else_is_refused() {
        assert!(to_text(&Tuple(5), JsonDialect::FLASK).is_err());
        assert!(to_text(&Tuple("abc"), JsonDialect::FLASK).is_err());
    }
}
