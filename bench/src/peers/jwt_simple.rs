//! jwt-simple, whose calls take the claims and the options by value.

use carafe_tokens::{Algorithm, SigningKey};
use ed25519_dalek::pkcs8::DecodePrivateKey;
use jwt_simple::prelude::{
    Claims, Duration, ECDSAP256KeyPairLike, ECDSAP256PublicKeyLike, ES256KeyPair, ES256PublicKey,
    Ed25519KeyPair, Ed25519PublicKey, EdDSAKeyPairLike, EdDSAPublicKeyLike, HS256Key,
    HeaderOptions, JWTClaims, MACLike, VerificationOptions,
};
use serde::{Deserialize, Serialize};

use super::Issuer;
use crate::content::{AUDIENCE, AccessClaims, ISSUER, SECRET};

pub(crate) struct Tokens {
    key: Key,
    header: HeaderOptions,
    options: VerificationOptions,
}

enum Key {
    Es256(ES256KeyPair, ES256PublicKey),
    EdDsa(Ed25519KeyPair, Ed25519PublicKey),
    Hs256(HS256Key),
}

/// The claim that the crate does not know.
#[derive(Serialize, Deserialize)]
struct Session {
    sid: String,
}

impl Tokens {
    pub(crate) fn new(signing: &SigningKey) -> Self {
        let pem = || signing.to_pkcs8_pem().expect("it is a key pair");
        let id = signing.id();
        let key = match signing.algorithm() {
            Algorithm::Es256 => {
                let pair = ES256KeyPair::from_pem(&pem()).expect("it is a key");
                let pair = pair.with_key_id(id);
                let public = pair.public_key();
                Key::Es256(pair, public)
            }
            Algorithm::EdDsa => {
                // Its PEM reader refuses PKCS #8 with a public part (RFC 5958).
                let pair = ed25519_dalek::SigningKey::from_pkcs8_pem(&pem()).expect("it is a key");
                let pair = Ed25519KeyPair::from_bytes(&pair.to_keypair_bytes());
                let pair = pair.expect("it is a key").with_key_id(id);
                let public = pair.public_key();
                Key::EdDsa(pair, public)
            }
            Algorithm::Hs256 => Key::Hs256(HS256Key::from_bytes(SECRET.as_bytes()).with_key_id(id)),
        };
        let type_name = Some("at+jwt".to_owned());
        Self {
            key,
            header: HeaderOptions {
                signature_type: type_name.clone(),
                ..HeaderOptions::default()
            },
            options: VerificationOptions {
                required_signature_type: type_name,
                allowed_issuers: Some([ISSUER.to_owned()].into()),
                allowed_audiences: Some([AUDIENCE.to_owned()].into()),
                ..VerificationOptions::default()
            },
        }
    }
}

impl Issuer for Tokens {
    fn sign(&self, claims: &AccessClaims) -> String {
        let session = Session {
            sid: claims.sid.clone(),
        };
        let lifetime = Duration::from_secs(claims.exp - claims.iat);
        let mut theirs = Claims::with_custom_claims(session, lifetime)
            .with_issuer(&claims.iss)
            .with_audience(&claims.aud)
            .with_subject(&claims.sub)
            .with_jwt_id(&claims.jti);
        theirs.invalid_before = None;
        let token = match &self.key {
            Key::Es256(pair, _) => pair.sign_with_options(theirs, &self.header),
            Key::EdDsa(pair, _) => pair.sign_with_options(theirs, &self.header),
            Key::Hs256(key) => key.authenticate_with_options(theirs, &self.header),
        };
        token.expect("it signs")
    }

    fn verify(&self, token: &str) -> Option<String> {
        let options = Some(self.options.clone());
        let claims: Result<JWTClaims<Session>, _> = match &self.key {
            Key::Es256(_, key) => key.verify_token(token, options),
            Key::EdDsa(_, key) => key.verify_token(token, options),
            Key::Hs256(key) => key.verify_token(token, options),
        };
        claims.ok()?.subject
    }
}
