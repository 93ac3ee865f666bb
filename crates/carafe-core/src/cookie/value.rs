//! Werkzeug's encoding of cookie values: quotation marks, backslashes and octal escapes.
//!
//! Never percent-encodes or percent-decodes (CVE-2020-8184): `%3B` is three characters.

use std::borrow::Cow;

use super::scan::find;

/// Appends a value, in quotation marks if a character is not plain.
///
/// Special characters become `\"`, `\\` and `\ooo`.
///
/// Werkzeug escapes bytes up to hex 19. Carafe also escapes 1A–1F, which a header must not contain
/// unescaped (RFC 9110 §5.5). Readers see the same value.
pub(super) fn append_value(value: &str, out: &mut String) {
    if find(value.as_bytes(), 0, |byte| !is_plain(byte)) == value.len() {
        out.push_str(value);
        return;
    }
    out.push('"');
    value.bytes().for_each(|byte| append_escaped(byte, out));
    out.push('"');
}

/// Returns whether `byte` is RFC 6265's cookie-octet, without a branch.
const fn is_plain(byte: u8) -> bool {
    let special = (byte == b'"') | (byte == b',') | (byte == b';') | (byte == b'\\');
    (byte > b' ') & (byte < 0x7f) & !special
}

fn append_escaped(byte: u8, out: &mut String) {
    match byte {
        b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
        b' ' => out.push(' '),
        _ if is_plain(byte) => out.push(char::from(byte)),
        _ => out.extend(['\\', octal(byte >> 6), octal(byte >> 3), octal(byte)]),
    }
}

fn octal(bits: u8) -> char {
    char::from(b'0' + (bits & 7))
}

/// Resolves the escapes in the text between quotation marks. Borrows the text if it has no escapes.
///
/// `\ooo` up to `\377` denotes the byte with that octal value, and `\` before any byte other than a
/// line feed denotes that byte. All other bytes are unchanged.
pub(super) fn unescape(inside: &[u8]) -> Cow<'_, [u8]> {
    if !inside.contains(&b'\\') {
        return Cow::Borrowed(inside);
    }
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((&first, after)) = rest.split_first() {
        let (byte, after) = if first == b'\\' {
            unescape_one(after).unwrap_or((first, after))
        } else {
            (first, after)
        };
        out.push(byte);
        rest = after;
    }
    Cow::Owned(out)
}

/// Returns the byte that an escape denotes and the rest. `after` begins after the backslash.
fn unescape_one(after: &[u8]) -> Option<(u8, &[u8])> {
    match after {
        [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] => {
            Some(((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), rest))
        }
        [b'\n', ..] | [] => None,
        [byte, rest @ ..] => Some((*byte, rest)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{append_value, unescape};

    fn text(value: &str) -> String {
        let mut out = String::new();
        append_value(value, &mut out);
        out
    }

    #[test]
    fn escapes_are_werkzeugs() {
        for (value, want) in [
            ("", ""),
            ("v", "v"),
            (
                "!#$%&'()*+-./:<=>?@[]^_`{|}~",
                "!#$%&'()*+-./:<=>?@[]^_`{|}~",
            ),
            ("a b", r#""a b""#),
            ("a,b", r#""a\054b""#),
            ("a;b", r#""a\073b""#),
            (r#""v""#, r#""\"v\"""#),
            (r"a\b", r#""a\\b""#),
            ("\0\t\n\r\x7f", r#""\000\011\012\015\177""#),
            ("\x1a\x1f", r#""\032\037""#),
            ("é", r#""\303\251""#),
        ] {
            assert_eq!(text(value), want);
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for (inside, want) in [
            (r"\400", "400"),
            (r"\08", "08"),
            (r"\0", "0"),
            ("a\\", "a\\"),
            ("\\\n", "\\\n"),
            (r"\\054", r"\054"),
        ] {
            assert_eq!(unescape(inside.as_bytes()), want.as_bytes(), "{inside}");
        }
    }

    proptest! {
        #[test]
        fn values_round_trip_and_are_printable(value in any::<String>()) {
            let text = text(&value);
            prop_assert!(text.bytes().all(|byte| (b' '..0x7f).contains(&byte) && byte != b';'));
            match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                Some(inside) => prop_assert_eq!(unescape(inside.as_bytes()), value.as_bytes()),
                None => prop_assert_eq!(text, value),
            }
        }
    }
}
