//! `starlette.jsonl` and `quart.jsonl`: cookies that Starlette and Quart write and read.

use futures_executor::block_on;
use std::sync::Arc;

use carafe_core::{
    json::JsonDialect,
    session::{ClientSide, Rejection, Session, SessionConfig, SessionManager},
    token::{
        Compression,
        signed::{SignedFormat, SignedSessions},
    },
};
use serde_json::Value;

use super::{assert_listed_once, id, lifetime, lines, now, python, reason, rewritten, ring, text};

/// Cookies that Starlette reads and Carafe rejects, by reason.
const STARLETTE_REFUSED: &[(&str, &[&str])] = &[
    ("a signature has one spelling", &["S42"]),
    ("a session always has a lifetime on the server", &["S15"]),
];

/// Cookies that Starlette rejects or fails at, and Carafe reads.
const STARLETTE_ACCEPTED: &[(&str, &[&str])] = &[(
    "clocks differ: up to 5 s from the future are fine",
    &["S13"],
)];

/// Cookies that Quart reads and Carafe rejects.
const QUART_REFUSED: &[(&str, &[&str])] = &[];

/// Cookies that Quart rejects or fails at, and Carafe reads.
const QUART_ACCEPTED: &[(&str, &[&str])] = &[(
    "clocks differ: up to 5 s from the future are fine",
    &["Q32"],
)];

fn open(line: &Value, format: SignedFormat, config: SessionConfig) -> Session {
    let config = match &line["max_age"] {
        Value::Null => config,
        age => config.with_lifetime(lifetime(age).unwrap_or_default()),
    };
    let side = ClientSide::signed_as(ring(line), format);
    let manager = Arc::new(SessionManager::new(side, config).unwrap());
    let header = [b"session=", text(line, "cookie").as_bytes()].concat();
    block_on(manager.open(&manager.begin(), [header.as_slice()], now(line))).unwrap()
}

fn meaning(session: &Session) -> python::Python {
    let members: std::collections::BTreeMap<Vec<u16>, _> = session
        .keys()
        .iter()
        .map(|key| {
            let value = session.get_value(key).unwrap().unwrap();
            (key.encode_utf16().collect(), python::of_value(&value))
        })
        .collect();
    python::Python::Dict(members.into_iter().collect())
}

/// Returns the session that the Python side read. A 500 counts as no session.
fn theirs(line: &Value) -> python::Python {
    let empty = python::Python::Dict(Vec::new());
    line["session"].as_str().map_or(empty, python::parse)
}

/// Asserts that a line is read as in its framework, or differs as its table says.
fn check(
    line: &Value,
    session: &Session,
    refused: &[(&str, &[&str])],
    accepted: &[(&str, &[&str])],
) -> Result<(), String> {
    let rejection = session.rejection();
    let holds = if reason(refused, id(line)).is_some() {
        rejection.is_some() && meaning(session) != theirs(line)
    } else if reason(accepted, id(line)).is_some() {
        rejection.is_none() && meaning(session) != theirs(line)
    } else {
        meaning(session) == theirs(line)
    };
    let said = rejection.as_ref().map_or("read", Rejection::code);
    if holds {
        Ok(())
    } else {
        Err(format!("we ({said}) read {:?}", meaning(session)))
    }
}

fn check_all(
    file: &str,
    format: &SignedFormat,
    config: &SessionConfig,
    refused: &[(&str, &[&str])],
    accepted: &[(&str, &[&str])],
) {
    let all = lines(file);
    assert_listed_once(refused, &all);
    assert_listed_once(accepted, &all);
    let mut wrong = Vec::new();
    for line in &all {
        let session = open(line, format.clone(), config.clone());
        if let Err(problem) = check(line, &session, refused, accepted) {
            wrong.push(format!("{} ({}): {problem}", id(line), text(line, "note")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_cookie_of_starlette_means_the_same_to_us() {
    check_all(
        "starlette.jsonl",
        &SignedFormat::starlette(),
        &SessionConfig::starlette(),
        STARLETTE_REFUSED,
        STARLETTE_ACCEPTED,
    );
}

#[test]
fn every_cookie_of_quart_means_the_same_to_us() {
    check_all(
        "quart.jsonl",
        &SignedFormat::quart(),
        &SessionConfig::flask(),
        QUART_REFUSED,
        QUART_ACCEPTED,
    );
}

fn assert_written_to_the_byte(file: &str, format: &SignedFormat, style: JsonDialect) {
    for line in lines(file) {
        if line.get("set_cookie").is_none() {
            continue;
        }
        let payload = text(&line, "payload");
        assert_eq!(rewritten(payload, style), payload, "{}", id(&line));
        let sessions = SignedSessions::new(&ring(&line), format);
        let again = sessions.seal(payload, now(&line));
        if text(&line, "cookie").starts_with('.') {
            let opened = sessions.open(again.as_bytes(), None, now(&line)).unwrap();
            assert_eq!(opened.payload, payload, "{}", id(&line));
        } else {
            assert_eq!(again, text(&line, "cookie"), "{}", id(&line));
        }
    }
}

#[test]
fn what_starlette_writes_we_write_to_the_byte() {
    assert_written_to_the_byte(
        "starlette.jsonl",
        &SignedFormat::starlette(),
        JsonDialect::STARLETTE,
    );
}

#[test]
fn what_quart_writes_we_write_to_the_byte() {
    let format = SignedFormat::quart().with_compression(Compression::WhenShorter);
    assert_written_to_the_byte("quart.jsonl", &format, JsonDialect::QUART);
}
