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
