//! The two variants of base64 that Flask's formats need.
//!
//! *Canonical* is the output of every genuine writer. Signatures accept nothing else, so that a
//! valid token has exactly one encoding. *Lenient* is CPython's `binascii.a2b_base64` outside
//! strict mode, which determines how real Flask reads signed text.

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};

/// Returns base64url without padding.
pub(crate) fn encode_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Writes base64url without padding into `out`, which must have the exact length.
pub(crate) fn encode_url_exact(bytes: &[u8], out: &mut [u8]) {
    let _ = URL_SAFE_NO_PAD.encode(bytes, base64_simd::Out::from_slice(out));
}

/// Returns whether [`decode_url`] succeeds on this text.
pub(crate) fn is_url(text: &[u8]) -> bool {
    URL_SAFE_NO_PAD.check(text).is_ok()
}

/// Appends base64url without padding.
pub(crate) fn append_url(bytes: &[u8], out: &mut String) {
    URL_SAFE_NO_PAD.encode_append(bytes, out);
}

/// Returns standard base64 (`+ /`) with padding.
pub(crate) fn encode_standard(bytes: &[u8]) -> String {
    STANDARD.encode_to_string(bytes)
}

/// Decodes base64url without padding.
///
/// Returns `None` for any text that `encode_url` does not produce.
pub(crate) fn decode_url(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

/// Decodes canonical base64url of exactly `out.len()` bytes into `out`, without an allocation.
pub(crate) fn decode_url_exact(text: &[u8], out: &mut [u8]) -> bool {
    let length = out.len();
    let fits = URL_SAFE_NO_PAD
        .decoded_length(text)
        .is_ok_and(|decoded| decoded == length);
    fits && URL_SAFE_NO_PAD
        .decode(text, base64_simd::Out::from_slice(out))
        .is_ok()
}

/// Decodes like CPython's `base64.urlsafe_b64decode` after itsdangerous has padded the text: both
/// alphabets are accepted, other characters are skipped, and stray bits are ignored.
pub(crate) fn decode_lenient_url(text: &[u8]) -> Option<Vec<u8>> {
    let missing = text.len().wrapping_neg() % 4;
    decode_lenient(
        text.iter()
            .copied()
            .chain(std::iter::repeat_n(b'=', missing)),
    )
}

/// Decodes like CPython's `base64.b64decode`: as [`decode_lenient_url`], but padding is required,
/// and `-` and `_` are skipped as well.
pub(crate) fn decode_lenient_standard(text: &[u8]) -> Option<Vec<u8>> {
    decode_lenient(
        text.iter()
            .copied()
            .filter(|byte| !matches!(byte, b'-' | b'_')),
    )
}

fn decode_lenient(text: impl Iterator<Item = u8>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.size_hint().0 / 4 * 3 + 3);
    let (mut position, mut carried, mut pads) = (0_u8, 0_u8, 0_u8);
    for byte in text {
        if byte == b'=' {
            if position >= 2 {
                pads += 1;
                if position + pads >= 4 {
                    return Some(out);
                }
            }
            continue;
        }
        let Some(six) = six_bits(byte) else { continue };
        pads = 0;
        match position {
            0 => {}
            1 => out.push(carried << 2 | six >> 4),
            2 => out.push((carried & 0x0f) << 4 | six >> 2),
            _ => out.push((carried & 0x03) << 6 | six),
        }
        carried = six;
        position = (position + 1) % 4;
    }
    (position == 0).then_some(out)
}

const fn six_bits(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lenient_reads_what_cpython_reads() {
        for (text, bytes) in [
            ("aGk=", Some(&b"hi"[..])),
            ("aGk", Some(b"hi")),
            ("a!!G k==", Some(b"hi")),
            ("aGl", Some(b"hi")),
            ("aGk=aGk=", Some(b"hi")),
            ("-_-_", Some(b"\xfb\xff\xbf")),
            ("+/+/", Some(b"\xfb\xff\xbf")),
            ("", Some(b"")),
            ("!!!", Some(b"")),
            ("a", None),
            ("abcde", None),
        ] {
            assert_eq!(
                decode_lenient_url(text.as_bytes()).as_deref(),
                bytes,
                "{text}"
            );
        }
        assert_eq!(decode_lenient_standard(b"YQ"), None, "padding is required");
        assert_eq!(decode_lenient_standard(b"!!!").as_deref(), Some(&b""[..]));
    }

    #[test]
    fn what_checks_is_what_decodes() {
        for text in [
            "", "aGk", "aGl", "aGk=", "a", "+/+/", "-_-_", "aG k", "aGkaG",
        ] {
            let text = text.as_bytes();
            assert_eq!(is_url(text), decode_url(text).is_some(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn canonical_has_one_spelling(bytes in prop::collection::vec(any::<u8>(), 1..80), last in any::<u8>()) {
            let text = encode_url(&bytes);
            prop_assert_eq!(decode_url(text.as_bytes()), Some(bytes.clone()));
            let mut exact = vec![0; bytes.len()];
            prop_assert!(decode_url_exact(text.as_bytes(), &mut exact));
            prop_assert_eq!(&exact, &bytes);
            let mut written = vec![0; text.len()];
            encode_url_exact(&bytes, &mut written);
            prop_assert_eq!(&written, text.as_bytes());
            let mut other = text.clone().into_bytes();
            *other.last_mut().expect("not empty") = last;
            prop_assert_eq!(is_url(&other), decode_url(&other).is_some());
            prop_assume!(other != text.as_bytes());
            prop_assert_ne!(decode_url(&other), Some(bytes));
        }

        #[test]
        fn lenient_reads_all_that_is_canonical(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(decode_lenient_url(encode_url(&bytes).as_bytes()), Some(bytes.clone()));
            prop_assert_eq!(decode_lenient_standard(encode_standard(&bytes).as_bytes()), Some(bytes));
        }

        #[test]
        fn no_input_panics(text in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(is_url(&text), decode_url(&text).is_some());
            let _ = decode_lenient_url(&text);
            let _ = decode_lenient_standard(&text);
            let mut out = [0; 20];
            let _ = decode_url_exact(&text, &mut out);
        }
    }
}
