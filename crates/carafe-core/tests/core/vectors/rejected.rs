//! `session_rejected.jsonl`: broken cookies, and real Flask's results.

use futures_executor::block_on;
use std::sync::Arc;

use carafe_core::{
    session::{ClientSide, Rejection, Session, SessionConfig, SessionManager},
    token::{PayloadError, TokenError},
};
use serde_json::Value;

use super::{id, lifetime, lines, now, python, reason, ring, text};

/// Cookies that Flask accepts and Carafe rejects, with the reason and Carafe's error.
const REFUSED_ON_PURPOSE: &[(&str, &[&str])] = &[
    (
        "bad-signature: a signature has one spelling, so that a cookie cannot be changed without a trace",
        &[
            "R02", "R03", "R04", "R06", "R07", "R08", "R09", "R11", "R97", "R114", "R115",
        ],
    ),
    (
        "bad-payload: a root is an object, an empty value or a list of pairs with text as keys",
        &["R180", "R181"],
    ),
    ("bad-payload: a UUID is written in ASCII digits", &["R197"]),
    (
        "bad-payload: a payload inflates to 64 KiB at most, or a small cookie costs 50 MB",
        &["R101"],
    ),
    (
        "bad-signature: a fallback key that is empty cannot be configured",
        &["R104"],
    ),
];

/// Cookies that Flask rejects and Carafe accepts, by reason.
const ACCEPTED_ON_PURPOSE: &[(&str, &[&str])] = &[(
    "clocks differ: up to 5 s from the future are fine",
    &["R35", "R120", "R121"],
)];

/// Cookies that both read with a different meaning.
///
/// Flask writes none of these cookies. The text is preserved in either case.
const UNDERSTOOD_DIFFERENTLY: &[(&str, &[&str])] = &[
    (
        "markup of something other than text is its JSON, not its Python repr",
        &["R206", "R207", "R209"],
    ),
    (
        "dates that only a lenient reader takes for dates are none",
        &["R305", "R306", "R309", "R310", "R312", "R323", "R327"],
    ),
    (
        "dates that Python refuses: second 60 and offsets over a day",
        &["R315", "R322"],
    ),
    ("years before 100 are what they say", &["R316", "R317"]),
];

/// Keys that only `SecretKey::dangerous_weak` accepts, so an application cannot use them by
/// mistake.
const NOT_CONFIGURABLE: &[(&str, &[&str])] = &[(
    "a text given as the list of fallbacks is one key for each letter in Flask",
    &["R39", "R103"],
)];

/// Returns Carafe's session for a line, or the reason of the rejection.
fn ours(line: &Value) -> Result<Session, Option<Rejection>> {
    // A negative lifetime cannot be expressed. The shortest lifetime is the closest.
    let lifetime = lifetime(&line["lifetime"]).unwrap_or_default();
    let config = SessionConfig::flask().with_lifetime(lifetime);
    let manager = Arc::new(SessionManager::new(ClientSide::signed(ring(line)), config).unwrap());
    let header: Vec<u8> = match line.get("cookie_header") {
        Some(header) => latin_1(header.as_str().unwrap()),
        None => [b"session=", text(line, "cookie").as_bytes()].concat(),
    };
    let session = block_on(manager.open(&manager.begin(), [header.as_slice()], now(line))).unwrap();
    match session.rejection() {
        Some(rejection) => Err(Some(rejection)),
        None if session.is_empty() && line["payload"].is_null() => Err(None),
        None => Ok(session),
    }
}

fn latin_1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|letter| u8::try_from(u32::from(letter)).unwrap())
        .collect()
}

/// Returns the reason that corresponds to Flask's exception, or `None` if Flask received no cookie.
fn class_of(line: &Value) -> Option<&'static str> {
    let error = line["error"].as_str().unwrap_or_default();
    Some(match error {
        // Werkzeug's parser found no value, or an empty one.
        _ if error.contains("No b'.'") && seen_by_werkzeug(line).is_none_or(str::is_empty) => {
            return None;
        }
        _ if error.contains("timestamp missing") || error.contains("Malformed timestamp") => {
            "malformed"
        }
        _ if error.contains("No b'.'") => "malformed",
        _ if error.contains("does not match") => "bad-signature",
        _ if error.contains("< 0 seconds") => "from-future",
        _ if error.contains("SignatureExpired") => "expired",
        // A timestamp outside the calendar's range is a 500 in Flask.
        _ if error.contains("OSError") || error.contains("out of range") => "from-future",
        _ => "bad-payload",
    })
}

/// Returns the value that Werkzeug passes to Flask, or `None` if the grammar drops the cookie.
fn seen_by_werkzeug(line: &Value) -> Option<&str> {
    match line.get("cookie").and_then(Value::as_str) {
        Some(cookie) => Some(cookie).filter(|cookie| !cookie.contains(' ')),
        // Only the header of R241 has a first session cookie without a dot that Werkzeug parses.
        None => Some("bad").filter(|bad| text(line, "cookie_header").contains(&format!("={bad};"))),
    }
}

#[test]
fn every_broken_cookie_is_refused_for_flasks_reason_or_listed() {
    let all = lines("session_rejected.jsonl");
    for table in [
        REFUSED_ON_PURPOSE,
        ACCEPTED_ON_PURPOSE,
        UNDERSTOOD_DIFFERENTLY,
        NOT_CONFIGURABLE,
    ] {
        super::assert_listed_once(table, &all);
    }
    let mut wrong = Vec::new();
    for line in &all {
        if let Err(problem) = check(line) {
            wrong.push(format!("{} ({}): {problem}", id(line), text(line, "note")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(line: &Value) -> Result<(), String> {
    let ours = ours(line);
    let said = match &ours {
        Ok(_) => "accepted",
        Err(None) => "nothing to read",
        Err(Some(rejection)) => rejection.code(),
    };
    if let Some(why) = reason(REFUSED_ON_PURPOSE, id(line)) {
        let flask_accepts = line["accepted"] == true;
        let expected = why.split(':').next().unwrap();
        return holds(flask_accepts && said == expected, said, why);
    }
    if let Some(why) = reason(ACCEPTED_ON_PURPOSE, id(line)) {
        return holds(line["accepted"] == false && said == "accepted", said, why);
    }
    if line["accepted"] == true {
        let session = ours.map_err(|_| format!("Flask accepts it, we say {said}"))?;
        let difference = same_meaning(line, &session);
        return match reason(UNDERSTOOD_DIFFERENTLY, id(line)) {
            None => difference,
            Some(_) if difference.is_err() => Ok(()),
            Some(_) => Err("is listed, but there is no difference".to_owned()),
        };
    }
    let expected = match class_of(line) {
        // With a negative lifetime Flask accepts no cookie.
        _ if lifetime(&line["lifetime"]).is_none() => return Ok(()),
        class => class.unwrap_or("nothing to read"),
    };
    holds(said == expected, said, expected)
}

fn holds(holds: bool, said: &str, expected: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("we say {said}, expected {expected}"))
    }
}

fn same_meaning(line: &Value, session: &Session) -> Result<(), String> {
    let python::Python::Dict(expected) = python::parse(text(line, "session")) else {
        return Err("Python's session is a dict".to_owned());
    };
    let ours = session
        .keys()
        .iter()
        .map(|key| {
            let value = session.get_value(key).unwrap().unwrap();
            (key.encode_utf16().collect(), python::of_value(&value))
        })
        .collect::<std::collections::BTreeMap<Vec<u16>, _>>();
    let ours: Vec<_> = ours.into_iter().collect();
    // A key that is not Unicode cannot be expressed in Rust.
    let expected: Vec<_> = expected
        .into_iter()
        .filter(|(key, _)| String::from_utf16(key).is_ok())
        .collect();
    if ours == expected {
        Ok(())
    } else {
        Err(format!("we read {ours:?}, Python {expected:?}"))
    }
}

/// R103: with the letters as keys, which only `dangerous_weak` accepts, the forged cookie is valid.
///
/// Flask behaves in the same way.
#[test]
fn keys_that_flask_takes_by_mistake_are_refused_by_name() {
    use carafe_core::key::{KeyError, SecretKey};
    for line in lines("session_rejected.jsonl") {
        if reason(NOT_CONFIGURABLE, id(&line)).is_none() && id(&line) != "R104" {
            continue;
        }
        for fallback in line["fallbacks"].as_array().unwrap() {
            let fallback = fallback.as_str().unwrap();
            let error = SecretKey::short(fallback).unwrap_err();
            let expected = if fallback.is_empty() {
                KeyError::Empty
            } else {
                KeyError::TooShort {
                    length: fallback.len(),
                    minimum: 16,
                }
            };
            assert_eq!(error, expected, "{}", id(&line));
        }
    }
}

/// Flask responds to each of these cookies with a 500. In Carafe, the session is empty.
#[test]
fn a_signed_payload_that_cannot_be_read_says_what_is_wrong() {
    let expect = |wanted: &str, matches: fn(&PayloadError) -> bool| {
        let all = lines("session_rejected.jsonl");
        let line = all.iter().find(|line| id(line) == wanted).unwrap();
        match ours(line) {
            Err(Some(Rejection::Token(TokenError::Payload(error)))) => {
                assert!(matches(&error), "{wanted}: {error}");
            }
            other => panic!("{wanted}: {:?}", other.map(|session| session.keys())),
        }
    };
    expect("R48", |error| matches!(error, PayloadError::Base64));
    expect("R86", |error| matches!(error, PayloadError::Inflate));
    expect("R101", |error| matches!(error, PayloadError::TooLarge));
    expect("R65", |error| matches!(error, PayloadError::NotUtf8));
    expect("R52", |error| matches!(error, PayloadError::Json(_)));
}
