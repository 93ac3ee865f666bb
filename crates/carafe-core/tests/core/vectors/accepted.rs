//! `session_accepted.jsonl`: cookies that Flask wrote and reads.

use futures_executor::block_on;
use std::sync::Arc;

use carafe_core::{
    json::{self, JsonDialect},
    session::{ClientSide, SessionConfig, SessionData, SessionManager},
    token::{
        Compression, PayloadError,
        signed::{SignedFormat, SignedSessions},
    },
};
use serde_json::Value;

use super::{assert_listed_once, id, lines, now, python, reason, rewritten, ring, text};

/// Cookies that Flask wrote and Carafe rejects, by reason.
const REFUSED_ON_PURPOSE: &[(&str, &[&str])] = &[(
    "a payload inflates to 64 KiB at most, or a small cookie costs 50 MB",
    &["V378"],
)];

/// Sessions in which Carafe reads a value differently, by the difference.
const UNDERSTOOD_DIFFERENTLY: &[(&str, &[&str])] = &[(
    "years before 100: Flask writes 0045 and reads 2045 out of it; we read 45",
    &["V337", "V338", "V339", "V340"],
)];

/// Written under another `PERMANENT_SESSION_LIFETIME`.
const OTHER_LIFETIME: &[&str] = &["V518", "V519"];

fn sessions(line: &Value, compression: Compression) -> SignedSessions {
    SignedSessions::new(
        &ring(line),
        &SignedFormat::flask().with_compression(compression),
    )
}

#[test]
fn every_cookie_of_flask_opens_to_its_payload() {
    let all = lines("session_accepted.jsonl");
    assert_listed_once(REFUSED_ON_PURPOSE, &all);
    for line in &all {
        let sessions = sessions(line, Compression::Never);
        let opened = sessions.open(text(line, "cookie").as_bytes(), None, now(line));
        if reason(REFUSED_ON_PURPOSE, id(line)).is_some() {
            assert_eq!(opened, Err(PayloadError::TooLarge.into()), "{}", id(line));
            continue;
        }
        let opened = opened.unwrap_or_else(|error| panic!("{}: {error}", id(line)));
        assert_eq!(opened.payload, text(line, "payload"), "{}", id(line));
        assert_eq!(opened.compressed, line["zlib"] == true, "{}", id(line));
    }
}

#[test]
fn every_payload_means_what_python_reads_in_it() {
    check_meaning(|line| {
        let value = json::Value::parse(text(line, "payload"), true).unwrap();
        python::of_value(&value)
    });
}

#[test]
fn every_member_of_a_session_means_what_python_reads_in_it() {
    check_meaning(|line| {
        let data =
            SessionData::parse(text(line, "payload").to_owned(), JsonDialect::FLASK).unwrap();
        let member = |(key, value): (&str, &str)| {
            let value = json::Value::parse(value, true).unwrap();
            (python::utf_16(key), python::of_value(&value))
        };
        python::Python::dict(data.iter().map(member))
    });
}

fn check_meaning(ours: impl Fn(&Value) -> python::Python) {
    let all = lines("session_accepted.jsonl");
    assert_listed_once(UNDERSTOOD_DIFFERENTLY, &all);
    let mut wrong = Vec::new();
    for line in &all {
        let same = ours(line) == python::parse(text(line, "python"));
        if same != reason(UNDERSTOOD_DIFFERENTLY, id(line)).is_none() {
            wrong.push(format!("{}: {}", id(line), text(line, "python")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_cookie_that_was_not_compressed_is_written_to_the_byte() {
    let mut compared = 0;
    for line in lines("session_accepted.jsonl") {
        if line["zlib"] == true || line.get("set_cookie").is_none() {
            continue;
        }
        let again = sessions(&line, Compression::Never).seal(text(&line, "payload"), now(&line));
        assert_eq!(again, text(&line, "cookie"), "{}", id(&line));
        compared += 1;
    }
    assert!(compared > 200, "only {compared} cookies were compared");
}

/// Compares only the content of compressed cookies, because zlib implementations differ.
#[test]
fn a_compressed_cookie_is_written_to_the_same_payload() {
    let mut compressed = 0;
    for line in lines("session_accepted.jsonl") {
        if reason(REFUSED_ON_PURPOSE, id(&line)).is_some() {
            continue;
        }
        let sessions = sessions(&line, Compression::WhenShorter);
        let again = sessions.seal(text(&line, "payload"), now(&line));
        let opened = sessions.open(again.as_bytes(), None, now(&line)).unwrap();
        assert_eq!(opened.payload, text(&line, "payload"), "{}", id(&line));
        // Within a few bytes of the threshold, the two may decide differently.
        let gain = text(&line, "payload").len().abs_diff(again.len());
        assert!(
            opened.compressed == (line["zlib"] == true) || gain < 120,
            "{}",
            id(&line)
        );
        compressed += usize::from(opened.compressed);
    }
    assert!(
        compressed > 200,
        "only {compressed} cookies were compressed"
    );
}

#[test]
fn a_session_that_is_not_changed_keeps_every_byte() {
    let mut compared = 0;
    for line in lines("session_accepted.jsonl") {
        // Applications with another JSON provider sort or escape differently.
        if line.get("json").is_some() || line.get("set_cookie").is_none() {
            continue;
        }
        let payload = text(&line, "payload");
        assert_eq!(
            rewritten(payload, JsonDialect::FLASK),
            payload,
            "{}",
            id(&line)
        );
        compared += 1;
    }
    assert!(compared > 600, "only {compared} sessions were compared");
}

/// The manager writes the whole header: Flask's attributes, and `Expires` if permanent.
#[test]
fn the_set_cookie_header_is_flasks() {
    let mut compared = 0;
    for line in lines("session_accepted.jsonl") {
        let Some(header) = line.get("set_cookie").and_then(Value::as_str) else {
            continue;
        };
        let default_attributes =
            header.ends_with("; HttpOnly; Path=/") && !header.contains("Domain");
        let default_lifetime = !OTHER_LIFETIME.contains(&id(&line));
        // The deflated bytes depend on the zlib implementation.
        if line["zlib"] == true
            || !default_attributes
            || !default_lifetime
            || line.get("json").is_some()
        {
            continue;
        }
        let format = SignedFormat::flask().with_compression(Compression::Never);
        let side = ClientSide::signed_as(ring(&line), format);
        let manager = Arc::new(SessionManager::new(side, SessionConfig::flask()).unwrap());
        let cookie = [b"session=", text(&line, "cookie").as_bytes()].concat();
        let (slot, now) = (manager.begin(), now(&line));
        block_on(manager.open(&slot, [cookie.as_slice()], now))
            .unwrap()
            .renew()
            .unwrap();
        let effects = block_on(manager.commit(&slot, [], 200, now)).unwrap();
        assert_eq!(effects.set_cookie.as_deref(), Some(header), "{}", id(&line));
        compared += 1;
    }
    assert!(compared > 200, "only {compared} headers were compared");
}
