//! `carafe key token`, `key jwk-set`, and `inspect` of JWTs and refresh tokens.

use std::path::PathBuf;

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
    store::MemoryStore,
};
use carafe_tokens::{
    AccessTokens, Client, Grant, RefreshTokens, SigningKey, SigningRing, VerifyingKey,
    VerifyingKeys, access::AccessToken, refresh::Issued,
};
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use crate::support::{KEY, inspect, run, run_with, run_with_input};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

fn issued() -> Issued {
    let keys = KeyRing::new(SecretKey::short(KEY).unwrap());
    let (tokens, store) = (RefreshTokens::new(&keys), MemoryStore::new());
    let grant = Grant::of_user("ada");
    let issued = tokens.issue(&store, &grant, NOW).now_or_never();
    issued.expect("memory never waits").unwrap()
}

fn access_token(key: &SigningKey) -> AccessToken {
    let ring = SigningRing::new(key.clone());
    let access = AccessTokens::new("https://id.example", "https://api.example");
    access
        .issue(&ring, &issued().session, &Client::new("app"), NOW)
        .unwrap()
}

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

#[test]
fn key_token_makes_keys_and_key_jwk_set_publishes_them() {
    let files = Files::new();
    let mut names = Vec::new();
    for (n, arguments) in [
        &["--id", "first"][..],
        &["--algorithm", "eddsa", "--form", "pem"],
        &["--algorithm", "es256", "--form", "pem"],
    ]
    .iter()
    .enumerate()
    {
        let made = run(&[&["key", "token"], *arguments].concat());
        assert_eq!((made.code, made.err.as_str()), (0, ""));
        names.push(files.write(&n.to_string(), &made.out));
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let set = run(&[&["key", "jwk-set"], &names[..]].concat());
    assert_eq!(set.code, 0, "{}", set.err);
    assert!(!set.out.contains("\"d\""));
    let keys = VerifyingKeys::parse_jwk_set(set.out.as_bytes()).unwrap();
    let algorithms: Vec<_> = keys.iter().map(|key| key.algorithm().name()).collect();
    assert_eq!(algorithms, ["ES256", "EdDSA", "ES256"]);
    assert!(keys.find(Some("first")).is_ok());
    // A published key is read, too, and standard input.
    let public = keys.iter().next().and_then(VerifyingKey::to_jwk).unwrap();
    let again = run_with_input(&["key", "jwk-set", "-"], public.as_bytes());
    assert_eq!(again.out.trim_end(), format!(r#"{{"keys":[{public}]}}"#));
}

#[test]
fn a_secret_is_never_published() {
    let files = Files::new();
    let secret = run(&["key", "token", "--algorithm", "hs256"]).out;
    let value: Value = serde_json::from_str(&secret).unwrap();
    let file = files.write("secret", &secret);
    let refused = run(&["key", "jwk-set", &file]);
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    assert!(refused.err.contains("HS256") && !refused.err.contains(value["k"].as_str().unwrap()));
    assert_eq!(
        run(&["key", "token", "--algorithm", "hs256", "--form", "pem"]).code,
        2
    );
    assert_eq!(run(&["key", "token", "--form", "pem", "--id", "x"]).code, 2);
    assert_eq!(
        run(&["key", "jwk-set", &files.write("junk", "junk")]).code,
        2
    );
}

#[test]
fn inspect_shows_and_verifies_a_jwt() {
    let files = Files::new();
    let made = run(&["key", "token"]).out;
    let key = SigningKey::from_jwk(&made).unwrap();
    let jwk = files.write("key", &made);
    let set = files.write("set", &run(&["key", "jwk-set", &jwk]).out);
    let token = access_token(&key).text;
    let now = NOW.unix().to_string();

    let (code, report) = inspect(&["--now", &now, "--", &token]);
    assert_eq!((code, &report["verdict"]), (1, &json!("unverified")));
    let claims: Value = serde_json::from_str(report["payload"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&claims["sub"], &claims["aud"]),
        (&json!("ada"), &json!("https://api.example"))
    );

    for file in [&set, &jwk] {
        let (code, report) = inspect(&["--now", &now, "--jwks", file, "--", &token]);
        assert_eq!((code, &report["verdict"]), (0, &json!("ok")), "{report}");
        assert_eq!(report["key"], key.id());
        assert_eq!(report["expires"], NOW.unix() + 300);
        assert_eq!(report["format"], "jwt");
    }
    for (arguments, verdict) in [
        (&["--now", "1700001000"][..], "expired"),
        (
            &["--now", &now, "--audience", "https://other.example"],
            "aud",
        ),
        (&["--now", &now, "--issuer", "https://other.example"], "iss"),
    ] {
        let (code, report) = inspect(&[arguments, &["--jwks", &set, "--", &token]].concat());
        assert_eq!((code, &report["verdict"]), (1, &json!(verdict)), "{report}");
        assert_eq!(report["key"], Value::Null);
    }
    let other = files.write(
        "other",
        &run(&[
            "key",
            "jwk-set",
            &files.write("o", &run(&["key", "token"]).out),
        ])
        .out,
    );
    let (code, report) = inspect(&["--now", &now, "--jwks", &other, "--", &token]);
    assert_eq!((code, &report["verdict"]), (1, &json!("kid-unknown")));

    let shown = run(&["inspect", "--now", &now, "--jwks", &set, "--", &token]);
    assert!(
        shown.out.starts_with("ok: verified\n") && shown.out.contains("ada"),
        "{}",
        shown.out
    );
    let cookie = run(&["inspect", "--jwks", &set, "--", crate::support::COOKIE]);
    assert_eq!(cookie.code, 2, "{}", cookie.out);
}

#[test]
fn inspect_shows_and_verifies_a_refresh_token() {
    let issued = issued();
    let (token, now) = (issued.token.as_str(), NOW.unix().to_string());
    let (code, report) = inspect(&["--now", &now, "--", token]);
    assert_eq!((code, &report["verdict"]), (1, &json!("unverified")));
    assert_eq!(report["session"], issued.session.public_id.to_string());
    assert_eq!(
        (&report["generation"], &report["format"]),
        (&json!(0), &json!("refresh-token"))
    );
    let with_key = |key: &str| {
        let run = run_with(
            &[("SECRET_KEY", key)],
            &["inspect", "--json", "--now", &now, "--", token],
        );
        (run.code, serde_json::from_str::<Value>(&run.out).unwrap())
    };
    let (code, report) = with_key(KEY);
    assert_eq!((code, &report["verdict"]), (0, &json!("ok")));
    let (code, report) = with_key("another-spec-secret");
    assert_eq!((code, &report["verdict"]), (1, &json!("forged")));
    let shown = run(&["inspect", "--", token]);
    assert!(shown.out.contains("UNVERIFIED") && shown.out.contains("refresh-token"));
}
