//! Wycheproof's groups of whole JWS texts and of JWKs (C2SP/wycheproof), which no crate contains.
//!
//! ```sh
//! CARAFE_WYCHEPROOF=/path/to/wycheproof \
//!     cargo test -p carafe-tokens --test tokens wycheproof -- --ignored
//! ```
//!
//! A payload there is any text and no claims, so an accepted JWS is one that passes every check but
//! those of its claims.

use std::{collections::BTreeSet, env, fs, path::Path};

use carafe_core::clock::Timestamp;
use carafe_tokens::{
    Refusal, SigningKey, Verifier, VerifyingKey, VerifyingKeys,
    jwt::{TokenType, Unverified},
    key::KeyError,
};
use serde::Deserialize;
use serde_json::Value;

/// Vectors with another answer here, and the reason.
const EXCEPTIONS: &[(u64, &str)] = &[
    (
        367,
        "the text is the one of 357, which is valid: C2SP/wycheproof issue 236",
    ),
    (
        370,
        "the text is the one of 357, which is valid: C2SP/wycheproof issue 236",
    ),
    (
        372,
        "`?` inside the header's base64url, with a signature of the text without it",
    ),
    (
        373,
        "`?` inside the payload's base64url, with a signature of the text without it",
    ),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Suite {
    number_of_tests: usize,
    test_groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    public: Option<Value>,
    private: Option<Value>,
    tests: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    tc_id: u64,
    comment: String,
    jws: String,
    result: String,
}

fn suite(name: &str) -> Suite {
    let checkout = env::var_os("CARAFE_WYCHEPROOF").expect("CARAFE_WYCHEPROOF names a checkout");
    let path = Path::new(&checkout).join("testvectors_v1").join(name);
    let suite: Suite = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let count: usize = suite
        .test_groups
        .iter()
        .map(|group| group.tests.len())
        .sum();
    assert_eq!(count, suite.number_of_tests);
    suite
}

/// Reads the key with which a group is verified: public, or an HMAC key.
fn key_of(jwk: &Value) -> Result<VerifyingKey, KeyError> {
    let text = jwk.to_string();
    if jwk["kty"] != "oct" {
        return VerifyingKey::from_jwk(&text);
    }
    match SigningKey::from_jwk(&text) {
        Ok(key) => Ok(key.verifying_key().clone()),
        // 32 bytes of zeros, which only this constructor accepts.
        Err(KeyError::Secret(_)) if jwk["k"] == "A".repeat(43) => {
            let key = SigningKey::dangerous_weak_hs256(&[0; 32])?;
            let key = key.with_id(jwk["kid"].as_str().unwrap())?;
            Ok(key.verifying_key().clone())
        }
        Err(error) => Err(error),
    }
}

fn accepts(keys: &VerifyingKeys, jws: &str) -> bool {
    let verify = |jws| {
        let token = Unverified::parse(jws)?;
        let key = keys.find(token.kid()?)?;
        let verifier = Verifier::dangerous_of_any_party(TokenType::JwtOrNone);
        let verified = verifier.verify_parsed(&token, key, Timestamp::from_unix(0));
        match verified {
            // The payload is no JSON object, or one without `exp`.
            Ok(_) | Err(Refusal::Json | Refusal::ExpiryMissing) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    };
    verify(jws).is_ok()
}

#[test]
#[ignore = "needs a checkout of C2SP/wycheproof in CARAFE_WYCHEPROOF"]
fn wycheproof_jws_vectors_have_their_answers() {
    let (mut unsupported, mut answered) = (0, 0);
    let mut others = BTreeSet::new();
    for group in suite("json_web_signature_test.json").test_groups {
        let jwk = group.public.or(group.private).unwrap();
        let keys = match key_of(&jwk) {
            Ok(key) => VerifyingKeys::from(key),
            Err(error) => {
                let is_foreign = jwk["kty"] == "RSA" || jwk["crv"] == "P-521";
                let is_for_encryption = group.tests.iter().all(|test| test.result == "invalid");
                match error {
                    KeyError::Unsupported if is_foreign => unsupported += group.tests.len(),
                    KeyError::Purpose if is_for_encryption => answered += group.tests.len(),
                    error => panic!("{jwk}: {error}"),
                }
                continue;
            }
        };
        for test in group.tests {
            answered += 1;
            if accepts(&keys, &test.jws) != (test.result == "valid") {
                assert!(others.insert(test.tc_id), "{}", test.comment);
            }
        }
    }
    let known: BTreeSet<_> = EXCEPTIONS.iter().map(|(id, _)| *id).collect();
    assert_eq!(others, known);
    assert!(
        answered >= 81 && unsupported > 300,
        "{answered} {unsupported}"
    );
}

#[test]
#[ignore = "needs a checkout of C2SP/wycheproof in CARAFE_WYCHEPROOF"]
fn wycheproof_jwk_vectors_have_their_answers() {
    let mut answered = 0;
    for group in suite("json_web_key_test.json").test_groups {
        let set = group.public.or(group.private).unwrap();
        let list = set["keys"].as_array().unwrap();
        // HMAC keys are configuration and never fetched: an application reads each by itself and
        // does not start without one of them.
        let keys = if list.iter().all(|jwk| jwk["kty"] == "oct") {
            let keys: Result<Vec<_>, _> = list.iter().map(key_of).collect();
            VerifyingKeys::new(keys.unwrap_or_default())
        } else {
            VerifyingKeys::parse_jwk_set(set.to_string().as_bytes()).unwrap()
        };
        let is_foreign = |jwk: &Value| {
            jwk["kty"] == "RSA" || matches!(jwk["alg"].as_str(), Some("HS384" | "HS512"))
        };
        for test in group.tests {
            let is_right = test.result == "valid" && !list.iter().any(is_foreign);
            let (id, comment) = (test.tc_id, test.comment);
            assert_eq!(accepts(&keys, &test.jws), is_right, "{id} {comment}");
            answered += 1;
        }
    }
    assert!(answered >= 26, "{answered}");
}
