//! Issuer, audience and times.

use std::time::Duration;

use serde_json::{Value, json};

use super::{NOW, Party, Refusal};
use crate::{
    jwt::{TokenType, Verifier},
    key::Algorithm,
};

fn party() -> Party {
    Party::new(Algorithm::Hs256)
}

#[test]
fn the_issuer_is_compared_exactly() {
    let party = party();
    for iss in [
        "https://id.example/",
        "https://ID.example",
        "https://id.example.attacker.example",
        "",
    ] {
        party.refuses(&party.with_claim("iss", json!(iss)), Refusal::Issuer);
    }
    party.refuses(&party.with_claim("iss", Value::Null), Refusal::Issuer);
    party.refuses(
        &party.with_claim("iss", json!(["https://id.example"])),
        Refusal::Claim,
    );
}

#[test]
fn the_audience_is_one_of_the_list() {
    let party = party();
    assert!(
        party
            .verify(&party.with_claim("aud", json!(["other", "shop"])))
            .is_ok()
    );
    for aud in [
        json!("other"),
        json!([]),
        json!(["shop2"]),
        json!("shop other"),
        json!("Shop"),
    ] {
        party.refuses(&party.with_claim("aud", aud), Refusal::Audience);
    }
    party.refuses(&party.with_claim("aud", Value::Null), Refusal::Audience);
    for aud in [json!(1), json!([1, "shop"]), json!({ "shop": true })] {
        party.refuses(&party.with_claim("aud", aud), Refusal::Claim);
    }
}

#[test]
fn times_are_checked_to_the_second_with_the_tolerated_skew() {
    let party = party();
    let at = |seconds: i64| json!(NOW.unix() + seconds);
    for (name, seconds, refusal) in [
        ("exp", -5, Some(Refusal::Expired)),
        ("exp", -4, None),
        ("nbf", 5, None),
        ("nbf", 6, Some(Refusal::NotYetValid)),
        ("iat", 5, None),
        ("iat", 6, Some(Refusal::IssuedInFuture)),
    ] {
        let verified = party.verify(&party.with_claim(name, at(seconds)));
        assert_eq!(verified.err(), refusal, "{name} {seconds}");
    }
    party.refuses(
        &party.with_claim("exp", Value::Null),
        Refusal::ExpiryMissing,
    );
    for name in ["exp", "nbf", "iat"] {
        for odd in [json!("1700000300"), json!(true), json!([]), json!(1e300)] {
            party.refuses(&party.with_claim(name, odd), Refusal::Claim);
        }
    }
    let verified = party
        .verify(&party.with_claim("exp", json!(1_700_000_060.75)))
        .unwrap();
    assert_eq!(verified.expires(), Some(NOW.saturating_add(60)));
}

#[test]
fn the_tolerated_skew_is_bounded() {
    let verifier = |skew| {
        Verifier::new("https://id.example", "shop", TokenType::ACCESS)
            .with_clock_skew(Duration::from_secs(skew))
    };
    let party = party();
    let token = party.with_claim("exp", json!(NOW.unix()));
    assert!(verifier(1).verify(&token, &party.keys, NOW).is_ok());
    assert_eq!(
        verifier(0).verify(&token, &party.keys, NOW),
        Err(Refusal::Expired)
    );
    let later = |seconds| NOW.saturating_add(seconds);
    assert!(
        verifier(1 << 40)
            .verify(&token, &party.keys, later(299))
            .is_ok()
    );
    let refused = verifier(1 << 40).verify(&token, &party.keys, later(300));
    assert_eq!(refused, Err(Refusal::Expired));
}

#[test]
fn texts_are_texts() {
    let party = party();
    for name in ["sub", "jti", "sid"] {
        party.refuses(&party.with_claim(name, json!(7)), Refusal::Claim);
    }
}

#[test]
fn claims_are_read_as_types() {
    let party = party();
    let token = party.with_claim("scope", json!("orders:read orders:write"));
    let verified = party.verify(&token).unwrap();
    assert!(verified.has_scope("orders:read") && !verified.has_scope("orders"));
    assert_eq!(verified.audiences(), ["shop"]);
    assert_eq!(verified.session().unwrap().to_string(), "AAAAAAAAAAAAAAAA");
    assert_eq!(verified.claim::<u64>("iat"), Ok(Some(1_700_000_000)));
    assert_eq!(verified.claim::<u64>("none"), Ok(None));
    assert_eq!(verified.claim::<u64>("sub"), Err(Refusal::Claim));
    let debug = format!("{verified:?}");
    assert!(debug.contains("sub") && !debug.contains("ada"), "{debug}");
}
