//! carafe-tokens.

use carafe_tokens::{
    Algorithm, SigningKey, Timestamp, Verifier, VerifyingKeys,
    jwt::{Claims, TokenType, sign},
};

use super::Issuer;
use crate::content::{AUDIENCE, AccessClaims, ISSUER, SECRET};

/// A key, and the verifier that trusts this key alone.
pub(crate) struct Tokens {
    key: SigningKey,
    keys: VerifyingKeys,
    verifier: Verifier,
}

impl Tokens {
    /// Creates an issuer with a random key, or with [`SECRET`] for HS256.
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let key = match algorithm {
            Algorithm::Hs256 => SigningKey::hs256(SECRET.as_bytes()),
            Algorithm::Es256 | Algorithm::EdDsa => SigningKey::generate(algorithm),
        };
        let key = key.expect("the key is good");
        Self {
            keys: VerifyingKeys::from(key.verifying_key().clone()),
            verifier: Verifier::new(ISSUER, AUDIENCE, TokenType::ACCESS),
            key,
        }
    }

    /// Returns the key for the peers.
    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }
}

impl Issuer for Tokens {
    fn sign(&self, claims: &AccessClaims) -> String {
        let claims = Claims::new()
            .with_text("iss", &claims.iss)
            .with_text("aud", &claims.aud)
            .with_text("sub", &claims.sub)
            .with_text("sid", &claims.sid)
            .with_time("iat", Timestamp::from_unix(claims.iat.cast_signed()))
            .with_time("exp", Timestamp::from_unix(claims.exp.cast_signed()))
            .with_text("jti", &claims.jti);
        sign(&self.key, "at+jwt", &claims)
    }

    fn verify(&self, token: &str) -> Option<String> {
        let token = self.verifier.verify(token, &self.keys, Timestamp::now());
        token.ok()?.subject().map(str::to_owned)
    }
}
