//! Tests of keys, JWKs and sets.

mod wycheproof;

use serde_json::{Value, json};

use super::{Algorithm, JwkSetError, KeyError, SigningKey, VerifyingKey, VerifyingKeys};
use crate::{
    jwt::Refusal,
    limits::{HMAC_KEY_BYTES, JWK_SET_BYTES, JWK_SET_KEYS, KID_BYTES},
};

const ALL: [Algorithm; 3] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Hs256];

fn jwk_of(key: &VerifyingKey) -> Value {
    serde_json::from_str(&key.to_jwk().unwrap()).unwrap()
}

#[test]
fn a_key_survives_pem_and_jwk() {
    for algorithm in ALL {
        let key = SigningKey::generate(algorithm)
            .unwrap()
            .with_id("a\"b\\c")
            .unwrap();
        let read = SigningKey::from_jwk(&key.to_jwk()).unwrap();
        assert_eq!((read.id(), read.algorithm()), (key.id(), algorithm));
        let signature = key.sign(b"text");
        assert_eq!(read.sign(b"text"), signature);
        assert!(read.verifying_key().verifies(b"text", &signature));
        assert!(!read.verifying_key().verifies(b"texts", &signature));
        match key.to_pkcs8_pem() {
            Ok(pem) => {
                assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
                let read = SigningKey::from_pkcs8_pem(&pem).unwrap();
                assert_eq!(read.sign(b"text"), signature);
                assert_eq!(read.id(), key.verifying_key().thumbprint());
            }
            Err(error) => assert_eq!(
                (algorithm, error),
                (Algorithm::Hs256, KeyError::Unsupported)
            ),
        }
    }
}

#[test]
fn no_debug_and_no_error_shows_a_private_key() {
    for algorithm in ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let jwk: Value = serde_json::from_str(&key.to_jwk()).unwrap();
        let private = jwk.get("d").or(jwk.get("k")).unwrap().as_str().unwrap();
        let shown = format!(
            "{key:?} {:?} {:?}",
            key.verifying_key(),
            VerifyingKeys::from(key.verifying_key().clone())
        );
        assert!(!shown.contains(private), "{shown}");
    }
}

#[test]
fn a_jwk_set_never_contains_an_hmac_key() {
    let keys = ALL.map(|algorithm| {
        SigningKey::generate(algorithm)
            .unwrap()
            .verifying_key()
            .clone()
    });
    let set = VerifyingKeys::new(keys);
    let json: Value = serde_json::from_str(&set.to_jwk_set()).unwrap();
    assert_eq!(json["keys"].as_array().unwrap().len(), 2);
    assert!(!set.to_jwk_set().contains("oct"));
    let read = VerifyingKeys::parse_jwk_set(set.to_jwk_set().as_bytes()).unwrap();
    assert_eq!((read.len(), read.skipped().len()), (2, 0));
    let jwk = jwk_of(read.iter().next().unwrap());
    assert_eq!((&jwk["use"], &jwk["alg"]), (&json!("sig"), &json!("ES256")));
    assert!(jwk.get("d").is_none());
}

#[test]
fn defects_of_a_jwk_are_named() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let good = jwk_of(key.verifying_key());
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        VerifyingKey::from_jwk(&jwk.to_string()).err()
    };
    let off_curve = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    for (name, value, error) in [
        ("use", json!("sig"), None),
        ("key_ops", json!(["verify"]), None),
        ("x5c", json!(["ignored"]), None),
        ("kty", json!("RSA"), Some(KeyError::Unsupported)),
        ("kty", json!("oct"), Some(KeyError::Private)),
        ("kty", json!(1), Some(KeyError::Missing { member: "kty" })),
        ("crv", json!("P-384"), Some(KeyError::Unsupported)),
        ("alg", json!("ES384"), Some(KeyError::Unsupported)),
        ("alg", json!("HS256"), Some(KeyError::Unsupported)),
        ("use", json!("enc"), Some(KeyError::Purpose)),
        ("key_ops", json!(["sign"]), Some(KeyError::Purpose)),
        ("x", json!("AA"), Some(KeyError::Missing { member: "x" })),
        ("x", off_curve.clone(), Some(KeyError::Malformed)),
        ("y", off_curve, Some(KeyError::Malformed)),
        ("d", json!("AA"), Some(KeyError::Private)),
        ("kid", json!(""), Some(KeyError::Id)),
        ("kid", json!("a b"), Some(KeyError::Id)),
        ("kid", json!(7), Some(KeyError::Id)),
        ("kid", json!("k".repeat(KID_BYTES)), None),
        ("kid", json!("k".repeat(KID_BYTES + 1)), Some(KeyError::Id)),
    ] {
        assert_eq!(with(name, value.clone()), error, "{name} {value}");
    }
    assert_eq!(
        VerifyingKey::from_jwk("[]").err(),
        Some(KeyError::Malformed)
    );
    let padded = format!("{}=", good["x"].as_str().unwrap());
    assert_eq!(
        with("x", json!(padded)),
        Some(KeyError::Missing { member: "x" })
    );
}

#[test]
fn hmac_keys_are_long_enough_and_bounded() {
    assert!(matches!(
        SigningKey::hs256(b"short"),
        Err(KeyError::Secret(_))
    ));
    assert!(matches!(
        SigningKey::hs256(&[7; 32]),
        Err(KeyError::Secret(_))
    ));
    assert!(SigningKey::dangerous_weak_hs256(b"short").is_ok());
    assert!(SigningKey::dangerous_weak_hs256(b"").is_err());
    let long = vec![7; HMAC_KEY_BYTES + 1];
    assert_eq!(
        SigningKey::dangerous_weak_hs256(&long).err(),
        Some(KeyError::TooLong)
    );
}

#[test]
fn a_jwk_set_is_bounded_and_has_a_list_of_objects() {
    let parse = |text: String| VerifyingKeys::parse_jwk_set(text.as_bytes());
    let padding = " ".repeat(JWK_SET_BYTES);
    assert_eq!(
        parse(format!("{{\"keys\":[]}}{padding}")).err(),
        Some(JwkSetError::TooLarge)
    );
    let many = |count: usize| format!("{{\"keys\":[{}]}}", vec!["{}"; count].join(","));
    assert_eq!(
        parse(many(JWK_SET_KEYS)).unwrap().skipped().len(),
        JWK_SET_KEYS
    );
    assert_eq!(
        parse(many(JWK_SET_KEYS + 1)).err(),
        Some(JwkSetError::TooManyKeys)
    );
    for text in ["", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[1]}"] {
        let refused = parse(text.to_owned()).err();
        assert_eq!(
            refused,
            Some(JwkSetError::Malformed(Refusal::Json)),
            "{text}"
        );
    }
    let doubled = parse("{\"keys\":[],\"keys\":[]}".to_owned()).err();
    assert_eq!(
        doubled,
        Some(JwkSetError::Malformed(Refusal::DuplicateMember))
    );
}

#[test]
fn a_public_key_is_read_from_pem() {
    // SPKI (RFC 8410 §4) of the key of RFC 8037, appendix A.
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    let key = VerifyingKey::from_public_key_pem(pem).unwrap();
    assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(
        VerifyingKey::from_public_key_pem("x").err(),
        Some(KeyError::Malformed)
    );
    assert_eq!(
        SigningKey::from_pkcs8_pem(pem).err(),
        Some(KeyError::Malformed)
    );
}
