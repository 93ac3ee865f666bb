//! JSON objects as RFC 8259 defines them, without duplicate members and within the limits.
//!
//! RFC 7515 §4 and RFC 7519 §4 let a parser reject duplicates or use the last one. Two parsers that
//! choose differently read two different tokens under one signature, so duplicates are rejected at
//! every level.

mod members;
mod strict;

use serde::{Serialize, de::DeserializeSeed};
use serde_json::Value;

use crate::{limits::MEMBERS, refusal::Refusal};
pub(crate) use members::{Member, Members};
pub(crate) use strict::Object;
use strict::{Strict, Values};

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
    let value = strict::read(text, members, |limits, reader| {
        Strict::new(limits, Values).deserialize(reader)
    });
    match value? {
        Value::Object(object) => Ok(object),
        _ => Err(Refusal::Json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::DEPTH;

    /// Parses an object with both readers, which must agree.
    fn parsed(text: &[u8]) -> Result<Object, Refusal> {
        let object = object(text);
        let members = Members::parse(text).map(|members| members.to_object());
        assert_eq!(members, object, "{}", text.escape_ascii());
        object
    }

    #[test]
    fn an_object_is_read_as_it_is() {
        let text = br#" {"a":[1,-2,1.5,null,true,"x\u00e9"],"b":{"c":{}},
            "n":18446744073709551615,"\u00e9\"":"\n\ud83d\ude00"} "#;
        let parsed = parsed(text).unwrap();
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
                parsed(text.as_bytes()),
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
            assert_eq!(parsed(text), Err(Refusal::Json), "{text:?}");
        }
    }

    #[test]
    fn members_and_depth_are_bounded() {
        let members = |count: usize| {
            let members: Vec<_> = (0..count).map(|n| format!("\"{n}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(parsed(members(MEMBERS).as_bytes()).unwrap().len(), MEMBERS);
        assert_eq!(
            parsed(members(MEMBERS + 1).as_bytes()),
            Err(Refusal::TooManyMembers)
        );
        let items = |count: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(count - 1));
        assert!(parsed(items(MEMBERS).as_bytes()).is_ok());
        assert_eq!(
            parsed(items(MEMBERS + 1).as_bytes()),
            Err(Refusal::TooManyMembers)
        );
        let nested = |levels: usize| {
            format!(
                "{{\"a\":{}{}}}",
                "[".repeat(levels - 1),
                "]".repeat(levels - 1)
            )
        };
        assert!(parsed(nested(DEPTH).as_bytes()).is_ok());
        assert_eq!(parsed(nested(DEPTH + 1).as_bytes()), Err(Refusal::Depth));
        assert_eq!(parsed(nested(100_000).as_bytes()), Err(Refusal::Depth));
    }
}
