//! Secret keys that are bytes, which JSON and variables cannot express, written as an object with
//! one member.
//!
//! Flask fails on such an object, so the meaning of an existing setting does not change.

use std::fmt;

use zeroize::Zeroizing;

use crate::{base64, json::Value};

/// The accepted forms, for error messages.
const FORMS: &str =
    r#"write bytes as {"hex": "5f35…"}, {"base64": "XzUj…"} or {"python": "b'_5…'"}"#;

/// The reason why an object does not encode the bytes of a key. Never contains the key.
///
/// ```
/// use carafe_core::flask::key_bytes;
///
/// let error = key_bytes(r#"{"hex": "5f3"}"#).unwrap_err();
/// let text = error.to_string();
/// assert!(text.starts_with("has an odd number of hexadecimal digits; write "), "{text}");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyBytesError(&'static str);

/// Returns the bytes of a secret key as written in a setting.
///
/// A string is read as its UTF-8 bytes. A JSON object with one member encodes the bytes of a Python
/// application's `SECRET_KEY = b"…"`.
///
/// | Setting | Python |
/// |---|---|
/// | `{"hex": "5f3523"}` | `bytes.fromhex("5f3523")` |
/// | `{"base64": "XzUj"}` | `base64.b64decode("XzUj")`; also URL-safe or without padding |
/// | `{"python": "b'_5#\\xec'"}` | `b'_5#\xec'`; JSON requires the second backslash |
///
/// ```
/// use carafe_core::flask::key_bytes;
///
/// assert_eq!(**key_bytes("a text key")?, *b"a text key");
/// assert_eq!(**key_bytes(r#"{"hex": "5f3523"}"#)?, *b"_5#");
/// assert_eq!(**key_bytes(r#"{"python": "b'_5#\\xec'"}"#)?, *b"_5#\xec");
/// assert!(key_bytes(r#"{"hex": "5f3"}"#).is_err());
/// # Ok::<(), carafe_core::flask::KeyBytesError>(())
/// ```
///
/// # Errors
///
/// [`KeyBytesError`] with the required change.
pub fn key_bytes(setting: &str) -> Result<Zeroizing<Vec<u8>>, KeyBytesError> {
    match Value::parse(setting, false) {
        Ok(object @ Value::Dict(_)) if member(&object).is_some() => of_object(&object),
        _ => Ok(Zeroizing::new(setting.as_bytes().to_vec())),
    }
}

/// Returns the bytes that an object encodes.
pub(super) fn of_object(object: &Value) -> Result<Zeroizing<Vec<u8>>, KeyBytesError> {
    let (decode, text) = member(object).ok_or(KeyBytesError("is an object"))?;
    decode(&text.ok_or(KeyBytesError("has a member that is not text"))?)
}

type Decode = fn(&str) -> Result<Zeroizing<Vec<u8>>, KeyBytesError>;

/// Returns the decoder for the only member of an object, and the member's text.
fn member(object: &Value) -> Option<(Decode, Option<Zeroizing<String>>)> {
    let Value::Dict(members) = object else {
        return None;
    };
    let [(name, value)] = members.as_slice() else {
        return None;
    };
    let decode: Decode = match &*name.as_str()? {
        "hex" => hex,
        // The second name is Flask's own tag for bytes in a session.
        "base64" | " b" => standard_or_url,
        "python" => python_literal,
        _ => return None,
    };
    let text = match value {
        Value::String(text) => text.as_str().map(|text| Zeroizing::new(text.into_owned())),
        _ => None,
    };
    Some((decode, text))
}

fn hex(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyBytesError> {
    let digits = text.bytes().map(|byte| char::from(byte).to_digit(16));
    let digits: Option<Vec<u32>> = digits.collect();
    let digits = Zeroizing::new(digits.ok_or(KeyBytesError(
        "has a character that is no hexadecimal digit",
    ))?);
    let (pairs, []) = digits.as_chunks::<2>() else {
        return Err(KeyBytesError("has an odd number of hexadecimal digits"));
    };
    let byte = |[high, low]: &[u32; 2]| u8::try_from(high << 4 | low).unwrap_or_default();
    Ok(Zeroizing::new(pairs.iter().map(byte).collect()))
}

fn standard_or_url(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyBytesError> {
    let url = text.trim_end_matches('=').bytes().map(|byte| match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    });
    let decoded = base64::decode_url(&Zeroizing::new(url.collect::<Vec<_>>()));
    decoded
        .map(Zeroizing::new)
        .ok_or(KeyBytesError("is no base64"))
}

/// Decodes like Python's `b"…"`, also with `r`. Triple quotation marks are not supported.
fn python_literal(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyBytesError> {
    const SHAPE: KeyBytesError = KeyBytesError("is not a Python literal such as b'…' or b\"…\"");
    let start = text.find(['\'', '"']).ok_or(SHAPE)?;
    let (prefix, quoted) = text.split_at(start);
    let is_raw = match prefix.to_ascii_lowercase().as_str() {
        "b" => false,
        "br" | "rb" => true,
        _ => return Err(SHAPE),
    };
    let mark = &quoted[..1];
    let inside = quoted[1..].strip_suffix(mark).ok_or(SHAPE)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(inside.len()));
    let mut rest = inside.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            _ if !byte.is_ascii() => {
                return Err(KeyBytesError(
                    "has a character that is not ASCII, which Python's b'…' cannot hold",
                ));
            }
            b'\\' => rest = escape(rest, is_raw, &mut bytes).ok_or(SHAPE)?,
            _ if mark.as_bytes() == [byte] => return Err(SHAPE),
            _ => bytes.push(byte),
        }
    }
    Ok(bytes)
}

/// Decodes the escape after a backslash and returns the rest of the input.
///
/// Like Python, keeps unknown escapes.
fn escape<'t>(text: &'t [u8], is_raw: bool, out: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (&first, rest) = text.split_first()?;
    if is_raw {
        out.extend([b'\\', first]);
        return Some(rest);
    }
    let byte = match first {
        b'\n' => return Some(rest),
        b'a' => 0x07,
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'r' => b'\r',
        b'\\' | b'\'' | b'"' => first,
        b'x' => {
            let digits = str::from_utf8(rest.get(..2)?).ok()?;
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            out.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
            return rest.get(2..);
        }
        b'0'..=b'7' => {
            let length = text
                .iter()
                .take(3)
                .take_while(|digit| (b'0'..=b'7').contains(digit));
            let (digits, rest) = text.split_at(length.count());
            let value = digits
                .iter()
                .fold(0, |value, digit| value << 3 | u32::from(digit - b'0'));
            // Python warns about octal escapes over \377 and keeps the low eight bits.
            out.push((value & 0xff) as u8);
            return Some(rest);
        }
        _ => {
            out.extend([b'\\', first]);
            return Some(rest);
        }
    };
    out.push(byte);
    Some(rest)
}

impl fmt::Display for KeyBytesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {FORMS}", self.0)
    }
}

impl std::error::Error for KeyBytesError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(setting: &str) -> Result<Vec<u8>, String> {
        let bytes = key_bytes(setting).map(|bytes| bytes.to_vec());
        bytes.map_err(|error| error.to_string())
    }

    /// The key in Flask's documentation, "Sessions".
    const MANUAL: &[u8] = b"_5#y2L\"F4Q8z\n\xec]/";

    #[test]
    fn one_key_has_many_spellings() {
        for setting in [
            r#"{"hex": "5f352379324c22463451387a0aec5d2f"}"#,
            r#"{"hex":"5F352379324C22463451387A0AEC5D2F"}"#,
            r#"{"base64": "XzUjeTJMIkY0UTh6CuxdLw=="}"#,
            r#"{"base64": "XzUjeTJMIkY0UTh6CuxdLw"}"#,
            r#"{" b": "XzUjeTJMIkY0UTh6CuxdLw=="}"#,
            r#"{"python": "b'_5#y2L\"F4Q8z\\n\\xec]/'"}"#,
            r#"{"python": "b\"_5#y2L\\\"F4Q8z\\n\\xec]/\""}"#,
            r#"{"python": "B'_5#y2L\"F4Q8z\\12\\354]/'"}"#,
        ] {
            assert_eq!(read(setting).as_deref(), Ok(MANUAL), "{setting}");
        }
        assert_eq!(read(r#"{"base64":"-_8"}"#), read(r#"{"base64":"+/8="}"#));
    }

    #[test]
    fn a_python_literal_is_read_as_python_reads_it() {
        for (literal, bytes) in [
            (r"b''", &b""[..]),
            (r"b'\a\b\t\n\v\f\r\\\''", b"\x07\x08\t\n\x0b\x0c\r\\'"),
            (r"b'\0\07\377\1234\x7e'", b"\0\x07\xff\x53\x34~"),
            (r"b'\q\8\N'", br"\q\8\N"),
            (r"rb'\x41\''", br"\x41\'"),
            (r"Br'a'", b"a"),
            ("b'a\\\nb'", b"ab"),
        ] {
            let read = python_literal(literal).map(|bytes| bytes.to_vec());
            assert_eq!(read.as_deref(), Ok(bytes), "{literal}");
        }
    }

    #[test]
    fn text_is_its_utf_8_whatever_it_looks_like() {
        for text in [
            "b'abc'",
            "5f3523",
            "é",
            "{",
            "{}",
            r#"{"a":"b"}"#,
            r#"["hex"]"#,
            "1234",
        ] {
            assert_eq!(read(text).as_deref(), Ok(text.as_bytes()));
        }
    }

    #[test]
    fn what_cannot_be_read_says_what_to_write_and_shows_nothing() {
        for setting in [
            r#"{"hex":"5f3"}"#,
            r#"{"hex":"5g"}"#,
            r#"{"hex":7}"#,
            r#"{"base64":"XzUjX"}"#,
            r#"{"base64":"Xz j"}"#,
            r#"{"python":"'text'"}"#,
            r#"{"python":"b'half"}"#,
            r#"{"python":"b'a'b'"}"#,
            r#"{"python":"b'\\x4'"}"#,
            r#"{"python":"b'\\x+4'"}"#,
            r#"{"python":"b'\\'"}"#,
            r#"{"python":"b'é'"}"#,
            r#"{"python":"u'a'"}"#,
            r#"{"python":""}"#,
        ] {
            let error = read(setting).unwrap_err();
            assert!(error.ends_with(FORMS), "{error}");
            for secret in ["5g", "half", "Xz j"] {
                assert!(!error.contains(secret), "{error}");
            }
        }
    }
}
