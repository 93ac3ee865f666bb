//! Encrypted tokens.

use std::{sync::LazyLock, time::Duration};

use carafe_core::{
    clock::Timestamp,
    token::{
        TokenError,
        encrypted::{EncryptedSessions, OVERHEAD},
    },
};

use super::input::{Input, NOW, base64url, keys};

const DAY: Option<Duration> = Some(Duration::from_secs(86_400));

static SESSIONS: LazyLock<EncryptedSessions> =
    LazyLock::new(|| EncryptedSessions::new(&keys(), "shop", "session"));

/// A token, and its bytes before Base64.
static GOOD: LazyLock<(String, Vec<u8>)> = LazyLock::new(|| {
    let sealed = SESSIONS.seal(
        r#"{"user_id":42,"theme":"dark"}"#,
        NOW,
        NOW.saturating_add(3600),
    );
    let text = sealed.expect("random bytes");
    let bytes = bytes_of(&text);
    (text, bytes)
});

/// Checks arbitrary bytes as a cookie, a valid cookie with changed bytes, and arbitrary payloads.
pub fn encrypted_open(data: &[u8]) {
    let foreign = SESSIONS.open(data, DAY, NOW);
    assert!(
        matches!(
            foreign,
            Err(TokenError::Malformed(_) | TokenError::BadSignature)
        ),
        "forged"
    );
    changed_is_refused(data);
    let mut input = Input(data);
    let (issued, lasts) = (input.i64(), input.i64());
    opens_as_sealed(&String::from_utf8_lossy(input.0), issued, lasts);
}

/// Checks that a changed token is rejected. `data` contains pairs of a position and a change.
fn changed_is_refused(data: &[u8]) {
    let (text, good) = &*GOOD;
    assert!(SESSIONS.open(text.as_bytes(), DAY, NOW).is_ok());
    let (mut bytes, mut chars) = (good.clone(), text.as_bytes().to_vec());
    for change in data.chunks_exact(2) {
        let at = |length: usize| usize::from(change[0]) * length / 256;
        let (in_bytes, in_chars) = (at(bytes.len()), at(chars.len()));
        bytes[in_bytes] ^= change[1];
        chars[in_chars] ^= change[1];
    }
    assert!(
        bytes == *good
            || SESSIONS
                .open(base64url(&bytes).as_bytes(), DAY, NOW)
                .is_err()
    );
    assert!(chars == text.as_bytes() || SESSIONS.open(&chars, DAY, NOW).is_err());
    let cut = data.len().min(good.len() - 1);
    assert!(
        SESSIONS
            .open(base64url(&good[..cut]).as_bytes(), DAY, NOW)
            .is_err()
    );
}

fn opens_as_sealed(payload: &str, issued: i64, lasts: i64) {
    let issued = Timestamp::from_unix(issued);
    let sealed = SESSIONS
        .seal(payload, issued, issued.saturating_add(lasts))
        .expect("random bytes");
    assert_eq!(bytes_of(&sealed).len(), payload.len() + OVERHEAD);
    let opened = SESSIONS
        .open(sealed.as_bytes(), None, issued)
        .expect("it was just sealed");
    assert_eq!((opened.payload.as_str(), opened.issued), (payload, issued));
    let elsewhere = EncryptedSessions::new(&keys(), "shop", "other");
    assert_eq!(
        elsewhere.open(sealed.as_bytes(), None, issued),
        Err(TokenError::BadSignature)
    );
}

/// Decodes the output of [`base64url`].
fn bytes_of(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let group = |chunk: &[u8]| {
        let bits = chunk
            .iter()
            .fold(0, |bits, &byte| bits << 6 | u32::from(value(byte)));
        let bits = bits << (6 * (4 - chunk.len()));
        bits.to_be_bytes()[1..chunk.len()].to_vec()
    };
    text.as_bytes().chunks(4).flat_map(group).collect()
}
