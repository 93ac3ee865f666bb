//! Every line of the token files in `testdata/vectors`.
//!
//! The lines were written by real Flask, Quart, Starlette and itsdangerous. If Carafe's result
//! differs on purpose, the line's ID is in a table with the reason, and the test fails once the
//! difference disappears, so that the tables stay accurate. `cookie_vectors.rs` covers the cookie
//! files.

mod accepted;
#[cfg(feature = "flask-session")]
mod flask_session;
mod floats;
mod itsdangerous;
mod neighbours;
mod python;
mod rejected;
mod signer_settings;

use std::{fs, path::PathBuf, time::Duration};

use carafe_core::{
    clock::Timestamp,
    json::JsonDialect,
    key::{Digest, KeyDerivation, KeyRing, SecretKey},
    session::{Patch, SessionData},
};
use serde_json::Value;

/// Returns the lines of a file.
fn lines(file: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../testdata/vectors")
        .join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text<'l>(line: &'l Value, field: &str) -> &'l str {
    line[field]
        .as_str()
        .unwrap_or_else(|| panic!("no text {field:?} in {line}"))
}

fn id(line: &Value) -> &str {
    text(line, "id")
}

/// Returns the second in which the line was written, rounded down.
#[allow(clippy::cast_possible_truncation)] // rounds towards the past, as Python's `int` does here
fn now(line: &Value) -> Timestamp {
    let seconds = line["now"].as_f64().unwrap_or(1_700_000_000.0).floor();
    Timestamp::from_unix(seconds as i64)
}

/// Parses a lifetime in seconds.
///
/// Returns `None` if it is negative, which Flask allows and Carafe cannot express.
fn lifetime(seconds: &Value) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds.as_f64().unwrap()).ok()
}

fn key(secret: &str) -> SecretKey {
    SecretKey::dangerous_weak(secret).unwrap()
}

/// Returns the line's keys as a ring, without repeated or empty fallbacks, which a ring rejects.
fn ring(line: &Value) -> KeyRing {
    let mut ring = KeyRing::new(key(text(line, "secret")));
    let fallbacks = line["fallbacks"].as_array().map_or(&[][..], Vec::as_slice);
    for fallback in fallbacks {
        let fallback = SecretKey::dangerous_weak(fallback.as_str().unwrap());
        if let Some(wider) = fallback
            .ok()
            .and_then(|key| ring.clone().with_fallback(key).ok())
        {
            ring = wider;
        }
    }
    ring
}

fn derivation(line: &Value) -> KeyDerivation {
    match text(line, "key_derivation") {
        "hmac" => KeyDerivation::Hmac,
        "concat" => KeyDerivation::Concat,
        "django-concat" => KeyDerivation::DjangoConcat,
        "none" => KeyDerivation::None,
        other => panic!("unknown derivation {other}"),
    }
}

fn digest(line: &Value) -> Digest {
    match text(line, "digest") {
        "sha1" => Digest::Sha1,
        "sha256" => Digest::Sha256,
        "sha384" => Digest::Sha384,
        "sha512" => Digest::Sha512,
        other => panic!("unknown digest {other}"),
    }
}

/// Parses the payload and renders it again without a change.
fn rewritten(payload: &str, style: JsonDialect) -> String {
    let data = SessionData::parse(payload.to_owned(), style).unwrap();
    Patch::default().render(&data, style)
}

/// Asserts that each ID of a table is in the file, and in the table only once.
///
/// A stale entry would explain nothing.
fn assert_listed_once(table: &[(&str, &[&str])], lines: &[Value]) {
    let mut listed: Vec<_> = table
        .iter()
        .flat_map(|(_, ids)| ids.iter().copied())
        .collect();
    listed.sort_unstable();
    assert!(
        listed.windows(2).all(|two| two[0] != two[1]),
        "an id is listed twice: {listed:?}"
    );
    for known in listed {
        assert!(
            lines.iter().any(|line| id(line) == known),
            "{known} is not in the file"
        );
    }
}

fn reason<'t>(table: &[(&'t str, &[&str])], id: &str) -> Option<&'t str> {
    table
        .iter()
        .find(|(_, ids)| ids.contains(&id))
        .map(|(reason, _)| *reason)
}
