//! Canonical base64url, with the defect of an invalid text.

use std::mem::MaybeUninit;

use base64_simd::{AsOut, URL_SAFE_NO_PAD};

use crate::{limits::TOKEN_BYTES, refusal::Refusal};

/// Encodes base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Appends base64url without padding.
pub(crate) fn append(bytes: &[u8], out: &mut String) {
    URL_SAFE_NO_PAD.encode_append(bytes, out);
}

/// Decodes canonical base64url, as [`encode`] produces.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

/// Decodes exactly `N` bytes.
pub(crate) fn decode_array<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    decode(text)?.try_into().ok()
}

/// Decodes a part of a token on the stack for `read`, or returns the defect of its encoding.
pub(crate) fn decode_part<T>(text: &[u8], read: impl FnOnce(&[u8]) -> T) -> Result<T, Refusal> {
    if text.len() > TOKEN_BYTES {
        return Err(Refusal::TooLarge);
    }
    let mut room = [MaybeUninit::uninit(); TOKEN_BYTES / 4 * 3];
    match URL_SAFE_NO_PAD.decode(text, room.as_mut_slice().as_out()) {
        Ok(bytes) => Ok(read(bytes)),
        Err(_) => Err(defect(text)),
    }
}

fn defect(text: &[u8]) -> Refusal {
    match () {
        () if text.iter().any(u8::is_ascii_whitespace) => Refusal::Whitespace,
        () if text.contains(&b'=') => Refusal::Padding,
        () => Refusal::Base64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_decodes_and_the_defect_is_named() {
        let decode_part = |text| decode_part(text, <[u8]>::to_vec);
        assert_eq!(decode_part(b"aGk").as_deref(), Ok(&b"hi"[..]));
        assert_eq!(decode_part(b""), Ok(Vec::new()));
        let longest = [b'A'; TOKEN_BYTES];
        assert_eq!(decode_part(&longest), Ok(vec![0; TOKEN_BYTES / 4 * 3]));
        assert_eq!(
            decode_part(&[b'A'; TOKEN_BYTES + 1]),
            Err(Refusal::TooLarge)
        );
        for (text, refusal) in [
            (&b"aGk="[..], Refusal::Padding),
            (b"aG k", Refusal::Whitespace),
            (b"aGk\n", Refusal::Whitespace),
            (b"aGl", Refusal::Base64),
            (b"a", Refusal::Base64),
            (b"+/+/", Refusal::Base64),
            (b"aG\0k", Refusal::Base64),
        ] {
            assert_eq!(decode_part(text), Err(refusal), "{text:?}");
        }
        assert_eq!(decode_array(b"aGk"), Some(*b"hi"));
        assert_eq!(decode_array::<3>(b"aGk"), None);
    }
}
