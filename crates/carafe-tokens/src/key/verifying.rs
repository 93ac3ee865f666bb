//! A key that verifies.

use std::{fmt, sync::Arc};

use ed25519_dalek::{Signature as Ed25519Signature, VerifyingKey as Ed25519Key};
use p256::{
    ecdsa::{Signature as EcdsaSignature, VerifyingKey as EcdsaKey, signature::Verifier},
    pkcs8::DecodePublicKey,
};

use super::{Algorithm, KeyError, jwk, material::Public};
use crate::{
    json::{self, Object},
    limits::KID_BYTES,
};

/// A key that verifies tokens with one algorithm, and its key ID.
///
/// ```
/// use carafe_tokens::key::VerifyingKey;
///
/// let key = VerifyingKey::from_jwk(
///     r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
/// )?;
/// // RFC 8037, appendix A.3
/// assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
/// # Ok::<(), carafe_tokens::key::KeyError>(())
/// ```
#[derive(Clone)]
pub struct VerifyingKey {
    id: Arc<str>,
    public: Public,
}

impl VerifyingKey {
    /// Parses a public JWK (RFC 7517) of P-256 or Ed25519.
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::Private`] for a JWK with a private part.
    pub fn from_jwk(json: &str) -> Result<Self, KeyError> {
        let jwk = json::object(json.as_bytes()).map_err(|_| KeyError::Malformed)?;
        Self::of_jwk(&jwk)
    }

    /// Converts the parsed members of a public JWK.
    pub(super) fn of_jwk(jwk: &Object) -> Result<Self, KeyError> {
        let (public, id) = jwk::public_of(jwk)?;
        let key = Self::named_by_thumbprint(public);
        match id {
            None => Ok(key),
            Some(id) => key.with_id(id),
        }
    }

    /// Parses a public P-256 or Ed25519 key in PEM format with the label `PUBLIC KEY` (SPKI).
    ///
    /// # Errors
    /// [`KeyError::Malformed`] or [`KeyError::Weak`].
    pub fn from_public_key_pem(pem: &str) -> Result<Self, KeyError> {
        let pem = pem.trim();
        if let Ok(key) = EcdsaKey::from_public_key_pem(pem) {
            return Ok(Self::named_by_thumbprint(Public::Es256(key)));
        }
        let key = Ed25519Key::from_public_key_pem(pem).map_err(|_| KeyError::Malformed)?;
        Public::ed25519(key).map(Self::named_by_thumbprint)
    }

    /// Returns the public JWK with `kid`, `alg` and `use`.
    ///
    /// Returns `None` for HS256, because its key is secret.
    #[must_use]
    pub fn to_jwk(&self) -> Option<String> {
        jwk::write_public(&self.id, &self.public)
    }

    /// Sets the key ID.
    ///
    /// # Errors
    /// [`KeyError::Id`].
    pub fn with_id(mut self, id: &str) -> Result<Self, KeyError> {
        check_id(id)?;
        self.id = Arc::from(id);
        Ok(self)
    }

    /// Returns the key ID.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) const fn shared_id(&self) -> &Arc<str> {
        &self.id
    }

    /// Returns the algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// Returns the thumbprint of RFC 7638 with SHA-256.
    ///
    /// The thumbprint of an HMAC key lets anyone test guesses of the key, as every token does.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        jwk::thumbprint(&self.public)
    }

    /// Returns whether `signature` is a signature of `message`.
    ///
    /// Ed25519 is checked with the strict rules: neither the key nor `R` may have small order.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Es256(key) => EcdsaSignature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Public::EdDsa(key) => Ed25519Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Public::Hs256(key) => key.verifies(message, signature),
        }
    }

    pub(super) fn named_by_thumbprint(public: Public) -> Self {
        let id = Arc::from(jwk::thumbprint(&public));
        Self { id, public }
    }
}

/// Checks that a key ID can be sent in a header and compared byte by byte.
fn check_id(id: &str) -> Result<(), KeyError> {
    let is_good =
        (1..=KID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    is_good.then_some(()).ok_or(KeyError::Id)
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({}, {:?})", self.algorithm(), self.id())
    }
}
