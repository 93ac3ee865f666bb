//! All that can be said about one cookie: whether it is good, why not, and what is in it.
//!
//! Every field of an [`Inspection`] was verified, except under [`Verdict::Unverified`], the one
//! verdict that is reached without a key. `inspect` and the demo page say the same because both
//! show this. It never prints and never reads a clock.
//!
//! Next: `verified.rs` with a key, `unverified.rs` without one.

mod finding;
mod unverified;
mod verified;

use std::time::Duration;

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, KeyUse},
};

pub use self::finding::{Inspection, Verdict};
use crate::format::TokenFormat;

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
