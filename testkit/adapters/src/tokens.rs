//! The keys of the checks, and cookies in Flask's format.

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
    session::{ClientSide, SessionConfig},
    token::signed::{SignedFormat, SignedSessions},
};

use crate::site::Site;

pub const KEY: &str = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";
pub const OLD_KEY: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[must_use]
pub fn key(text: &str) -> SecretKey {
    SecretKey::new(text).unwrap()
}

#[must_use]
pub fn side() -> ClientSide {
    ClientSide::signed(key(KEY))
}

/// Returns a site with Flask's preset.
#[must_use]
pub fn flask() -> Site {
    Site::of(side(), SessionConfig::flask())
}

/// Returns a site with the safe preset, which requires TLS in browsers; the checks' client ignores
/// this.
#[must_use]
pub fn safe() -> Site {
    Site::of(side(), SessionConfig::default())
}

/// Returns a cookie value that Flask signed `age` seconds ago.
#[must_use]
pub fn flask_cookie(payload: &str, age: i64) -> String {
    flask_cookie_under(&key(KEY).into(), payload, age)
}

#[must_use]
pub fn flask_cookie_under(keys: &KeyRing, payload: &str, age: i64) -> String {
    let issued = Timestamp::now().saturating_add(-age);
    SignedSessions::new(keys, &SignedFormat::flask()).seal(payload, issued)
}

/// Returns the payload and the time of a signed cookie value.
#[must_use]
pub fn inside(value: &str) -> (String, Timestamp) {
    let ring = KeyRing::new(key(KEY));
    let sessions = SignedSessions::new(&ring, &SignedFormat::flask());
    let opened = sessions
        .open(value.as_bytes(), None, Timestamp::now())
        .unwrap();
    (opened.payload, opened.issued)
}
