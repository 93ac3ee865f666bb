//! Tests of signing and verification with unusual tokens.

mod attacks;
mod claims;
mod mutated;
mod vectors;

use carafe_core::clock::Timestamp;
use serde_json::{Value, json};

use super::{Refusal, TokenType, VerifiedToken, Verifier, sign_with_header};
use crate::key::{Algorithm, SigningKey, VerifyingKeys};

pub(super) const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
pub(super) const ALL: [Algorithm; 3] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Hs256];

/// A key, and a verifier that only trusts this key.
pub(super) struct Party {
    pub(super) key: SigningKey,
    pub(super) keys: VerifyingKeys,
    pub(super) verifier: Verifier,
}

impl Party {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        Self::with_key(SigningKey::generate(algorithm).unwrap())
    }

    pub(super) fn with_key(key: SigningKey) -> Self {
        Self {
            keys: VerifyingKeys::from(key.verifying_key().clone()),
            verifier: Verifier::new("https://id.example", "shop", TokenType::ACCESS),
            key,
        }
    }

    pub(super) fn header(&self) -> Value {
        json!({ "alg": self.key.algorithm().name(), "kid": self.key.id(), "typ": "at+jwt" })
    }

    /// Signs this header and these claims.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        sign_with_header(&self.key, &header.to_string(), &claims.to_string())
    }

    /// Signs valid claims under the valid header with one member changed.
    ///
    /// `null` removes the member.
    pub(super) fn with_header(&self, name: &str, value: Value) -> String {
        self.sign(&changed(self.header(), name, value), &claims())
    }

    /// Signs valid claims with one of them changed. `null` removes the claim.
    pub(super) fn with_claim(&self, name: &str, value: Value) -> String {
        self.sign(&self.header(), &changed(claims(), name, value))
    }

    pub(super) fn good(&self) -> String {
        self.sign(&self.header(), &claims())
    }

    pub(super) fn verify(&self, token: &str) -> Result<VerifiedToken, Refusal> {
        self.verifier.verify(token, &self.keys, NOW)
    }

    #[track_caller]
    pub(super) fn refuses(&self, token: &str, refusal: Refusal) {
        assert_eq!(self.verify(token), Err(refusal), "{token}");
    }
}

pub(super) fn claims() -> Value {
    json!({
        "iss": "https://id.example", "aud": "shop", "sub": "ada", "sid": "AAAAAAAAAAAAAAAA",
        "iat": NOW.unix(), "exp": NOW.unix() + 300, "jti": "1",
    })
}

fn changed(mut object: Value, name: &str, value: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    members.remove(name);
    if !value.is_null() {
        members.insert(name.to_owned(), value);
    }
    object
}
