//! The format of Flask-JWT-Extended. `interop/tokens` tests against the real library.

use carafe_core::clock::Timestamp;
use carafe_tokens::{
    Refusal, SigningKey,
    flask::{FlaskTokens, Kind, has_csrf, is_fresh},
};

use crate::refresh::NOW;

fn tokens() -> FlaskTokens {
    FlaskTokens::new(SigningKey::dangerous_weak_hs256(b"super-secret").unwrap())
}

#[test]
fn kinds_are_told_apart() {
    let tokens = tokens();
    let access = tokens
        .issue("ada", Kind::Access { fresh: false }, 900, NOW)
        .unwrap();
    let refresh = tokens.issue("ada", Kind::Refresh, 900, NOW).unwrap();
    assert_eq!(
        tokens.verify_access(&access, NOW).unwrap().subject(),
        Some("ada")
    );
    assert_eq!(
        tokens.verify_refresh(&refresh, NOW).unwrap().subject(),
        Some("ada")
    );
    assert_eq!(
        tokens.verify_access(&refresh, NOW),
        Err(Refusal::ClaimMissing)
    );
    assert_eq!(
        tokens.verify_refresh(&access, NOW),
        Err(Refusal::ClaimMissing)
    );
    let later = NOW.saturating_add(905);
    assert_eq!(tokens.verify_access(&access, later), Err(Refusal::Expired));
    let before = Timestamp::from_unix(NOW.unix() - 60);
    assert_eq!(
        tokens.verify_access(&access, before),
        Err(Refusal::NotYetValid)
    );
}

#[test]
fn freshness_and_csrf_are_read_from_claims() {
    let tokens = tokens();
    let verified = |fresh| {
        let token = tokens
            .issue("ada", Kind::Access { fresh }, 900, NOW)
            .unwrap();
        tokens.verify_access(&token, NOW).unwrap()
    };
    let (fresh, stale) = (verified(true), verified(false));
    assert!(is_fresh(&fresh, NOW) && !is_fresh(&stale, NOW));
    let csrf: String = fresh.claim("csrf").unwrap().unwrap();
    assert!(has_csrf(&fresh, &csrf));
    assert!(!has_csrf(&stale, &csrf) && !has_csrf(&fresh, "") && !has_csrf(&fresh, &csrf[1..]));
}

#[test]
fn another_key_and_other_parties_are_refused() {
    let (own, other) = (
        tokens(),
        FlaskTokens::new(SigningKey::dangerous_weak_hs256(b"other").unwrap()),
    );
    let access = Kind::Access { fresh: false };
    let token = own.issue("ada", access, 900, NOW).unwrap();
    assert_eq!(other.verify_access(&token, NOW), Err(Refusal::Signature));
    let named = own.with_parties("issuer", "audience");
    assert_eq!(named.verify_access(&token, NOW), Err(Refusal::Issuer));
    let token = named.issue("ada", access, 900, NOW).unwrap();
    assert!(named.verify_access(&token, NOW).is_ok());
}
