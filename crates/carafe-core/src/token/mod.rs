//! Tokens: text that cannot be created or changed without a key.
//!
//! * [`signed`] is itsdangerous' format, which Flask, Quart and Starlette use. Clients can read it.
//! * [`encrypted`] is Carafe's own format. Clients cannot read it.
//! * [`SessionId`] is not signed: it is a random name for a session in a store.
//!
//! Rules of this module:
//! 1. Nothing is decoded, inflated or parsed before its tag is verified. [`Verified`] is the proof,
//!    and only the two formats create one.
//! 2. One format is configured, and no token chooses an algorithm or a key outside the ring.
//! 3. A token that fails is rejected, and no other decoder is tried (CVE-2026-39324).
//!
//! This module does not know sessions. [`crate::session`] stores sessions in tokens.
//!
//! # Example
//!
//! ```
//! use carafe_core::clock::Timestamp;
//! use carafe_core::key::{KeyRing, SecretKey};
//! use carafe_core::token::{TokenError, encrypted::EncryptedSessions};
//! use carafe_core::token::signed::{SignedFormat, SignedSessions};
//!
//! let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
//! let now = Timestamp::from_unix(1_700_000_000);
//!
//! // The client can read a signed token: its first part is the base64 of the JSON text.
//! let signed = SignedSessions::new(&keys, &SignedFormat::flask());
//! let token = signed.seal(r#"{"user_id":42}"#, now);
//! assert!(token.starts_with("eyJ1c2VyX2lkIjo0Mn0."));
//!
//! // A token of one format is no token of the other.
//! let encrypted = EncryptedSessions::new(&keys, "shop", "session");
//! let error = encrypted.open(token.as_bytes(), None, now).unwrap_err();
//! assert!(matches!(error, TokenError::Malformed(_)));
//! # Ok::<(), carafe_core::key::KeyError>(())
//! ```

mod body;
mod compress;
pub mod encrypted;
mod error;
pub mod signed;

pub use crate::id::SessionId;
pub use body::Compression;
pub use error::{INFLATED_LIMIT, PayloadError, SealError, TokenError};

use crate::{clock::Timestamp, key::KeyUse};

/// Bytes with a verified tag.
#[derive(Clone, Copy)]
pub struct Verified<'token>(&'token [u8]);

impl<'token> Verified<'token> {
    /// Returns the verified bytes.
    #[must_use]
    pub const fn bytes(self) -> &'token [u8] {
        self.0
    }
}

/// The content of a session token and the result of its verification.
///
/// `Debug` shows the size of the payload, not its text.
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_core::key::{KeyRing, KeyUse, SecretKey};
/// use carafe_core::token::signed::{SignedFormat, SignedSessions};
///
/// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
/// let sessions = SignedSessions::new(&keys, &SignedFormat::flask());
/// let cookie = b"eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw";
/// let opened = sessions.open(cookie, None, Timestamp::now())?;
/// assert_eq!(opened.payload, r#"{"user_id":42}"#);
/// assert_eq!(opened.issued, Timestamp::from_unix(1_700_000_000));
/// assert_eq!((opened.key, opened.compressed), (KeyUse::Current, false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The session as JSON text.
    pub payload: String,
    /// The time at which the token was issued.
    pub issued: Timestamp,
    /// The key that verified the token.
    pub key: KeyUse,
    /// Whether the payload was compressed.
    pub compressed: bool,
}

/// Default clock skew tolerance for tokens from the future: 5 seconds.
pub const DEFAULT_CLOCK_SKEW: std::time::Duration = std::time::Duration::from_secs(5);

/// The period in which a token is accepted: `issued ≤ now + skew` and `now - issued ≤ max_age`.
///
/// Times are whole seconds and both limits are inclusive, as in itsdangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Maximum age in seconds, or `None` for no limit.
    ///
    /// Without a limit, tokens from the future are accepted, too (as in itsdangerous).
    pub max_age: Option<i64>,
    /// Tolerance for tokens from the future, in seconds.
    pub clock_skew: i64,
}

impl Window {
    pub(crate) fn check(self, issued: Timestamp, now: Timestamp) -> Result<(), TokenError> {
        let Some(max_age) = self.max_age else {
            return Ok(());
        };
        let age = now.seconds_since(issued);
        if age > max_age {
            return Err(TokenError::Expired { age, max_age });
        }
        if age < -self.clock_skew {
            return Err(TokenError::FromFuture {
                ahead: age.saturating_neg(),
            });
        }
        Ok(())
    }
}

impl std::fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Verified({} bytes)", self.0.len())
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            payload,
            issued,
            key,
            compressed,
        } = self;
        let length = payload.len();
        write!(
            f,
            "Opened {{ payload: {length} bytes, issued: {issued:?}, key: {key:?}, compressed: {compressed} }}"
        )
    }
}
