//! Encrypted session cookies: clients can neither read nor change them.
//!
//! ```text
//! base64url( version 1 ‖ key id 4 ‖ nonce 24 ‖ commitment 32 ‖ ciphertext ‖ tag 16 )
//! ciphertext = AES-256-GCM( issued 8 ‖ expires 8 ‖ JSON text )
//! ```
//!
//! Each message has its own key, derived by HKDF-SHA256 with a 192-bit random nonce, so that the
//! limit of 2^32 messages of plain AES-GCM (NIST SP 800-38D) is out of reach. The commitment binds
//! a ciphertext to one key. Cookie name, application and purpose are authenticated: a value that is
//! moved to another cookie, or to another application with the same key, is rejected. Payloads are
//! never compressed, because the length would leak secrets next to text that an attacker chooses.
//! Byte diagram: `docs/wire-format.md`.

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce, Tag,
    aead::{AeadInOut, inout::InOutBuf},
};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{DEFAULT_CLOCK_SKEW, Opened, PayloadError, SealError, TokenError, Window};
use crate::{
    base64,
    clock::Timestamp,
    key::{KeyRing, Prepared, SecretKey},
};

const VERSION: u8 = 1;
const KEY_ID: std::ops::Range<usize> = 1..5;
const NONCE: std::ops::Range<usize> = 5..29;
const COMMITMENT: std::ops::Range<usize> = 29..61;
const HEADER: usize = 61;
const TIMES: usize = 16;
const TAG: usize = 16;

/// Size of an encrypted token in addition to the JSON text, in bytes before Base64.
pub const OVERHEAD: usize = HEADER + TIMES + TAG;

/// Seals sessions into encrypted cookie values and opens them.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::{clock::Timestamp, key::{KeyRing, SecretKey}};
/// use carafe_core::token::encrypted::EncryptedSessions;
///
/// let key = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";
/// let keys = KeyRing::new(SecretKey::new(key)?);
/// let sessions = EncryptedSessions::new(&keys, "shop", "__Host-Http-session");
/// let now = Timestamp::now();
/// let cookie = sessions.seal(r#"{"user_id":42}"#, now, now.saturating_add(3600))?;
/// assert_eq!(sessions.open(cookie.as_bytes(), None, now)?.payload, r#"{"user_id":42}"#);
///
/// let other = EncryptedSessions::new(&keys, "admin", "__Host-Http-session");
/// assert!(other.open(cookie.as_bytes(), None, now).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct EncryptedSessions {
    keys: Prepared<RootKey>,
    context: Box<[u8]>,
    clock_skew: i64,
}

/// The values derived from a secret key, computed once.
#[derive(Clone)]
struct RootKey {
    id: [u8; 4],
    messages: Hkdf<Sha256>,
}

impl EncryptedSessions {
    /// Prepares the keys of `keys` for the cookie `cookie_name` of `application`.
    ///
    /// Both names become part of the authenticated data.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::{TokenError, encrypted::EncryptedSessions};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let (now, later) = (Timestamp::from_unix(0), Timestamp::from_unix(60));
    /// let cookie = EncryptedSessions::new(&keys, "shop", "session").seal("{}", now, later)?;
    ///
    /// // Another application with the same key, and another cookie of the same application.
    /// for (application, name) in [("blog", "session"), ("shop", "admin")] {
    ///     let other = EncryptedSessions::new(&keys, application, name);
    ///     assert_eq!(other.open(cookie.as_bytes(), None, now), Err(TokenError::BadSignature));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(keys: &KeyRing, application: &str, cookie_name: &str) -> Self {
        let context = authenticated_context(&[
            b"carafe session",
            cookie_name.as_bytes(),
            application.as_bytes(),
        ]);
        let clock_skew = i64::try_from(DEFAULT_CLOCK_SKEW.as_secs()).unwrap_or(i64::MAX);
        Self {
            keys: keys.prepare(RootKey::new),
            context,
            clock_skew,
        }
    }

    /// Sets the clock skew tolerance for cookies that were sealed in the future. Default: 5 s.
    #[must_use]
    pub fn with_clock_skew(self, clock_skew: std::time::Duration) -> Self {
        Self {
            clock_skew: i64::try_from(clock_skew.as_secs()).unwrap_or(i64::MAX),
            ..self
        }
    }

    /// Returns the cookie value of a session's JSON text.
    ///
    /// The cookie is valid up to and including the second `expires`.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::encrypted::{EncryptedSessions, OVERHEAD};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let sessions = EncryptedSessions::new(&keys, "shop", "session");
    /// let (now, later) = (Timestamp::from_unix(0), Timestamp::from_unix(60));
    /// let (payload, first) = ("{\"a\":1}", sessions.seal("{\"a\":1}", now, later)?);
    /// assert_eq!(first.len(), ((OVERHEAD + payload.len()) * 4).div_ceil(3));
    /// assert_ne!(sessions.seal(payload, now, later)?, first, "each call has its own nonce");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SealError::NoRandomness`] if the operating system returns no random bytes. No weaker
    /// source is used instead.
    pub fn seal(
        &self,
        payload: &str,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Result<String, SealError> {
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
        Ok(self.seal_with_nonce(nonce, payload, issued, expires))
    }

    fn seal_with_nonce(
        &self,
        nonce: [u8; 24],
        payload: &str,
        issued: Timestamp,
        expires: Timestamp,
    ) -> String {
        let key = &self.keys.current;
        let (cipher, commitment) = key.for_message(&nonce);
        let mut token = Vec::with_capacity(OVERHEAD + payload.len());
        token.push(VERSION);
        token.extend_from_slice(&key.id);
        token.extend_from_slice(&nonce);
        token.extend_from_slice(&*commitment);
        token.extend_from_slice(&issued.unix().to_be_bytes());
        token.extend_from_slice(&expires.unix().to_be_bytes());
        token.extend_from_slice(payload.as_bytes());
        let text = InOutBuf::from(&mut token[HEADER..]);
        // AES-GCM rejects only messages of more than 64 GiB.
        let tag = cipher
            .encrypt_inout_detached(&Nonce::default(), &self.context, text)
            .expect("a cookie is short");
        token.extend_from_slice(&tag);
        base64::encode_url(&token)
    }

    /// Returns the JSON text of a cookie value that has not expired and is at most `max_age` old.
    ///
    /// The text is UTF-8, but has not been checked to be JSON.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::{TokenError, encrypted::EncryptedSessions};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let sessions = EncryptedSessions::new(&keys, "shop", "session");
    /// let at = Timestamp::from_unix;
    /// let cookie = sessions.seal("{}", at(0), at(60))?.into_bytes();
    ///
    /// assert!(sessions.open(&cookie, None, at(60)).is_ok(), "the last second counts");
    /// let expired = sessions.open(&cookie, None, at(61)).unwrap_err();
    /// assert_eq!(expired, TokenError::Expired { age: 61, max_age: 60 });
    /// let too_old = sessions.open(&cookie, Some(Duration::from_secs(10)), at(11)).unwrap_err();
    /// assert_eq!(too_old, TokenError::Expired { age: 11, max_age: 10 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TokenError`]. A wrong key, a wrong context and a changed byte all result in
    /// [`TokenError::BadSignature`].
    pub fn open(
        &self,
        cookie: &[u8],
        max_age: Option<std::time::Duration>,
        now: Timestamp,
    ) -> Result<Opened, TokenError> {
        let mut token =
            base64::decode_url(cookie).ok_or(TokenError::Malformed("it is not base64url"))?;
        if token.len() < OVERHEAD {
            return Err(TokenError::Malformed("it is too short"));
        }
        if token[0] != VERSION {
            return Err(TokenError::Malformed("its version is unknown"));
        }
        let key = self.decrypt(&mut token, now)?;
        let (issued, expires) = (time_at(&token, HEADER), time_at(&token, HEADER + 8));
        self.check_times(issued, expires, max_age, now)?;
        token.truncate(token.len() - TAG);
        token.drain(..HEADER + TIMES);
        let payload = String::from_utf8(token).map_err(|_| PayloadError::NotUtf8)?;
        Ok(Opened {
            payload,
            issued,
            key,
            compressed: false,
        })
    }

    /// Decrypts in place.
    ///
    /// On failure the buffer still contains the ciphertext and no plaintext (RUSTSEC-2023-0096).
    fn decrypt(&self, token: &mut [u8], now: Timestamp) -> Result<crate::key::KeyUse, TokenError> {
        let (header, text) = token.split_at_mut(HEADER);
        let (text, tag) = text.split_at_mut(text.len() - TAG);
        let mut cipher = None;
        let opens = |key: &RootKey| {
            if key.id != header[KEY_ID] {
                return false;
            }
            let (candidate, commitment) = key.for_message(&header[NONCE]);
            cipher = Some(candidate);
            commitment.ct_eq(&header[COMMITMENT]).into()
        };
        let key = self.keys.find(now, opens).ok_or(TokenError::BadSignature)?;
        let cipher = cipher.ok_or(TokenError::BadSignature)?;
        let tag: &Tag = (&*tag).try_into().map_err(|_| TokenError::BadSignature)?;
        let opened = cipher.decrypt_inout_detached(
            &Nonce::default(),
            &self.context,
            InOutBuf::from(text),
            tag,
        );
        opened.map(|()| key).map_err(|_| TokenError::BadSignature)
    }

    fn check_times(
        &self,
        issued: Timestamp,
        expires: Timestamp,
        max_age: Option<std::time::Duration>,
        now: Timestamp,
    ) -> Result<(), TokenError> {
        let inside = expires.seconds_since(issued).max(0);
        let asked = max_age.map_or(i64::MAX, |age| {
            i64::try_from(age.as_secs()).unwrap_or(i64::MAX)
        });
        Window {
            max_age: Some(inside.min(asked)),
            clock_skew: self.clock_skew,
        }
        .check(issued, now)
    }
}

impl RootKey {
    fn new(secret: &SecretKey) -> Self {
        let messages = secret.hkdf();
        let mut id = [0; 4];
        messages
            .expand(b"key id", &mut id)
            .expect("HKDF gives up to 8,160 bytes");
        Self { id, messages }
    }

    /// Returns the cipher and the key commitment of one message (64 bytes of HKDF output).
    fn for_message(&self, nonce: &[u8]) -> (Aes256Gcm, Zeroizing<[u8; 32]>) {
        let mut derived = Zeroizing::new([0; 64]);
        let expanded = self
            .messages
            .expand_multi_info(&[b"encrypted session", nonce], derived.as_mut());
        expanded.expect("HKDF gives up to 8,160 bytes");
        let (key, commitment) = derived.split_at(32);
        let mut committed = Zeroizing::new([0; 32]);
        committed.copy_from_slice(commitment);
        (
            Aes256Gcm::new_from_slice(key).expect("the key has 32 bytes"),
            committed,
        )
    }
}

/// Returns the associated data.
///
/// Each part is preceded by its length, so that the encoding is unambiguous.
fn authenticated_context(parts: &[&[u8]]) -> Box<[u8]> {
    let mut out = vec![VERSION];
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out.into()
}

fn time_at(token: &[u8], at: usize) -> Timestamp {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&token[at..at + 8]);
    Timestamp::from_unix(i64::from_be_bytes(bytes))
}

impl std::fmt::Debug for EncryptedSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EncryptedSessions(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";
    const OTHER: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    const NOON: Timestamp = Timestamp::from_unix(1_700_000_000);
    const DAY: Timestamp = NOON.saturating_add(86_400);
    const MARKER: &str = r#"{"marker":"marker marker marker marker"}"#;

    fn key(text: &str) -> SecretKey {
        SecretKey::dangerous_weak(text).unwrap()
    }

    fn sessions(secret: &str) -> EncryptedSessions {
        EncryptedSessions::new(&key(secret).into(), "shop", "session")
    }

    fn unhex(text: &str) -> Vec<u8> {
        let digits: Vec<char> = text.chars().collect();
        let byte = |pair: &[char]| {
            let pair: String = pair.iter().collect();
            u8::from_str_radix(&pair, 16).unwrap()
        };
        digits.chunks(2).map(byte).collect()
    }

    /// Returns the token as bytes, sealed with a fixed nonce.
    fn sealed(sessions: &EncryptedSessions) -> Vec<u8> {
        let token = sessions.seal_with_nonce([7; 24], MARKER, NOON, DAY);
        base64::decode_url(token.as_bytes()).unwrap()
    }

    /// `interop/encrypted_check.py` seals and opens the same token with another implementation.
    #[test]
    fn the_format_is_frozen() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../testdata/vectors/encrypted.jsonl"
        );
        let lines = std::fs::read_to_string(path).unwrap();
        assert!(lines.lines().count() > 50);
        for line in lines.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |field: &str| line[field].as_str().unwrap();
            let time = |field: &str| Timestamp::from_unix(line[field].as_i64().unwrap());
            let ring = key(text("secret")).into();
            let sessions = EncryptedSessions::new(&ring, text("application"), text("cookie"));
            let nonce = unhex(text("nonce")).try_into().unwrap();
            let (issued, expires) = (time("issued"), time("expires"));
            let token = sessions.seal_with_nonce(nonce, text("payload"), issued, expires);
            assert_eq!(token, text("token"), "{}", text("id"));
            let opened = sessions.open(token.as_bytes(), None, issued).unwrap();
            assert_eq!(opened.payload, text("payload"), "{}", text("id"));
            assert_eq!(opened.issued, issued, "{}", text("id"));
        }
    }

    /// AES-256-GCM: test cases 13 to 16 of McGrew and Viega, which NIST SP 800-38D adopted.
    #[test]
    fn known_answers_of_aes_256_gcm() {
        let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
        let long = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
        for (key, nonce, plain, context, cipher, tag) in [
            (
                &*"00".repeat(32),
                "000000000000000000000000",
                "",
                "",
                "",
                "530f8afbc74536b9a963b4f1c4cb738b",
            ),
            (
                &"00".repeat(32),
                "000000000000000000000000",
                "00000000000000000000000000000000",
                "",
                "cea7403d4d606b6e074ec5d3baf39d18",
                "d0d1c8a799996bf0265b98b5d48ab919",
            ),
            (
                key,
                "cafebabefacedbaddecaf888",
                long,
                "feedfacedeadbeeffeedfacedeadbeefabaddad2",
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
                "76fc6ece0f4e1768cddf8853bb2d551b",
            ),
        ] {
            let sealer = Aes256Gcm::new_from_slice(&unhex(key)).unwrap();
            let nonce = Nonce::try_from(unhex(nonce).as_slice()).unwrap();
            let mut text = unhex(plain);
            let ours = sealer
                .encrypt_inout_detached(&nonce, &unhex(context), InOutBuf::from(&mut text[..]))
                .unwrap();
            assert_eq!((text, ours.to_vec()), (unhex(cipher), unhex(tag)));
        }
    }

    /// CRY-6: a failed open leaves ciphertext in the buffer and no plaintext (RUSTSEC-2023-0096).
    #[test]
    fn a_failed_open_leaves_no_plaintext() {
        let sessions = sessions(SECRET);
        let good = sealed(&sessions);
        for changed in HEADER..good.len() {
            let mut token = good.clone();
            token[changed] ^= 1;
            let before = token.clone();
            assert!(
                sessions.decrypt(&mut token, NOON).is_err(),
                "byte {changed}"
            );
            assert_eq!(token, before, "byte {changed}");
        }
        let mut token = good;
        assert!(sessions.decrypt(&mut token, NOON).is_ok());
        assert!(
            token.windows(6).any(|part| part == b"marker"),
            "the test would see plaintext"
        );
    }

    #[test]
    fn each_purpose_has_a_key_of_its_own() {
        let nonce = [0; 24];
        let expand = |secret: &str, label: &[&[u8]]| {
            let mut out = [0; 64];
            key(secret)
                .hkdf()
                .expand_multi_info(label, &mut out)
                .unwrap();
            out.to_vec()
        };
        let all = [
            expand(SECRET, &[b"encrypted session", &nonce]),
            expand(SECRET, &[b"encrypted session", &[1; 24]]),
            expand(SECRET, &[b"key id"]),
            expand(OTHER, &[b"encrypted session", &nonce]),
            expand(OTHER, &[b"key id"]),
        ];
        // Key, commitment and ID have no part in common.
        let mut parts: Vec<&[u8]> = all.iter().flat_map(|key| key.chunks(4)).collect();
        let count = parts.len();
        parts.sort_unstable();
        parts.dedup();
        assert_eq!(parts.len(), count);
        let plain_hmac = crate::key::PreparedMac::new(
            &key(SECRET),
            b"encrypted session",
            crate::key::KeyDerivation::None,
            crate::key::Digest::Sha256,
        );
        plain_hmac.with_tag(&nonce, |tag| assert_ne!(tag, &all[0][..32]));
    }

    /// A ciphertext opens under one key only: with another key's ID, the commitment does not match.
    #[test]
    fn a_token_is_committed_to_its_key() {
        let ring = KeyRing::new(key(SECRET)).with_fallback(key(OTHER)).unwrap();
        let both = EncryptedSessions::new(&ring, "shop", "session");
        for (ours, theirs) in [(SECRET, OTHER), (OTHER, SECRET)] {
            let mut token = sealed(&sessions(ours));
            assert!(both.decrypt(&mut token.clone(), NOON).is_ok());
            token[KEY_ID].copy_from_slice(&RootKey::new(&key(theirs)).id);
            assert_eq!(
                both.decrypt(&mut token, NOON),
                Err(TokenError::BadSignature)
            );
        }
    }

    /// TOK-14: if the IDs of two keys collide, both keys are tried, because an ID of 4 bytes is not
    /// unique.
    #[test]
    fn keys_with_one_id_are_told_apart() {
        let ring = KeyRing::new(key(SECRET)).with_fallback(key(OTHER)).unwrap();
        let mut colliding = RootKey::new(&key(OTHER));
        colliding.id = RootKey::new(&key(SECRET)).id;
        let alone: KeyRing = key(OTHER).into();
        let forged = EncryptedSessions {
            keys: alone.prepare(|_| colliding.clone()),
            ..sessions(OTHER)
        };
        let token = sealed(&forged);
        let prepared = ring.prepare(|secret| {
            let mut root = RootKey::new(secret);
            root.id = colliding.id;
            root
        });
        let both = EncryptedSessions {
            keys: prepared,
            ..sessions(SECRET)
        };
        let mut buffer = token;
        assert_eq!(
            both.decrypt(&mut buffer, NOON),
            Ok(crate::key::KeyUse::Fallback(1))
        );
    }

    #[test]
    fn no_two_contexts_read_the_same() {
        let context = |parts: &[&str]| {
            authenticated_context(&parts.iter().map(|part| part.as_bytes()).collect::<Vec<_>>())
        };
        let lists: [&[&str]; 8] = [
            &["a", "b", "c"],
            &["a", "bc", ""],
            &["a", "", "bc"],
            &["ab", "c", ""],
            &["abc"],
            &["abc", ""],
            &["a", "b\0\0\0\0\0\0\0\u{1}c"],
            &[],
        ];
        for (position, one) in lists.iter().enumerate() {
            for other in &lists[..position] {
                assert_ne!(context(one), context(other), "{one:?} {other:?}");
            }
        }
        assert_eq!(&*context(&["a"]), b"\x01\0\0\0\0\0\0\0\x01a");
    }
}
