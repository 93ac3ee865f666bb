//! `itsdangerous.jsonl`: the four classes of itsdangerous, signing and verifying.

use carafe_core::{
    json,
    token::signed::{
        Signer, SignerSettings, TimestampSigner, UrlSafeSerializer, UrlSafeTimedSerializer,
    },
};
use serde_json::Value;

use super::{assert_listed_once, derivation, digest, id, lines, now, reason, ring, text};

/// Features that Carafe does not offer.
const NOT_OFFERED: &[(&str, &[&str])] = &[(
    "a separator other than a dot: nobody needs one, and one fewer thing must agree on both sides",
    &["I145", "I146", "I147", "I148", "I149", "I150"],
)];

fn settings(line: &Value) -> SignerSettings {
    SignerSettings {
        salt: text(line, "salt").to_owned().into(),
        key_derivation: derivation(line),
        digest: digest(line),
    }
}

#[test]
fn every_class_reads_and_writes_its_text() {
    let all = lines("itsdangerous.jsonl");
    assert_listed_once(NOT_OFFERED, &all);
    for line in &all {
        assert_eq!(
            line.get("sep").is_some(),
            reason(NOT_OFFERED, id(line)).is_some(),
            "{}",
            id(line)
        );
        if line.get("sep").is_none() {
            check(line);
        }
    }
}

fn check(line: &Value) {
    let (ring, settings, now) = (ring(line), settings(line), now(line));
    let signed = text(line, "signed");
    match text(line, "class") {
        "Signer" => {
            let signer = Signer::new(&ring, settings);
            assert_eq!(signer.sign(text(line, "value")), signed, "{}", id(line));
            assert_eq!(
                signer.unsign(signed, now).as_deref(),
                Ok(text(line, "value")),
                "{}",
                id(line)
            );
        }
        "TimestampSigner" => {
            let signer = TimestampSigner::new(&ring, settings);
            assert_eq!(
                signer.sign(text(line, "value"), now),
                signed,
                "{}",
                id(line)
            );
            let value = signer.unsign(signed, None, now).unwrap();
            assert_eq!(
                (value.value, value.issued),
                (text(line, "value"), now),
                "{}",
                id(line)
            );
        }
        "URLSafeSerializer" => {
            let links = UrlSafeSerializer::new(&ring, settings);
            let again = links.dumps(&written(line)).unwrap();
            assert_same_text(line, &again);
            for signed in [signed, &again] {
                assert_eq!(links.loads(signed, now), Ok(read(line)), "{}", id(line));
            }
        }
        "URLSafeTimedSerializer" => {
            let links = UrlSafeTimedSerializer::new(&ring, settings);
            let again = links.dumps(&written(line), now).unwrap();
            assert_same_text(line, &again);
            for signed in [signed, &again] {
                assert_eq!(
                    links.loads(signed, None, now),
                    Ok(read(line)),
                    "{}",
                    id(line)
                );
            }
        }
        other => panic!("{}: unknown class {other}", id(line)),
    }
}

/// Returns the line's value with its keys in order, for writing.
fn written(line: &Value) -> json::Value {
    json::Value::parse(text(line, "payload"), false).unwrap()
}

/// Returns the line's value as another JSON parser reads it.
fn read(line: &Value) -> Value {
    serde_json::from_str(text(line, "payload")).unwrap()
}

/// Asserts equality byte for byte, or of the content if compressed: zlib implementations differ.
fn assert_same_text(line: &Value, again: &str) {
    if text(line, "signed").starts_with('.') {
        assert!(again.starts_with('.'), "{}", id(line));
    } else {
        assert_eq!(again, text(line, "signed"), "{}", id(line));
    }
}
