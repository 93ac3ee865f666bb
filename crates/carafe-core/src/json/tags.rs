//! Flask's rules for tags: the contents that each tag accepts, and the truth value of the result.
//!
//! Flask reads a tree from the leaves up. An object with a tag as its only key is replaced by the
//! result of the tag's `to_python`, or the whole payload fails. This walk does the same with a
//! summary of each value instead of the value. The walk only runs on payloads in which some key
//! begins with a space, and only on text that the scanner has accepted.
//!
//! The walk differs from Flask on payloads that no writer produces: members that a later duplicate
//! replaces are checked, too, Markup around a value other than a string is valid in no other tag,
//! and Python fails on some out-of-range dates instead of reading None.

use super::{ScanError, number, scan::Scanner, string, tag};
use crate::base64;

/// A tag of Flask's session serializer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Dict,
    Tuple,
    Bytes,
    Markup,
    Uuid,
    DateTime,
}

impl Tag {
    /// Returns the tag that a raw key denotes.
    #[inline]
    pub(super) fn of_key(raw: &str) -> Option<Self> {
        match raw.as_bytes() {
            [b'"', b' ' | b'\\', ..] => Self::of_blank_key(raw),
            _ => None,
        }
    }

    #[cold]
    fn of_blank_key(raw: &str) -> Option<Self> {
        match string::decode(raw).ok()?.as_ref() {
            " di" => Some(Self::Dict),
            " t" => Some(Self::Tuple),
            " b" => Some(Self::Bytes),
            " m" => Some(Self::Markup),
            " u" => Some(Self::Uuid),
            " d" => Some(Self::DateTime),
            _ => None,
        }
    }
}

/// The type that a value has in Python, as far as tags depend on the type.
pub(super) enum Kind<'t> {
    Null,
    /// A boolean or a number.
    Plain {
        truth: bool,
    },
    /// A raw string, or Markup of one.
    Text(&'t str),
    /// Markup of a value other than a string. Its text is never empty.
    OddMarkup,
    List {
        empty: bool,
    },
    Tuple {
        empty: bool,
    },
    Dict {
        empty: bool,
    },
    Bytes(Vec<u8>),
    Uuid,
    DateTime,
}

impl Kind<'_> {
    /// Returns Python's `bool(value)`.
    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Plain { truth } => *truth,
            Self::Text(raw) => raw.len() > 2,
            Self::List { empty } | Self::Tuple { empty } | Self::Dict { empty } => !empty,
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::OddMarkup | Self::Uuid | Self::DateTime => true,
        }
    }
}

/// Returns the Python type of the single value in `text`.
///
/// Fails with `BadTag` if Flask fails on a tag inside the value.
#[cold]
pub(super) fn kind_of(text: &str) -> Result<Kind<'_>, ScanError> {
    kind(&mut Scanner::new(text)?)
}

/// Returns Python's `bool(value)` for the value in `text`, or `false` if `text` is not a value.
pub(crate) fn is_truthy(text: &str) -> bool {
    text == "true" || kind_of(text).is_ok_and(|kind| kind.truth())
}

/// Recurses at most to the depth that the scanner has enforced.
fn kind<'t>(scanner: &mut Scanner<'t>) -> Result<Kind<'t>, ScanError> {
    scanner.blanks();
    let start = scanner.position();
    match scanner.peek() {
        b'[' => list(scanner),
        b'{' => object(scanner),
        b'"' => {
            scanner.string()?;
            Ok(Kind::Text(scanner.text_from(start)))
        }
        _ => {
            scanner.scalar()?;
            Ok(scalar(scanner.text_from(start)))
        }
    }
}

fn scalar(text: &str) -> Kind<'_> {
    match text {
        "null" => Kind::Null,
        "true" | "false" => Kind::Plain {
            truth: text == "true",
        },
        _ => Kind::Plain {
            truth: number::read_float(text).is_none_or(|value| value != 0.0),
        },
    }
}

fn list<'t>(scanner: &mut Scanner<'t>) -> Result<Kind<'t>, ScanError> {
    scanner.expect(b'[')?;
    scanner.blanks();
    if scanner.take(b']') {
        return Ok(Kind::List { empty: true });
    }
    loop {
        kind(scanner)?;
        scanner.blanks();
        if !scanner.take(b',') {
            break;
        }
    }
    scanner.expect(b']')?;
    Ok(Kind::List { empty: false })
}

fn object<'t>(scanner: &mut Scanner<'t>) -> Result<Kind<'t>, ScanError> {
    scanner.expect(b'{')?;
    scanner.blanks();
    if scanner.take(b'}') {
        return Ok(Kind::Dict { empty: true });
    }
    let mut first = None;
    let mut one_key = true;
    let content = loop {
        let key = scanner.raw_key()?;
        one_key = one_key && string::compare(first.get_or_insert(key), key).is_eq();
        let content = kind(scanner)?;
        scanner.blanks();
        if !scanner.take(b',') {
            break content;
        }
        scanner.blanks();
    };
    scanner.expect(b'}')?;
    match first.and_then(Tag::of_key) {
        Some(tag) if one_key => untag(tag, content),
        _ => Ok(Kind::Dict { empty: false }),
    }
}

/// Applies Flask's `to_python` of the tag.
fn untag(tag: Tag, content: Kind<'_>) -> Result<Kind<'_>, ScanError> {
    match tag {
        Tag::Tuple => tuple(&content),
        Tag::Bytes => bytes(&content),
        Tag::DateTime => date(&content),
        Tag::Markup => Ok(match content {
            Kind::Text(raw) => Kind::Text(raw),
            _ => Kind::OddMarkup,
        }),
        Tag::Uuid => match content {
            Kind::Text(raw) if uuid(raw) => Ok(Kind::Uuid),
            _ => Err(ScanError::BadTag),
        },
        Tag::Dict => match content {
            Kind::Dict { empty: false } => Ok(content),
            _ => Err(ScanError::BadTag),
        },
    }
}

/// Applies `tuple(x)`, which accepts every iterable.
fn tuple<'t>(content: &Kind<'t>) -> Result<Kind<'t>, ScanError> {
    match content {
        Kind::Text(_) | Kind::OddMarkup | Kind::Bytes(_) => {}
        Kind::List { .. } | Kind::Tuple { .. } | Kind::Dict { .. } => {}
        _ => return Err(ScanError::BadTag),
    }
    Ok(Kind::Tuple {
        empty: !content.truth(),
    })
}

/// Applies `b64decode(x)`, which accepts ASCII text and bytes.
fn bytes<'t>(content: &Kind<'t>) -> Result<Kind<'t>, ScanError> {
    let decoded = match content {
        Kind::Text(raw) => base64_text(raw),
        Kind::Bytes(bytes) => base64::decode_lenient_standard(bytes),
        _ => None,
    };
    decoded.map(Kind::Bytes).ok_or(ScanError::BadTag)
}

/// Decodes a raw string of Base64.
pub(super) fn base64_text(raw: &str) -> Option<Vec<u8>> {
    let text = string::decode(raw).ok().filter(|text| text.is_ascii())?;
    base64::decode_lenient_standard(text.as_bytes())
}

/// Applies Flask's date parser, which returns None for unknown text and for every false value.
///
/// Other values fail because they have no `split`.
fn date<'t>(content: &Kind<'t>) -> Result<Kind<'t>, ScanError> {
    match content {
        Kind::Text(raw) if tag::DateTime::of_raw(raw).is_some() => Ok(Kind::DateTime),
        Kind::Text(_) | Kind::OddMarkup | Kind::Bytes(_) => Ok(Kind::Null),
        _ if !content.truth() => Ok(Kind::Null),
        _ => Err(ScanError::BadTag),
    }
}

fn uuid(raw: &str) -> bool {
    string::decode(raw).is_ok_and(|text| text.parse::<tag::Uuid>().is_ok())
}

#[cfg(test)]
mod tests {
    use crate::json::{ScanError, validate};

    #[test]
    fn what_flask_accepts() {
        for text in [
            r#"{" t":[]}"#,
            r#"{" t":[1,{" b":"eA=="}]}"#,
            r#"{" t":"abc"}"#,
            r#"{" t":{"x":1,"y":2}}"#,
            r#"{" t":{" b":"aGk="}}"#,
            r#"{" t":{" t":[1]}}"#,
            r#"{" t":{" m":"abc"}}"#,
            r#"{" t":5," t":[1]}"#,
            r#"{" t":5,"x":1}"#,
            r#"{"x":1," t":5}"#,
            r#"{" zz":5}"#,
            r#"{" m":5}"#,
            r#"{" m":[1,{" t":[]}]}"#,
            r#"{" b":"!!!"}"#,
            r#"{" b":{" b":"WVE9PQ=="}}"#,
            r#"{" b":{" m":"YQ=="}}"#,
            r#"{" u":"{12345678-1234-5678-1234-567812345678}"}"#,
            r#"{" u":"urn:uuid:12345678123456781234567812345678"}"#,
            r#"{" d":"bad"}"#,
            r#"{" d":""}"#,
            r#"{" d":null}"#,
            r#"{" d":0}"#,
            r#"{" d":0.0}"#,
            r#"{" d":[]}"#,
            r#"{" d":{" t":[]}}"#,
            r#"{" d":{" b":"YQ=="}}"#,
            r#"{" d":{" d":"bad"}}"#,
            r#"{" di":{"a":1}}"#,
            r#"{" di":{"abc":1,"d":2}}"#,
            r#"{" di":{" di":{"a":1}}}"#,
            r#"{" di":{" di__":{" di":{" t__":5}}}}"#,
            r#"{"\u0020t":[1]}"#,
        ] {
            assert_eq!(validate(text, true), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_flask_fails_on() {
        for text in [
            r#"{" t":5}"#,
            r#"{" t":null}"#,
            r#"{" t":true}"#,
            r#"{" t":{" u":"12345678123456781234567812345678"}}"#,
            r#"{" t":{" d":"bad"}}"#,
            r#"{" t":[1]," t":5}"#,
            r#"{"\u0020t":5}"#,
            r#"{" u":"bad"}"#,
            r#"{" u":5}"#,
            r#"{" u":{" b":"YQ=="}}"#,
            r#"{" b":"YQ"}"#,
            r#"{" b":5}"#,
            r#"{" b":"é"}"#,
            r#"{" d":5}"#,
            r#"{" d":true}"#,
            r#"{" d":[1]}"#,
            r#"{" d":{"a":1}}"#,
            r#"{" d":{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}}"#,
            r#"{" di":{}}"#,
            r#"{" di":5}"#,
            r#"{" di":[["a",1]]}"#,
            r#"{" di":{" t":[1]}}"#,
            r#"[[{"a":{" t":5}}]]"#,
        ] {
            assert_eq!(validate(text, true), Err(ScanError::BadTag), "{text}");
            assert_eq!(validate(text, false), Ok(()), "{text}");
        }
    }
}
