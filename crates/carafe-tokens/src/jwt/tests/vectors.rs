//! The examples of RFC 7515, 7517, 7519, 7797 and 8037.

use carafe_core::clock::Timestamp;
use serde_json::json;

use super::{Refusal, TokenType, Verifier};
use crate::{
    base64,
    jwt::{Unverified, VerifiedToken},
    key::{KeyError, SigningKey, VerifyingKey, VerifyingKeys},
};

/// `{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}`.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const BEFORE: Timestamp = Timestamp::from_unix(1_300_819_300);

fn verify(token: &str, key: &VerifyingKey, now: Timestamp) -> Result<VerifiedToken, Refusal> {
    let verifier = Verifier::dangerous_of_any_party(TokenType::JwtOrNone);
    verifier.verify_parsed(&Unverified::parse(token)?, key, now)
}

#[test]
fn rfc_7515_a_1_and_rfc_7519_3_1_hs256() {
    let key = SigningKey::from_jwk(
        &json!({
            "kty": "oct",
            "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        })
        .to_string(),
    )
    .unwrap();
    let token = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{JOE}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    let verified = verify(&token, key.verifying_key(), BEFORE).unwrap();
    assert_eq!(verified.issuer(), Some("joe"));
    assert_eq!(verified.claim("http://example.com/is_root"), Ok(Some(true)));
    let after = Timestamp::from_unix(1_300_819_385);
    assert_eq!(
        verify(&token, key.verifying_key(), after),
        Err(Refusal::Expired)
    );
    let (signed, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(base64::encode(&key.sign(signed.as_bytes())), signature);
}

#[test]
fn rfc_7515_a_3_es256() {
    let jwk = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
    });
    let key = SigningKey::from_jwk(&jwk.to_string()).unwrap();
    let token = format!(
        "eyJhbGciOiJFUzI1NiJ9.{JOE}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    assert!(verify(&token, key.verifying_key(), BEFORE).is_ok());
    let mut other = jwk;
    other["d"] = json!("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE");
    assert_eq!(
        SigningKey::from_jwk(&other.to_string()).err(),
        Some(KeyError::Mismatch)
    );
}

#[test]
fn rfc_7515_a_5_and_rfc_7519_6_1_unsecured() {
    let key = SigningKey::generate(crate::key::Algorithm::Es256).unwrap();
    let token = format!("eyJhbGciOiJub25lIn0.{JOE}.");
    assert_eq!(
        verify(&token, key.verifying_key(), BEFORE),
        Err(Refusal::AlgNone)
    );
}

#[test]
fn rfc_8037_a_ed25519() {
    let key = SigningKey::from_jwk(
        r#"{"kty":"OKP","crv":"Ed25519",
        "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    )
    .unwrap();
    assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                 hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let (signed, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(base64::encode(&key.sign(signed.as_bytes())), signature);
    // The signature is valid, but the payload is not JSON.
    assert_eq!(
        verify(token, key.verifying_key(), BEFORE),
        Err(Refusal::Json)
    );
}

#[test]
fn rfc_7517_a_1_a_set_with_keys_for_other_purposes() {
    let set = json!({ "keys": [
        { "kty": "EC", "crv": "P-256", "use": "enc", "kid": "1",
          "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
          "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" },
        { "kty": "RSA", "n": "0vx7ago", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" },
    ] });
    let set = VerifyingKeys::parse_jwk_set(set.to_string().as_bytes()).unwrap();
    assert!(set.is_empty());
    assert_eq!(set.skipped(), [KeyError::Purpose, KeyError::Unsupported]);
}

#[test]
fn rfc_7638_thumbprints_do_not_depend_on_optional_members() {
    let short = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let long = format!(
        r#"{{"use":"sig","alg":"ES256","kid":"k","x5t":"a",{}"#,
        &short[1..]
    );
    let [short, long] = [short, &long].map(|jwk| VerifyingKey::from_jwk(jwk).unwrap());
    assert_eq!(short.thumbprint(), long.thumbprint());
    assert_eq!((short.id(), long.id()), (&*short.thumbprint(), "k"));
}
