//! The attacks of RFC 8725 §2 and of published advisories, each in a test of its name.

use serde_json::{Value, json};

use super::{ALL, NOW, Party, Refusal, VerifyingKeys, claims};
use crate::{
    base64,
    jwt::{sign_with_header, unverified::Unverified},
    key::{Algorithm, SigningKey, VerifyingKey},
    limits::{DEPTH, MEMBERS, TOKEN_BYTES},
};

#[test]
fn a_good_token_of_each_algorithm_is_accepted() {
    for algorithm in ALL {
        let party = Party::new(algorithm);
        let verified = party.verify(&party.good()).unwrap();
        assert_eq!(verified.subject(), Some("ada"));
        assert_eq!(verified.key_id(), party.key.id());
    }
}

#[test]
fn alg_none_is_refused_in_every_spelling_and_with_every_signature() {
    for algorithm in ALL {
        let party = Party::new(algorithm);
        for name in ["none", "None", "NONE", "nOnE"] {
            let token = party.with_header("alg", json!(name));
            party.refuses(&token, Refusal::AlgNone);
            let (signed, _) = token.rsplit_once('.').unwrap();
            party.refuses(&format!("{signed}."), Refusal::AlgNone);
            party.refuses(&format!("{signed}.AAAA"), Refusal::AlgNone);
        }
    }
}

#[test]
fn an_hmac_under_a_public_key_is_refused() {
    // CVE-2015-9235 and similar: the text of a public key as an HMAC secret.
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let party = Party::new(algorithm);
        let public = party.key.verifying_key();
        let secrets = [
            public.to_jwk().unwrap(),
            party.keys.to_jwk_set(),
            public.thumbprint(),
        ];
        for secret in secrets {
            let forger = SigningKey::hs256(secret.as_bytes()).unwrap();
            for alg in ["HS256", "ES256", "EdDSA"] {
                let header = json!({ "alg": alg, "kid": party.key.id(), "typ": "at+jwt" });
                let token = sign_with_header(&forger, &header.to_string(), &claims().to_string());
                let refusal = match alg == algorithm.name() {
                    true => Refusal::Signature,
                    false => Refusal::AlgMismatch,
                };
                party.refuses(&token, refusal);
            }
        }
    }
}

#[test]
fn a_token_never_chooses_its_algorithm() {
    for algorithm in ALL {
        let party = Party::new(algorithm);
        for other in [
            "ES256", "EdDSA", "HS256", "RS256", "ES384", "es256", "", "ES256 ",
        ] {
            if Algorithm::from_name(other) == Some(algorithm) {
                continue;
            }
            party.refuses(
                &party.with_header("alg", json!(other)),
                Refusal::AlgMismatch,
            );
        }
        for odd in [json!(null), json!(1), json!(["ES256"]), json!({ "a": 1 })] {
            party.refuses(&party.with_header("alg", odd), Refusal::AlgMismatch);
        }
    }
}

#[test]
fn the_two_names_of_ed25519_are_one_algorithm() {
    let party = Party::new(Algorithm::EdDsa);
    assert!(
        party
            .verify(&party.with_header("alg", json!("Ed25519")))
            .is_ok()
    );
    party.refuses(
        &party.with_header("alg", json!("Ed448")),
        Refusal::AlgMismatch,
    );
}

#[test]
fn critical_extensions_are_refused_even_with_a_good_signature() {
    let party = Party::new(Algorithm::EdDsa);
    for value in [json!(["exp"]), json!([]), json!("exp"), json!(["b64"])] {
        party.refuses(&party.with_header("crit", value), Refusal::Crit);
    }
}

#[test]
fn an_unencoded_payload_is_refused_by_name() {
    let party = Party::new(Algorithm::EdDsa);
    for value in [json!(false), json!(true)] {
        party.refuses(&party.with_header("b64", value.clone()), Refusal::B64);
        let header = json!({
            "alg": "EdDSA", "kid": party.key.id(), "typ": "at+jwt", "b64": value, "crit": ["b64"],
        });
        party.refuses(&party.sign(&header, &claims()), Refusal::B64);
    }
}

#[test]
fn keys_inside_of_a_token_are_never_used() {
    // CVE-2018-0114: the attacker's own key in `jwk`. `jku` and `x5u` would also allow SSRF.
    let (party, forger) = (Party::new(Algorithm::Es256), Party::new(Algorithm::Es256));
    let jwk: Value = serde_json::from_str(&forger.key.verifying_key().to_jwk().unwrap()).unwrap();
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let header = super::changed(party.header(), name, value);
        party.refuses(&forger.sign(&header, &claims()), Refusal::Signature);
    }
}

#[test]
fn a_kid_selects_one_of_the_own_keys_and_nothing_else() {
    let party = Party::new(Algorithm::EdDsa);
    for kid in [
        "",
        "../../dev/null",
        "' OR 1=1 --",
        "|whoami",
        &"a".repeat(1_000),
    ] {
        party.refuses(&party.with_header("kid", json!(kid)), Refusal::KidUnknown);
    }
    for kid in [json!(1), json!(["a"]), json!({ "kid": "a" })] {
        party.refuses(&party.with_header("kid", kid), Refusal::KidMissing);
    }
    // A single key needs no `kid`; with two keys it is required.
    let token = party.with_header("kid", Value::Null);
    assert!(party.verify(&token).is_ok());
    let other = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let two = [&party.key, &other].map(|key| key.verifying_key().clone());
    let two = VerifyingKeys::new(two);
    assert_eq!(
        party.verifier.verify(&token, &two, NOW),
        Err(Refusal::KidMissing)
    );
    assert!(party.verifier.verify(&party.good(), &two, NOW).is_ok());
}

#[test]
fn the_key_of_another_id_does_not_verify() {
    let (one, other) = (Party::new(Algorithm::Es256), Party::new(Algorithm::Es256));
    let keys = VerifyingKeys::new([&one, &other].map(|party| party.key.verifying_key().clone()));
    let token = one.with_header("kid", json!(other.key.id()));
    assert_eq!(
        one.verifier.verify(&token, &keys, NOW),
        Err(Refusal::Signature)
    );
}

#[test]
fn two_keys_of_one_id_are_both_dropped() {
    let keys = [Algorithm::Es256, Algorithm::EdDsa].map(|algorithm| {
        let key = SigningKey::generate(algorithm)
            .unwrap()
            .with_id("same")
            .unwrap();
        key.verifying_key().clone()
    });
    let set = VerifyingKeys::new(keys);
    assert!(set.is_empty());
    assert_eq!(set.find(Some("same")).err(), Some(Refusal::KidUnknown));
}

#[test]
fn zeros_are_no_signature() {
    // CVE-2022-21449: r = s = 0 verified under every key.
    for algorithm in ALL {
        let party = Party::new(algorithm);
        let token = party.good();
        let (signed, _) = token.rsplit_once('.').unwrap();
        for length in [0, 1, 31, 32, 33, 63, 64, 65, 96] {
            let zeros = base64::encode(&vec![0; length]);
            party.refuses(&format!("{signed}.{zeros}"), Refusal::Signature);
        }
    }
}

#[test]
fn a_der_signature_is_refused() {
    let party = Party::new(Algorithm::Es256);
    let token = party.good();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let raw = base64::decode(signature.as_bytes()).unwrap();
    let der = p256::ecdsa::Signature::from_slice(&raw).unwrap().to_der();
    let der = base64::encode(der.as_bytes());
    party.refuses(&format!("{signed}.{der}"), Refusal::Signature);
}

#[test]
fn an_ed25519_key_of_small_order_is_no_key() {
    // Under such a key, one signature is valid for many messages.
    for x in [
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x }).to_string();
        let refused = VerifyingKey::from_jwk(&jwk).unwrap_err();
        assert_eq!(refused, crate::key::KeyError::Weak);
    }
}

#[test]
fn duplicate_members_are_refused_in_header_and_claims() {
    let party = Party::new(Algorithm::Hs256);
    let (header, claims) = (party.header().to_string(), claims().to_string());
    let doubled = |text: &str, member: &str| format!("{},{member}}}", &text[..text.len() - 1]);
    for (header, claims) in [
        (doubled(&header, r#""alg":"HS256""#), claims.clone()),
        (doubled(&header, r#""kid":"other""#), claims.clone()),
        (header.clone(), doubled(&claims, r#""sub":"root""#)),
        (header.clone(), doubled(&claims, r#""\u0073ub":"root""#)),
        (header, doubled(&claims, r#""deep":{"a":1,"a":2}"#)),
    ] {
        let token = sign_with_header(&party.key, &header, &claims);
        party.refuses(&token, Refusal::DuplicateMember);
    }
}

#[test]
fn oversized_tokens_are_refused_before_they_are_decoded() {
    let party = Party::new(Algorithm::Hs256);
    let fits = party.with_claim("pad", json!("x".repeat(TOKEN_BYTES / 2)));
    assert!(fits.len() < TOKEN_BYTES && party.verify(&fits).is_ok());
    let large = party.with_claim("pad", json!("x".repeat(TOKEN_BYTES)));
    party.refuses(&large, Refusal::TooLarge);
    party.refuses(&".".repeat(TOKEN_BYTES + 1), Refusal::TooLarge);
}

#[test]
fn too_many_claims_and_too_deep_claims_are_refused() {
    let party = Party::new(Algorithm::Hs256);
    let mut many = claims();
    for n in 0..MEMBERS {
        many[format!("c{n}")] = json!(n);
    }
    party.refuses(&party.sign(&party.header(), &many), Refusal::TooManyMembers);
    let deep = (0..DEPTH).fold(json!(1), |inner, _| json!([inner]));
    party.refuses(&party.with_claim("deep", deep), Refusal::Depth);
}

#[test]
fn whitespace_padding_and_other_spellings_of_base64_are_refused() {
    let party = Party::new(Algorithm::Es256);
    let token = party.good();
    let parts: Vec<_> = token.split('.').collect();
    for part in 0..3 {
        let with = |text: String| {
            let mut parts = parts.clone();
            parts[part] = &text;
            parts.join(".")
        };
        for space in [" ", "\n", "\t", "\r\n"] {
            party.refuses(
                &with(format!("{space}{}", parts[part])),
                refusal(part, Refusal::Whitespace),
            );
            party.refuses(
                &with(format!("{}{space}", parts[part])),
                refusal(part, Refusal::Whitespace),
            );
        }
        for padding in ["=", "=="] {
            party.refuses(
                &with(format!("{}{padding}", parts[part])),
                refusal(part, Refusal::Padding),
            );
        }
        party.refuses(
            &with(format!("{}+", &parts[part][1..])),
            refusal(part, Refusal::Base64),
        );
    }
    // The last character of 64 bytes has four unused bits.
    let last = token.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.find(last).unwrap();
    for stray in 1..16 {
        let other = alphabet.as_bytes()[place + stray];
        let respelled = format!("{}{}", &token[..token.len() - 1], char::from(other));
        party.refuses(&respelled, Refusal::Base64);
    }
}

/// The claims are decoded after the signature is verified, so a change of their text makes the
/// signature invalid first.
fn refusal(part: usize, refusal: Refusal) -> Refusal {
    match part {
        1 => Refusal::Signature,
        _ => refusal,
    }
}

#[test]
fn padding_is_refused_in_claims_that_were_signed_with_it() {
    let party = Party::new(Algorithm::Hs256);
    let header = base64::encode(party.header().to_string().as_bytes());
    for (claims, refusal) in [
        (
            format!("{}=", base64::encode(claims().to_string().as_bytes())),
            Refusal::Padding,
        ),
        (
            format!(" {}", base64::encode(claims().to_string().as_bytes())),
            Refusal::Whitespace,
        ),
        ("!".to_owned(), Refusal::Base64),
        (base64::encode(b"not json"), Refusal::Json),
        (base64::encode(b"[]"), Refusal::Json),
        (String::new(), Refusal::Json),
    ] {
        let signed = format!("{header}.{claims}");
        let signature = base64::encode(&party.key.sign(signed.as_bytes()));
        party.refuses(&format!("{signed}.{signature}"), refusal);
    }
}

#[test]
fn other_serializations_are_refused() {
    let party = Party::new(Algorithm::EdDsa);
    let token = party.good();
    let parts: Vec<_> = token.split('.').collect();
    party.refuses("", Refusal::Malformed);
    party.refuses("a", Refusal::Malformed);
    party.refuses(&parts[..2].join("."), Refusal::Malformed);
    party.refuses(&format!("{token}."), Refusal::Malformed);
    party.refuses(&format!("{token}.a"), Refusal::Malformed);
    party.refuses(&format!("{token}.a.b"), Refusal::Encrypted);
    party.refuses(&format!("{token}.a.b.c"), Refusal::Malformed);
    party.refuses("..", Refusal::Json);
    let json = json!({ "protected": parts[0], "payload": parts[1], "signature": parts[2] });
    party.refuses(&json.to_string(), Refusal::Malformed);
}

#[test]
fn another_type_of_the_same_issuer_is_refused() {
    // RFC 8725 §2.8: an ID token used as an access token.
    let party = Party::new(Algorithm::EdDsa);
    for typ in [
        "JWT",
        "logout+jwt",
        "at+jwt2",
        "at",
        "application/",
        "application/JWT",
        "",
    ] {
        party.refuses(&party.with_header("typ", json!(typ)), Refusal::Type);
    }
    party.refuses(&party.with_header("typ", Value::Null), Refusal::Type);
    party.refuses(&party.with_header("typ", json!(1)), Refusal::Type);
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/At+Jwt",
    ] {
        assert!(
            party.verify(&party.with_header("typ", json!(typ))).is_ok(),
            "{typ}"
        );
    }
}

#[test]
fn a_refused_token_is_named_after_its_signature_was_checked() {
    // Only the kind of refusal may depend on an unsigned header.
    let (party, forger) = (Party::new(Algorithm::Es256), Party::new(Algorithm::Es256));
    let header = super::changed(party.header(), "crit", json!(["x"]));
    party.refuses(&forger.sign(&header, &claims()), Refusal::Crit);
    let expired = super::changed(claims(), "exp", json!(1));
    party.refuses(&forger.sign(&party.header(), &expired), Refusal::Signature);
    let typed = super::changed(party.header(), "typ", json!("JWT"));
    party.refuses(&forger.sign(&typed, &claims()), Refusal::Signature);
    let token = party.good();
    assert_eq!(
        Unverified::parse(&token).unwrap().kid(),
        Ok(Some(party.key.id()))
    );
}
