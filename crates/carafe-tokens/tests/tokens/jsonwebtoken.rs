//! Interoperability with the crate `jsonwebtoken`, in both directions.

use carafe_core::clock::Timestamp;
use carafe_tokens::{
    Algorithm, Refusal, SigningKey, Verifier, VerifyingKeys,
    jwt::{Claims, TokenType, sign},
};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode, jwk::Jwk};
use serde_json::{Value, json};

fn theirs(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
    }
}

const SECRET: &[u8] = b"4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b";

fn keys(algorithm: Algorithm) -> (SigningKey, EncodingKey, DecodingKey) {
    if algorithm == Algorithm::Hs256 {
        let key = SigningKey::hs256(SECRET).unwrap();
        let encoding = EncodingKey::from_secret(SECRET).unwrap();
        return (key, encoding, DecodingKey::from_secret(SECRET).unwrap());
    }
    let key = SigningKey::generate(algorithm).unwrap();
    let pem = key.to_pkcs8_pem().unwrap();
    let encoding = match algorithm {
        Algorithm::Es256 => EncodingKey::from_ec_pem(pem.as_bytes()),
        _ => EncodingKey::from_ed_pem(pem.as_bytes()),
    };
    let jwk: Jwk = serde_json::from_str(&key.verifying_key().to_jwk().unwrap()).unwrap();
    (key, encoding.unwrap(), DecodingKey::from_jwk(&jwk).unwrap())
}

#[test]
fn each_side_accepts_the_tokens_of_the_other() {
    let now = Timestamp::now();
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Hs256] {
        let (key, encoding, decoding) = keys(algorithm);
        let claims = Claims::new()
            .with_text("iss", "https://id.example")
            .with_text("aud", "shop")
            .with_text("sub", "ada")
            .with_time("exp", now.saturating_add(300));
        let ours = sign(&key, "at+jwt", &claims);
        let mut validation = Validation::new(theirs(algorithm));
        validation.set_audience(&["shop"]);
        validation.set_issuer(&["https://id.example"]);
        let decoded = decode::<Value>(&ours, &decoding, &validation).unwrap();
        assert_eq!(decoded.claims["sub"], "ada");
        assert_eq!(decoded.header.kid.as_deref(), Some(key.id()));

        let mut header = Header::new(theirs(algorithm));
        header.kid = Some(key.id().to_owned());
        let claims = json!({
            "iss": "https://id.example", "aud": ["shop"], "sub": "bob", "exp": now.unix() + 300,
        });
        let theirs = encode(&header, &claims, &encoding).unwrap();
        let verifier = Verifier::new("https://id.example", "shop", TokenType::JWT);
        let set = VerifyingKeys::from(key.verifying_key().clone());
        assert_eq!(
            verifier.verify(&theirs, &set, now).unwrap().subject(),
            Some("bob")
        );
        let (signed, _) = theirs.rsplit_once('.').unwrap();
        let (_, signature) = ours.rsplit_once('.').unwrap();
        let spliced = format!("{signed}.{signature}");
        assert_eq!(
            verifier.verify(&spliced, &set, now),
            Err(Refusal::Signature)
        );
        assert!(decode::<Value>(&spliced, &decoding, &validation).is_err());
    }
}
