//! All that can be said about one cookie: whether it is good, why not, and what is in it.
//!
//! Every field of an [`Inspection`] was verified, except under [`Verdict::Unverified`], the one
//! verdict that is reached without a key. `inspect` and the demo page say the same because both
//! show this. It never prints and never reads a clock.
//!
//! Next: `verified.rs` with a key, `unverified.rs` without one.

mod unverified;
mod verified;

use std::time::Duration;

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, KeyUse},
};

use crate::format::TokenFormat;

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
    /// Looks at `cookie`. Without `max_age`, age does not matter (an encrypted cookie knows its
    /// own).
    pub fn of(
        format: &TokenFormat,
        keys: Option<&KeyRing>,
        cookie: &str,
        max_age: Option<Duration>,
        now: Timestamp,
    ) -> Self {
        match keys {
            Some(keys) => verified::inspect(format, keys, cookie, max_age, now),
            None => unverified::inspect(format, cookie, now),
        }
    }

    fn bare(verdict: Verdict, reason: Option<String>) -> Self {
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

    fn issued(self, issued: Timestamp, now: Timestamp) -> Self {
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

/// The name of a key in reports.
pub fn key_name(key: KeyUse) -> String {
    match key {
        KeyUse::Current => "current".to_owned(),
        KeyUse::Fallback(n) => format!("fallback-{n}"),
    }
}

/// The value of a cookie given as `name=value`, where the name is one that a session cookie has.
/// Any other text may itself hold a `=`.
pub fn without_name<'c>(cookie: &'c str, own_name: Option<&str>) -> &'c str {
    let value = |name| cookie.strip_prefix(name)?.strip_prefix('=');
    let names = own_name
        .into_iter()
        .chain(["session", "__Host-Http-session"]);
    names.into_iter().find_map(value).unwrap_or(cookie)
}

#[cfg(test)]
mod tests;
