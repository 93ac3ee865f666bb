//! Dictionary keys that are not strings in Python, such as `{42: …}`.
//!
//! JSON's keys are strings. Another key is represented by its JSON text, in a string in which every
//! character is escaped: `42` is `"\u0034\u0032"`. The string therefore reads as `"42"`, also into
//! a map with integer keys, and its escapes reveal the type. String keys are never written this
//! way, because printable ASCII needs no escapes.

use std::fmt::Write as _;

use crate::json::Text;

/// Returns a key for `json`, the key's JSON text in printable ASCII.
pub(super) fn spelled(json: &str) -> String {
    let mut raw = String::with_capacity(2 + 6 * json.len());
    raw.push('"');
    for byte in json.bytes() {
        // Writing to a `String` does not fail.
        let _ = write!(raw, "\\u{byte:04x}");
    }
    raw.push('"');
    raw
}

/// Returns the JSON text that [`spelled`] encoded in a key, or `None` if the key is a string.
pub(super) fn json_of(raw: &str) -> Option<String> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.is_empty() {
        return None;
    }
    inner.as_bytes().chunks(6).map(printable).collect()
}

/// Decodes like [`json_of`], for a key inside a value.
pub(super) fn json_of_text(key: &Text) -> Option<String> {
    json_of(key.as_raw())
}

fn printable(escape: &[u8]) -> Option<char> {
    let digits = escape.strip_prefix(b"\\u00")?;
    let code = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    (digits.len() == 2 && (b' '..=b'~').contains(&code)).then(|| char::from(code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::string;

    #[test]
    fn a_spelled_key_reads_as_its_text_and_is_known() {
        let raw = spelled("-42");
        assert_eq!(raw, r#""\u002d\u0034\u0032""#);
        assert_eq!(string::decode(&raw).as_deref(), Ok("-42"));
        assert_eq!(json_of(&raw).as_deref(), Some("-42"));
    }

    #[test]
    fn text_is_never_taken_for_one() {
        for text in [
            "", "42", "é", "\0", "\n", "😀", "\u{7f}", "\\u0034", "a\u{1}",
        ] {
            for ascii in [true, false] {
                let mut raw = String::new();
                string::write(text, ascii, &mut raw);
                assert_eq!(json_of(&raw), None, "{raw}");
            }
        }
        assert_eq!(json_of("\"\\u0034x\""), None);
        assert_eq!(json_of("\"\\u+034\""), None);
    }
}
