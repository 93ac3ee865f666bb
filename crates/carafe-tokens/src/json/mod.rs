//! JSON objects as RFC 8259 defines them, without duplicate members and within the limits.
//!
//! RFC 7515 §4 and RFC 7519 §4 let a parser reject duplicates or use the last one. Two parsers that
//! choose differently read two different tokens under one signature, so duplicates are rejected at
//! every level.

use std::{cell::Cell, fmt};

use serde::{
    Serialize,
    de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::{
    limits::{DEPTH, MEMBERS},
    refusal::Refusal,
};

/// The member in which serde_json wraps a number if a crate of the same program enables
/// `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

pub(crate) type Object = Map<String, Value>;

/// Writes texts, numbers and JSON values.
pub(crate) fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("JSON represents every text and every JSON value")
}

/// Parses an object.
pub(crate) fn object(text: &[u8]) -> Result<Object, Refusal> {
    object_of(text, MEMBERS)
}

/// Parses an object with at most `members` members or items on each level.
pub(crate) fn object_of(text: &[u8], members: usize) -> Result<Object, Refusal> {
    let refusal = Cell::new(Refusal::Json);
    let seed = Strict {
        refusal: &refusal,
        depth: 0,
        members,
    };
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = seed.deserialize(&mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Refusal::Json),
        Err(_) => Err(refusal.get()),
    }
}

/// A value at one depth. On an error, `refusal` is set, because the parser's error has no code.
#[derive(Clone, Copy)]
struct Strict<'r> {
    refusal: &'r Cell<Refusal>,
    depth: usize,
    members: usize,
}

impl Strict<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.depth < DEPTH {
            true => Ok(Self {
                depth: self.depth + 1,
                ..self
            }),
            false => Err(self.refuse(Refusal::Depth)),
        }
    }

    fn has_room<E: Error>(self, length: usize) -> Result<(), E> {
        match length < self.members {
            true => Ok(()),
            false => Err(self.refuse(Refusal::TooManyMembers)),
        }
    }

    fn refuse<E: Error>(self, refusal: Refusal) -> E {
        self.refusal.set(refusal);
        E::custom(refusal.code())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let (inner, mut list) = (self.deeper()?, Vec::new());
        while let Some(item) = items.next_element_seed(inner)? {
            self.has_room(list.len())?;
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (inner, mut object) = (self.deeper()?, Map::new());
        while let Some(name) = members.next_key::<String>()? {
            if name == NUMBER {
                let text: String = members.next_value()?;
                return serde_json::from_str(&text)
                    .map(Value::Number)
                    .map_err(Error::custom);
            }
            self.has_room(object.len())?;
            let value = members.next_value_seed(inner)?;
            if object.insert(name, value).is_some() {
                return Err(self.refuse(Refusal::DuplicateMember));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_it_is() {
        let text =
            br#" {"a":[1,-2,1.5,null,true,"x\u00e9"],"b":{"c":{}},"n":18446744073709551615} "#;
        let parsed = object(text).unwrap();
        let expected: Object = serde_json::from_slice(text).unwrap();
        assert_eq!(parsed, expected);
    }

    #[test]
    fn duplicates_are_refused_on_every_level_and_in_every_spelling() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"a":2}}"#,
            r#"{"x":[{"a":1,"b":2,"a":3}]}"#,
        ] {
            assert_eq!(
                object(text.as_bytes()),
                Err(Refusal::DuplicateMember),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_an_object_of_rfc_8259_is_refused() {
        for text in [
            &b""[..],
            b"{",
            b"[]",
            b"1",
            b"null",
            b"{} {}",
            b"{}x",
            b"{\"a\":NaN}",
            b"{\"a\":1e999}",
            b"{'a':1}",
            b"{\"a\":01}",
            b"{\"a\":1,}",
            b"{\"\xff\":1}",
            b"{\"a\":\"\\ud800\"}",
            b"\xef\xbb\xbf{}",
        ] {
            assert_eq!(object(text), Err(Refusal::Json), "{text:?}");
        }
    }

    #[test]
    fn members_and_depth_are_bounded() {
        let members = |count: usize| {
            let members: Vec<_> = (0..count).map(|n| format!("\"{n}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(object(members(MEMBERS).as_bytes()).unwrap().len(), MEMBERS);
        assert_eq!(
            object(members(MEMBERS + 1).as_bytes()),
            Err(Refusal::TooManyMembers)
        );
        let items = |count: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(count - 1));
        assert!(object(items(MEMBERS).as_bytes()).is_ok());
        assert_eq!(
            object(items(MEMBERS + 1).as_bytes()),
            Err(Refusal::TooManyMembers)
        );
        let nested = |levels: usize| {
            format!(
                "{{\"a\":{}{}}}",
                "[".repeat(levels - 1),
                "]".repeat(levels - 1)
            )
        };
        assert!(object(nested(DEPTH).as_bytes()).is_ok());
        assert_eq!(object(nested(DEPTH + 1).as_bytes()), Err(Refusal::Depth));
        assert_eq!(object(nested(100_000).as_bytes()), Err(Refusal::Depth));
    }
}
