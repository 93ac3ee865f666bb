//! jsonwebtoken on the RustCrypto crates.

use carafe_tokens::{Algorithm, SigningKey};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};

use super::Issuer;
use crate::content::{AUDIENCE, AccessClaims, ISSUER, SECRET};

pub(crate) struct Tokens {
    header: Header,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Tokens {
    pub(crate) fn new(key: &SigningKey) -> Self {
        let (algorithm, (encoding, decoding)) = match key.algorithm() {
            Algorithm::Es256 => (jsonwebtoken::Algorithm::ES256, pair(key)),
            Algorithm::EdDsa => (jsonwebtoken::Algorithm::EdDSA, pair(key)),
            Algorithm::Hs256 => (jsonwebtoken::Algorithm::HS256, secret()),
        };
        let mut header = Header::new(algorithm);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(key.id().to_owned());
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        Self {
            header,
            encoding,
            decoding,
            validation,
        }
    }
}

fn pair(key: &SigningKey) -> (EncodingKey, DecodingKey) {
    let pem = key.to_pkcs8_pem().expect("it is a key pair");
    let encoding = match key.algorithm() {
        Algorithm::Es256 => EncodingKey::from_ec_pem(pem.as_bytes()),
        _ => EncodingKey::from_ed_pem(pem.as_bytes()),
    };
    let jwk = key.verifying_key().to_jwk().expect("it is public");
    let jwk = serde_json::from_str(&jwk).expect("it is a JWK");
    let decoding = DecodingKey::from_jwk(&jwk).expect("the algorithm is known");
    (encoding.expect("it is a key"), decoding)
}

fn secret() -> (EncodingKey, DecodingKey) {
    let encoding = EncodingKey::from_secret(SECRET.as_bytes());
    let decoding = DecodingKey::from_secret(SECRET.as_bytes());
    (
        encoding.expect("it is long enough"),
        decoding.expect("it is long enough"),
    )
}

impl Issuer for Tokens {
    fn sign(&self, claims: &AccessClaims) -> String {
        encode(&self.header, claims, &self.encoding).expect("it signs")
    }

    fn verify(&self, token: &str) -> Option<String> {
        let token = decode::<AccessClaims>(token, &self.decoding, &self.validation);
        Some(token.ok()?.claims.sub)
    }
}
