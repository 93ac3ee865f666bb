//! All vectors of the signed formats, further cases of them, and the encrypted format.

use std::collections::BTreeSet;

use carafe_core::{
    key::{Digest, KeyDerivation},
    token::{
        INFLATED_LIMIT,
        encrypted::EncryptedSessions,
        signed::{SignedFormat, SignedSessions, SignerSettings},
    },
};
use serde_json::Value;

use super::*;
use crate::{format::FormatName, keys::ring_of};

const COOKIE: &str = "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw";
const NOON: i64 = 1_700_000_000;

fn rows(file: &str) -> Vec<Value> {
    let path = format!(
        "{}/../../testdata/vectors/{file}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn now(row: &Value) -> Timestamp {
    // The frameworks truncate the fraction of a second.
    Timestamp::from_unix(row["now"].as_f64().unwrap().floor() as i64)
}

fn ring(row: &Value) -> Option<KeyRing> {
    let fallbacks = row["fallbacks"].as_array().into_iter().flatten();
    let fallbacks: Vec<_> = fallbacks
        .map(|key| key.as_str().unwrap().to_owned())
        .collect();
    ring_of(row["secret"].as_str()?, &fallbacks).ok()
}

fn named(
    name: FormatName,
    format: SignedFormat,
    salt: &'static str,
    key_derivation: KeyDerivation,
) -> TokenFormat {
    let digest = Digest::Sha1;
    TokenFormat::Signed {
        name,
        format,
        signer: SignerSettings {
            salt: salt.into(),
            key_derivation,
            digest,
        },
    }
}

fn quart() -> TokenFormat {
    named(
        FormatName::Quart,
        SignedFormat::quart(),
        "cookie-session",
        KeyDerivation::Hmac,
    )
}

fn starlette() -> TokenFormat {
    let derivation = KeyDerivation::DjangoConcat;
    named(
        FormatName::Starlette,
        SignedFormat::starlette(),
        "itsdangerous.Signer",
        derivation,
    )
}

/// Returns the IDs of the rows whose verdict differs from the framework's.
fn differing(rows: &[Value], format: &TokenFormat, limit: &str) -> BTreeSet<String> {
    let differs = |row: &&Value| {
        let (Some(cookie), Some(keys)) = (row["cookie"].as_str(), ring(row)) else {
            return false;
        };
        if row[limit].as_f64().is_some_and(|age| age < 0.0) {
            return false; // no lifetime of ours is negative
        }
        let now = now(row);
        let max_age = row[limit]
            .as_f64()
            .map(|age| Duration::from_secs(age as u64));
        let found = Inspection::of(format, Some(&keys), cookie, max_age, now);
        let accepted = row["accepted"]
            .as_bool()
            .unwrap_or(row["status"] == 200 && row["session"] != "{}");
        // Empty sessions are skipped: from outside, they look like rejected ones.
        let is_empty =
            row["accepted"].is_null() && matches!(found.payload.as_deref(), Some("{}" | "[]"));
        let is_ok = found.verdict == Verdict::Ok && !is_empty;
        is_ok != accepted || (is_ok && found.payload.as_deref() != row["payload"].as_str())
    };
    rows.iter()
        .filter(differs)
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

fn ids(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn what_flask_writes_is_ok_and_told_to_the_byte() {
    for row in rows("session_accepted") {
        let now = now(&row);
        let found = Inspection::of(
            &TokenFormat::flask(),
            ring(&row).as_ref(),
            row["cookie"].as_str().unwrap(),
            None,
            now,
        );
        // Flask has no limit for decompression.
        let is_too_large =
            row["payload"].as_str().unwrap().len() > INFLATED_LIMIT && row["zlib"] == true;
        if is_too_large {
            assert_eq!(found.verdict, Verdict::BadPayload, "{}", row["id"]);
            continue;
        }
        assert_eq!(found.verdict, Verdict::Ok, "{}", row["id"]);
        assert!(
            found.payload.as_deref() == row["payload"].as_str(),
            "{}",
            row["id"]
        );
        assert_eq!(found.compressed, row["zlib"].as_bool(), "{}", row["id"]);
        assert_eq!(found.key, Some(KeyUse::Current), "{}", row["id"]);
    }
}

#[test]
fn verdicts_are_flasks_but_for_the_documented_differences() {
    let found = differing(&rows("session_rejected"), &TokenFormat::flask(), "lifetime");
    let one_spelling = ids("R02 R03 R04 R06 R07 R08 R09 R11 R114 R115");
    let clock_skew = ids("R35 R120 R121");
    let inflated_limit = ids("R101");
    let what_no_writer_writes = ids("R180 R181 R197");
    let documented = [
        one_spelling,
        clock_skew,
        inflated_limit,
        what_no_writer_writes,
    ];
    assert_eq!(found, documented.into_iter().flatten().collect());
}

#[test]
fn verdicts_are_starlettes_and_quarts_too() {
    // The same differences: the clock skew, and one encoding of a signature.
    let found = differing(&rows("starlette"), &starlette(), "max_age");
    assert_eq!(found, ids("S13 S42"));
    let found = differing(&rows("quart"), &quart(), "max_age");
    assert_eq!(found, ids("Q32"));
}

#[test]
fn every_setting_of_a_signer_is_understood() {
    for row in rows("signer_settings") {
        let text = |name: &str| row[name].as_str().unwrap();
        let key_derivation = match text("key_derivation") {
            "hmac" => KeyDerivation::Hmac,
            "concat" => KeyDerivation::Concat,
            "django-concat" => KeyDerivation::DjangoConcat,
            _ => KeyDerivation::None,
        };
        let digest = match text("digest") {
            "sha1" => Digest::Sha1,
            "sha256" => Digest::Sha256,
            "sha384" => Digest::Sha384,
            _ => Digest::Sha512,
        };
        let signer = SignerSettings {
            salt: text("salt").to_owned().into(),
            key_derivation,
            digest,
        };
        let format = SignedFormat::flask().with_salt(signer.salt.clone());
        let format = format
            .with_key_derivation(key_derivation)
            .with_digest(digest);
        let format = TokenFormat::Signed {
            name: FormatName::Flask,
            format,
            signer,
        };
        let now = now(&row);
        let found = Inspection::of(&format, ring(&row).as_ref(), text("cookie"), None, now);
        assert_eq!(
            (found.verdict, found.payload.as_deref()),
            (Verdict::Ok, row["payload"].as_str()),
            "{}",
            row["id"]
        );
    }
}

#[test]
fn an_old_cookie_is_refused_and_still_read() {
    let keys = ring_of("new", &["flask-spec-secret".to_owned()]).unwrap();
    let day = Some(Duration::from_secs(86_400));
    for (now, verdict) in [
        (NOON + 86_400, Verdict::Ok),
        (NOON + 86_401, Verdict::Expired),
        (NOON - 6, Verdict::FromFuture),
    ] {
        let found = Inspection::of(
            &TokenFormat::flask(),
            Some(&keys),
            COOKIE,
            day,
            Timestamp::from_unix(now),
        );
        assert_eq!(found.verdict, verdict);
        assert_eq!(found.payload.as_deref(), Some(r#"{"user_id":42}"#));
        assert_eq!(
            (found.issued, found.age),
            (Some(Timestamp::from_unix(NOON)), Some(now - NOON))
        );
        assert_eq!(found.key, Some(KeyUse::Fallback(1)));
    }
}

#[test]
fn an_old_encrypted_cookie_too() {
    let keys = ring_of("a key for this test", &[]).unwrap();
    let sessions = EncryptedSessions::new(&keys, "shop", "id");
    let at = |seconds| Timestamp::from_unix(NOON + seconds);
    let cookie = sessions.seal(r#"{"a":1}"#, at(0), at(60)).unwrap();
    let look = |format: &TokenFormat, now| Inspection::of(format, Some(&keys), &cookie, None, now);
    let ours = TokenFormat::encrypted("shop", "id");
    for (now, verdict) in [
        (60, Verdict::Ok),
        (61, Verdict::Expired),
        (-6, Verdict::FromFuture),
    ] {
        let found = look(&ours, at(now));
        assert_eq!((found.verdict, found.age), (verdict, Some(now)));
        assert_eq!(found.payload.as_deref(), Some(r#"{"a":1}"#));
    }
    let others = look(&TokenFormat::encrypted("admin", "id"), at(0));
    assert_eq!(
        (others.verdict, others.payload),
        (Verdict::BadSignature, None)
    );
}

#[test]
fn an_authentic_envelope_is_told_where_its_content_is_none() {
    let keys = ring_of("flask-spec-secret", &[]).unwrap();
    let cookie =
        SignedSessions::new(&keys, &SignedFormat::flask()).seal("5", Timestamp::from_unix(NOON));
    let found = Inspection::of(
        &TokenFormat::flask(),
        Some(&keys),
        &cookie,
        None,
        Timestamp::from_unix(NOON + 7),
    );
    assert_eq!((found.verdict, found.age), (Verdict::BadPayload, Some(7)));
    assert_eq!(found.payload.as_deref(), Some("5"));
}

#[test]
fn without_a_key_nothing_is_ok() {
    let look = |cookie: &str| {
        Inspection::of(
            &TokenFormat::flask(),
            None,
            cookie,
            None,
            Timestamp::from_unix(NOON),
        )
    };
    let found = look(COOKIE);
    assert_eq!(
        (found.verdict, found.age, found.key),
        (Verdict::Unverified, Some(0), None)
    );
    assert_eq!(found.payload.as_deref(), Some(r#"{"user_id":42}"#));
    assert_eq!(look("a.b.c").payload, None);
    assert_eq!(look("a.b").verdict, Verdict::Malformed);
    for row in rows("session_accepted") {
        let found = look(row["cookie"].as_str().unwrap());
        let payload = row["payload"]
            .as_str()
            .filter(|text| text.len() <= INFLATED_LIMIT || row["zlib"] == false);
        assert_eq!(found.verdict, Verdict::Unverified, "{}", row["id"]);
        assert!(found.payload.as_deref() == payload, "{}", row["id"]);
    }
    let bomb = rows("session_rejected")
        .into_iter()
        .find(|row| row["id"] == "R101")
        .unwrap();
    assert_eq!(look(bomb["cookie"].as_str().unwrap()).payload, None);
}

#[test]
fn only_names_of_session_cookies_are_taken_off() {
    for (given, value) in [
        ("session=a.b.c", "a.b.c"),
        ("__Host-Http-session=AQ", "AQ"),
        ("sid=a.b.c", "a.b.c"),
        ("other=a.b.c", "other=a.b.c"),
        ("eyJhIjogMX0=.ZVPxAA.x", "eyJhIjogMX0=.ZVPxAA.x"),
    ] {
        assert_eq!(without_name(given, Some("sid")), value);
    }
}
