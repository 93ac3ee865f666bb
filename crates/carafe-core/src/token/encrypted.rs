//! Encrypted session cookies: nobody reads them, nobody changes them.
//!
//! ```text
//! base64url( version 1 ‖ key id 4 ‖ nonce 24 ‖ commitment 32 ‖ ciphertext ‖ tag 16 )
//! ciphertext = AES-256-GCM( issued 8 ‖ expires 8 ‖ JSON text )
//! ```
//!
//! Each message has its own key, from HKDF-SHA256 over a 192-bit random nonce, so that the limit of 2^32
//! messages of plain AES-GCM (NIST SP 800-38D) is out of reach; the commitment makes a ciphertext open
//! under one key only. Cookie name, application and purpose are authenticated: a value moved to another
//! cookie, or to another application with the same key, is refused. Nothing is ever compressed here,
//! because lengths would tell about secrets beside chosen text. Byte diagram: `docs/wire-format.md`.

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

/// Bytes that an encrypted token has beyond the JSON text, before base64.
pub const OVERHEAD: usize = HEADER + TIMES + TAG;

/// Seals sessions into encrypted cookie values and opens them.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::{clock::Timestamp, key::{KeyRing, SecretKey}, token::encrypted::EncryptedSessions};
///
/// let keys = KeyRing::new(SecretKey::new("4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e")?);
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

/// What is derived from a secret key once.
#[derive(Clone)]
struct RootKey {
    id: [u8; 4],
    messages: Hkdf<Sha256>,
}

impl EncryptedSessions {
    /// Prepares the keys of `keys` for the cookie `cookie_name` of `application`, both of which become
    /// part of what is authenticated.
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

    /// How far in the future a cookie may have been made. 5 s unless set.
    #[must_use]
    pub fn with_clock_skew(self, clock_skew: std::time::Duration) -> Self {
        Self {
            clock_skew: i64::try_from(clock_skew.as_secs()).unwrap_or(i64::MAX),
            ..self
        }
    }

    /// The cookie value of a session's JSON text, good up to and including the second `expires`.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`]; nothing weaker is used instead.
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
        // AES-GCM refuses only messages beyond 64 GiB.
        let tag = cipher
            .encrypt_inout_detached(&Nonce::default(), &self.context, text)
            .expect("a cookie is short");
        token.extend_from_slice(&tag);
        base64::encode_url(&token)
    }

    /// The JSON text of a cookie value that has not expired and is at most `max_age` old. The text is
    /// UTF-8, but not yet known to be JSON.
    ///
    /// # Errors
    /// [`TokenError`]. A wrong key, a wrong context and a changed byte are all
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

    /// Decrypts in place. On failure the buffer still holds the ciphertext: no plaintext is left behind
    /// (RUSTSEC-2023-0096).
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

    /// The cipher and the key commitment of one message (64 bytes of HKDF output).
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

/// The associated data: each part behind its length, so that no two lists of parts read the same.
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
