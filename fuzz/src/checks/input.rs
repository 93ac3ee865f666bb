//! Reads numbers and texts from arbitrary bytes, and zeros after the last byte.

use std::borrow::Cow;

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
};

/// The time of the checks.
pub(super) const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

/// The remaining bytes.
pub(super) struct Input<'d>(pub(super) &'d [u8]);

impl<'d> Input<'d> {
    pub(super) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    pub(super) fn bytes(&mut self, most: usize) -> &'d [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(super) fn i64(&mut self) -> i64 {
        let mut bytes = [0; 8];
        let taken = self.bytes(8);
        bytes[..taken.len()].copy_from_slice(taken);
        i64::from_be_bytes(bytes)
    }

    /// Returns the text before the next line feed.
    pub(super) fn line(&mut self) -> Cow<'d, str> {
        let end = self.0.iter().position(|&byte| byte == b'\n');
        let line = self.bytes(end.unwrap_or(self.0.len()));
        self.bytes(1);
        String::from_utf8_lossy(line)
    }
}

/// Returns a ring of a current key and a fallback.
pub(super) fn keys() -> KeyRing {
    let key = |text| SecretKey::short(text).expect("long enough and in no manual");
    let ring = KeyRing::new(key("flask-spec-secret"));
    ring.with_fallback(key("previous-spec-secret"))
        .expect("another key")
}

/// Encodes Base64url without padding, the alphabet of tokens.
pub(super) fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |chunk: &[u8]| {
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0))
        });
        let digit = move |at: usize| char::from(ALPHABET[(bits >> (18 - 6 * at) & 63) as usize]);
        (0..=chunk.len()).map(digit).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}
