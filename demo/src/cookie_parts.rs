//! Finds the parts of a cookie in its text. Decodes only key IDs.
//!
//! The parts of an encrypted cookie do not align with base64 characters. A character belongs to the
//! part that holds its first bit. Byte diagram: `docs/wire-format.md`.

use std::ops::Range;

use carafe_core::token::SessionId;

use super::mode_id::ModeId;

/// A part of a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'c> {
    pub(super) role: Role,
    pub(super) text: &'c str,
    /// Offset in the cookie.
    pub(super) start: usize,
}

/// The role of a part. A role has the same color in all formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Payload,
    Time,
    Signature,
    Version,
    KeyId,
    Nonce,
    Commitment,
    Ciphertext,
    Tag,
    /// The ID of a session in a store.
    Id,
    /// A whole cookie without such parts.
    Unread,
}

/// The sizes of the parts before the ciphertext, in bytes. The tag follows the ciphertext.
const HEAD: [(Role, usize); 4] = [
    (Role::Version, 1),
    (Role::KeyId, 4),
    (Role::Nonce, 24),
    (Role::Commitment, 32),
];
const TAG: usize = 16;

/// Returns the parts of `cookie`, in order.
pub(super) fn parts(id: ModeId, cookie: &str) -> Vec<Part<'_>> {
    let ranges = match id {
        ModeId::Signed => signed(cookie),
        ModeId::Encrypted => encrypted(cookie),
        ModeId::Stored => stored(cookie),
    };
    let ranges = ranges.unwrap_or_else(|| vec![(Role::Unread, 0..cookie.len())]);
    let part = |(role, range): (Role, Range<usize>)| {
        // The ranges lie in ASCII cookies. For any other cookie, the range is the whole cookie.
        let text = cookie.get(range.clone()).unwrap_or_default();
        Part {
            role,
            text,
            start: range.start,
        }
    };
    ranges.into_iter().map(part).collect()
}

/// Returns the range of the part that carries the session or its ID.
pub(super) fn contents(id: ModeId, cookie: &str) -> Option<Range<usize>> {
    let parts = parts(id, cookie);
    let part = parts
        .iter()
        .find(|part| matches!(part.role, Role::Payload | Role::Ciphertext | Role::Id))?;
    Some(part.start..part.start + part.text.len())
}

/// Returns the key ID in an encrypted cookie.
pub(super) fn key_id(cookie: &str) -> Option<[u8; 4]> {
    // 8 characters are 6 bytes: the version, the ID and one byte of the nonce.
    let head = base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(cookie.get(..8)?)
        .ok()?;
    head.get(1..5)?.try_into().ok()
}

/// Returns the number of ciphertext bytes of an encrypted cookie. Rounding may make the number of
/// characters one less than they need.
pub(super) fn ciphertext_bytes(cookie: &str) -> usize {
    let others: usize = HEAD.iter().map(|(_, length)| length).sum::<usize>() + TAG;
    (cookie.len() * 6 / 8).saturating_sub(others)
}

fn signed(cookie: &str) -> Option<Vec<(Role, Range<usize>)>> {
    let signature = cookie.is_ascii().then(|| cookie.rfind('.'))?? + 1;
    let time = cookie[..signature - 1].rfind('.')? + 1;
    Some(vec![
        (Role::Payload, 0..time - 1),
        (Role::Time, time..signature - 1),
        (Role::Signature, signature..cookie.len()),
    ])
}

fn encrypted(cookie: &str) -> Option<Vec<(Role, Range<usize>)>> {
    let bytes = cookie.len() * 6 / 8;
    if !cookie.is_ascii() || bytes < carafe_core::token::encrypted::OVERHEAD {
        return None;
    }
    let mut byte = 0;
    let head = HEAD.iter().map(|&(role, length)| {
        byte += length;
        (role, byte)
    });
    let mut ends: Vec<_> = head.collect();
    ends.extend([(Role::Ciphertext, bytes - TAG), (Role::Tag, bytes)]);
    let mut ranges = Vec::new();
    let mut start = 0;
    for (role, end) in ends {
        let end = (end * 8).div_ceil(6).min(cookie.len());
        ranges.push((role, start..end));
        start = end;
    }
    Some(ranges)
}

fn stored(cookie: &str) -> Option<Vec<(Role, Range<usize>)>> {
    SessionId::parse(cookie.as_bytes())?;
    Some(vec![(Role::Id, 0..cookie.len())])
}

impl Role {
    /// The class of the color in the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Payload | Self::Ciphertext => "contents",
            Self::Time | Self::Nonce | Self::Id => "fresh",
            Self::Signature | Self::Tag => "proof",
            Self::KeyId => "key",
            Self::Commitment => "binding",
            Self::Version => "plain",
            Self::Unread => "unread",
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Payload => "Payload",
            Self::Time => "Time",
            Self::Signature => "Signature",
            Self::Version => "Version",
            Self::KeyId => "Key id",
            Self::Nonce => "Nonce",
            Self::Commitment => "Commitment",
            Self::Ciphertext => "Ciphertext",
            Self::Tag => "Tag",
            Self::Id => "ID",
            Self::Unread => "Cookie",
        }
    }
}

#[cfg(test)]
mod tests {
    use carafe_core::token::encrypted::OVERHEAD;

    use super::*;

    fn texts(id: ModeId, cookie: &str) -> Vec<(Role, &str)> {
        parts(id, cookie)
            .iter()
            .map(|part| (part.role, part.text))
            .collect()
    }

    #[test]
    fn signed_cookies_have_three_parts() {
        let expected = [
            (Role::Payload, ".eJ"),
            (Role::Time, "ZV"),
            (Role::Signature, "mY"),
        ];
        assert_eq!(texts(ModeId::Signed, ".eJ.ZV.mY"), expected);
        for odd in ["", "a.b", "é.b.c"] {
            assert_eq!(texts(ModeId::Signed, odd), [(Role::Unread, odd)]);
        }
    }

    #[test]
    fn an_id_is_one_part_and_anything_else_is_none() {
        let id = SessionId::random().unwrap();
        let cookie = id.as_str();
        assert_eq!(texts(ModeId::Stored, cookie), [(Role::Id, cookie)]);
        assert_eq!(texts(ModeId::Stored, "short"), [(Role::Unread, "short")]);
    }

    #[test]
    fn encrypted_parts_begin_where_their_first_bit_is() {
        let head: usize = HEAD.iter().map(|(_, length)| length).sum();
        assert_eq!(head + 16 + TAG, OVERHEAD, "the layout of the format");
        let cookie = "A".repeat((OVERHEAD * 8).div_ceil(6));
        let starts: Vec<_> = parts(ModeId::Encrypted, &cookie)
            .iter()
            .map(|part| part.start)
            .collect();
        assert_eq!(starts, [0, 2, 7, 39, 82, 103]);
        let whole: String = parts(ModeId::Encrypted, &cookie)
            .iter()
            .map(|part| part.text)
            .collect();
        assert_eq!(whole, cookie);
        assert_eq!(texts(ModeId::Encrypted, "short"), [(Role::Unread, "short")]);
    }
}
