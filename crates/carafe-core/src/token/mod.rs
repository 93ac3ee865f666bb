//! Tokens: text that nobody can make or change without a key.
//!
//! * [`signed`] is itsdangerous' format, which Flask, Quart and Starlette use. Anybody can read it.
//! * [`encrypted`] is Carafe's own: nobody can read it.
//! * [`SessionId`] is no text at all, only a name for one that a store keeps.
//!
//! The rules of this room:
//! 1. Nothing is decoded, inflated or parsed before its tag is verified; [`Verified`] is the proof, and
//!    only the two formats can make one.
//! 2. One configured format, and nothing in a token chooses an algorithm or a key beyond the ring.
//! 3. A token that fails is refused; no other decoder is tried (CVE-2026-39324).
//!
//! It never knows what a session is. Next: [`crate::session`] puts sessions into tokens.

mod body;
mod compress;
pub mod encrypted;
mod error;
mod session_id;
pub mod signed;

pub use body::Compression;
pub use compress::INFLATED_LIMIT;
pub use error::{PayloadError, SealError, TokenError};
pub use session_id::SessionId;

use crate::{clock::Timestamp, key::KeyUse};

/// Bytes whose tag was verified.
#[derive(Clone, Copy)]
pub struct Verified<'token>(&'token [u8]);

impl<'token> Verified<'token> {
    /// The bytes, now that they may be looked at.
    #[must_use]
    pub const fn bytes(self) -> &'token [u8] {
        self.0
    }
}

/// The content of a session token, and what vouches for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The session as JSON text.
    pub payload: String,
    /// When the token was made.
    pub issued: Timestamp,
    /// The key that verified it.
    pub key: KeyUse,
    /// Whether the payload was compressed.
    pub compressed: bool,
}

/// Seconds by which a token may come from the future before it is refused: two servers' clocks differ.
pub const DEFAULT_CLOCK_SKEW: std::time::Duration = std::time::Duration::from_secs(5);

/// The window in which a token is accepted: `issued ≤ now + skew` and `now - issued ≤ max_age`, in
/// whole seconds, both ends included, as in itsdangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Seconds after its issue in which a token is good; `None` for no end, and then tokens from the
    /// future are accepted too (as in itsdangerous).
    pub max_age: Option<i64>,
    /// Seconds that a token may come from the future.
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
