//! The findings about one cookie, and the verdict.

use carafe_core::{clock::Timestamp, key::KeyUse};

/// The result of inspecting a cookie. `None` means unknown.
#[derive(Clone, Debug)]
pub struct Inspection {
    pub verdict: Verdict,
    /// The reason, unless the verdict is `ok`.
    pub reason: Option<String>,
    /// The exact JSON text of the payload.
    pub payload: Option<String>,
    /// The time at which the cookie was created.
    pub issued: Option<Timestamp>,
    /// The age in seconds. Negative if the time is in the future.
    pub age: Option<i64>,
    /// Whether the payload is compressed.
    pub compressed: Option<bool>,
    /// The key that verified it.
    pub key: Option<KeyUse>,
}

/// The result.
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

    /// Returns whether the signature or the encryption is valid, even if the cookie has expired.
    pub const fn is_authentic(&self) -> bool {
        self.key.is_some()
    }
}

impl Verdict {
    /// Returns the name for programs, which equals the engine's name of the error.
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
