//! The findings about one cookie, and the verdict.

use carafe_core::{clock::Timestamp, key::KeyUse};

/// The findings about a cookie. `None` means unknown.
#[derive(Clone, Debug)]
pub struct Inspection {
    pub verdict: Verdict,
    /// Why the verdict is not `ok`.
    pub reason: Option<String>,
    /// The exact JSON text inside.
    pub payload: Option<String>,
    /// When the cookie was made.
    pub issued: Option<Timestamp>,
    /// Seconds since then; negative if that is in the future.
    pub age: Option<i64>,
    /// Whether the payload was deflated.
    pub compressed: Option<bool>,
    /// The key that verified it.
    pub key: Option<KeyUse>,
}

/// The result in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    BadSignature,
    Expired,
    FromFuture,
    Malformed,
    BadPayload,
    Unverified,
}

impl Inspection {
    pub(super) fn bare(verdict: Verdict, reason: Option<String>) -> Self {
        Self {
            verdict,
            reason,
            payload: None,
            issued: None,
            age: None,
            compressed: None,
            key: None,
        }
    }

    pub(super) fn issued(self, issued: Timestamp, now: Timestamp) -> Self {
        Self {
            issued: Some(issued),
            age: Some(now.seconds_since(issued)),
            ..self
        }
    }

    /// Whether a key vouches for what is inside, old or not.
    pub const fn is_authentic(&self) -> bool {
        self.key.is_some()
    }
}

impl Verdict {
    /// The word for programs. The same as the engine's for its errors.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::BadSignature => "bad-signature",
            Self::Expired => "expired",
            Self::FromFuture => "from-future",
            Self::Malformed => "malformed",
            Self::BadPayload => "bad-payload",
            Self::Unverified => "unverified",
        }
    }
}
