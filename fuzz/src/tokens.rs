//! The check of `carafe-tokens`, which the tests of that crate also compile and replay.

use std::sync::LazyLock;

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
};
use carafe_tokens::{
    RefreshTokens, SigningKey, Verifier, VerifyingKey, VerifyingKeys,
    jwt::{Claims, TokenType, Unverified, sign},
};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    let key = SigningKey::hs256(b"4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b");
    key.expect("long enough and in no manual")
});
static KEYS: LazyLock<VerifyingKeys> =
    LazyLock::new(|| VerifyingKeys::from(KEY.verifying_key().clone()));
static VERIFIER: LazyLock<Verifier> =
    LazyLock::new(|| Verifier::new("issuer", "audience", TokenType::ACCESS));
static REFRESH: LazyLock<RefreshTokens> = LazyLock::new(|| {
    let key = SecretKey::short("flask-spec-secret").expect("long enough and in no manual");
    RefreshTokens::new(&KeyRing::new(key))
});

/// Checks arbitrary bytes as a token, as keys, as changes of a good token, and as claims.
pub fn jwt(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    is_refused(&text);
    keys_survive(data, &text);
    changed_is_refused(data);
    claims_survive(&text);
}

fn is_refused(text: &str) {
    assert!(VERIFIER.verify(text, &KEYS, NOW).is_err(), "forged: {text}");
    assert!(REFRESH.verify(text, NOW).is_err(), "forged: {text}");
    if let Ok(token) = Unverified::parse(text) {
        let _ = token.kid();
        let _ = token.dangerous_contents();
    }
}

/// Checks that a parsed set survives a round trip with the same keys and without private ones.
fn keys_survive(data: &[u8], text: &str) {
    if let Ok(set) = VerifyingKeys::parse_jwk_set(data) {
        let written = set.to_jwk_set();
        assert!(!written.contains("\"d\":") && !written.contains("\"k\":"));
        let again = VerifyingKeys::parse_jwk_set(written.as_bytes()).expect("it was just written");
        assert_eq!(ids(&set), ids(&again));
    }
    if let Ok(key) = VerifyingKey::from_jwk(text) {
        let written = key.to_jwk().expect("a public key");
        let again = VerifyingKey::from_jwk(&written).expect("it was just written");
        assert_eq!(
            (key.id(), key.thumbprint()),
            (again.id(), again.thumbprint())
        );
    }
    if let Ok(key) = SigningKey::from_jwk(text) {
        let again = SigningKey::from_jwk(&key.to_jwk()).expect("it was just written");
        assert_eq!(key.id(), again.id());
    }
    let _ = SigningKey::from_pkcs8_pem(text);
    let _ = VerifyingKey::from_public_key_pem(text);
}

fn ids(set: &VerifyingKeys) -> Vec<(String, String)> {
    let ids = set
        .iter()
        .map(|key| (key.id().to_owned(), key.thumbprint()));
    ids.collect()
}

fn good(name: &str, value: &str) -> String {
    let claims = Claims::new()
        .with_text(name, value)
        .with_text("iss", "issuer")
        .with_text("aud", "audience")
        .with_time("iat", NOW)
        .with_time("nbf", NOW)
        .with_time("exp", NOW.saturating_add(60));
    sign(&KEY, "at+jwt", &claims)
}

/// Checks that a changed token is rejected. `data` contains pairs of a position and a change.
fn changed_is_refused(data: &[u8]) {
    let good = good("sub", "ada");
    assert!(VERIFIER.verify(&good, &KEYS, NOW).is_ok());
    let mut bytes = good.clone().into_bytes();
    for change in data.chunks_exact(2) {
        let place = usize::from(change[0]) * bytes.len() / 256;
        bytes[place] ^= change[1];
    }
    let changed = String::from_utf8_lossy(&bytes);
    assert!(changed == good || VERIFIER.verify(&changed, &KEYS, NOW).is_err());
    let cut = data.len().min(good.len() - 1);
    assert!(VERIFIER.verify(&good[..cut], &KEYS, NOW).is_err());
}

/// Checks that a claim with any name and any text reads as it was written.
fn claims_survive(text: &str) {
    let (name, value) = text.split_once('\n').unwrap_or((text, ""));
    let is_registered = ["iss", "aud", "iat", "nbf", "exp"].contains(&name);
    let token = good(name, value);
    match VERIFIER.verify(&token, &KEYS, NOW) {
        Ok(verified) if !is_registered => {
            let read: Option<String> = verified.claim(name).expect("a text");
            assert_eq!(read.as_deref(), Some(value));
        }
        Ok(_) => {}
        Err(refusal) => assert_eq!(refusal.code(), "too-large", "{name}"),
    }
}
