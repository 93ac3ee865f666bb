//! `signer_settings.jsonl`: Flask's format under every salt, key derivation and digest.

use carafe_core::{
    clock::Timestamp,
    token::{
        Compression,
        signed::{SignedFormat, SignedSessions},
    },
};
use serde_json::Value;

use super::{derivation, digest, id, lines, now, ring, text};

fn sessions(line: &Value) -> SignedSessions {
    let format = SignedFormat::flask()
        .with_salt(text(line, "salt").to_owned())
        .with_key_derivation(derivation(line))
        .with_digest(digest(line))
        .with_compression(Compression::WhenShorter);
    SignedSessions::new(&ring(line), &format)
}

#[test]
fn every_setting_reads_and_writes_its_cookie() {
    for line in lines("signer_settings.jsonl") {
        let (sessions, now) = (sessions(&line), now(&line));
        let opened = sessions
            .open(text(&line, "cookie").as_bytes(), None, now)
            .unwrap();
        assert_eq!(opened.payload, text(&line, "payload"), "{}", id(&line));
        if !opened.compressed {
            assert_eq!(
                sessions.seal(&opened.payload, now),
                text(&line, "cookie"),
                "{}",
                id(&line)
            );
        }
    }
}

/// TOK-2: no part of a cookie selects the algorithm.
#[test]
fn no_signer_setting_reads_the_cookie_of_another() {
    let lines = lines("signer_settings.jsonl");
    let small: Vec<_> = lines
        .iter()
        .filter(|line| text(line, "payload") == r#"{"user_id":42}"#)
        .take(60)
        .collect();
    assert!(small.len() > 20);
    let settings = |line: &Value| {
        ["secret", "salt", "key_derivation", "digest"].map(|field| text(line, field).to_owned())
    };
    for ours in &small {
        let sessions = sessions(ours);
        for theirs in &small {
            let cookie = text(theirs, "cookie").as_bytes();
            let opens = sessions
                .open(cookie, None, Timestamp::from_unix(1_700_000_000))
                .is_ok();
            // `none` ignores the salt, so the salt makes no difference.
            let same = settings(ours) == settings(theirs)
                || text(ours, "cookie") == text(theirs, "cookie");
            assert_eq!(opens, same, "{} reads {}", id(ours), id(theirs));
        }
    }
}
