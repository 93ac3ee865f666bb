//! The inspection of one cookie: its verdict, the reason and the content.
//!
//! Every field of an [`Inspection`] is verified, except under [`Verdict::Unverified`], the only
//! verdict that is reached without a key. `inspect` and the demo page agree because both show an
//! `Inspection`. This module never prints and never reads a clock.
//!
//! `verified.rs` inspects with a key, `unverified.rs` without.

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
    /// Inspects `cookie`. Without `max_age`, the age is not checked, except that of an encrypted
    /// cookie, which contains its lifetime.
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

/// Returns the name of a key in reports.
pub fn key_name(key: KeyUse) -> String {
    match key {
        KeyUse::Current => "current".to_owned(),
        KeyUse::Fallback(n) => format!("fallback-{n}"),
    }
}

/// Returns the value of a cookie given as `name=value`, if the name is that of a session cookie.
/// Any other text may itself contain a `=`.
pub fn without_name<'c>(cookie: &'c str, own_name: Option<&str>) -> &'c str {
    let value = |name| cookie.strip_prefix(name)?.strip_prefix('=');
    let names = own_name
        .into_iter()
        .chain(["session", "__Host-Http-session"]);
    names.into_iter().find_map(value).unwrap_or(cookie)
}

#[cfg(test)]
mod tests;
