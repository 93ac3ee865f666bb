//! A key that verifies.

use std::{fmt, sync::Arc};

use ed25519_dalek::{Signature as Ed25519Signature, VerifyingKey as Ed25519Key};
use p256::{
    ecdsa::{Signature as EcdsaSignature, VerifyingKey as EcdsaKey, signature::Verifier},
    pkcs8::DecodePublicKey,
};
use sha2::{Digest, Sha256};

use super::{Algorithm, KeyError, hmac_key::HmacKey, jwk};
use crate::{base64, limits::KID_BYTES};

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
    pub(super) id: Arc<str>,
    pub(super) public: Public,
}

#[derive(Clone)]
pub(super) enum Public {
    Es256(EcdsaKey),
    EdDsa(Ed25519Key),
    Hs256(HmacKey),
}

impl VerifyingKey {
    /// Reads a public JWK (RFC 7517) of P-256 or Ed25519.
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::Private`] for a JWK with a private part.
    pub fn from_jwk(json: &str) -> Result<Self, KeyError> {
        jwk::read_public(json.as_bytes())
    }

    /// Reads a public key of P-256 or Ed25519 in PEM text with the label `PUBLIC KEY` (SPKI).
    ///
    /// # Errors
    /// [`KeyError::Malformed`] or [`KeyError::Weak`].
    pub fn from_public_key_pem(pem: &str) -> Result<Self, KeyError> {
        let pem = pem.trim();
        if let Ok(key) = EcdsaKey::from_public_key_pem(pem) {
            return Ok(Self::named_by_thumbprint(Public::Es256(key)));
        }
        let key = Ed25519Key::from_public_key_pem(pem).map_err(|_| KeyError::Malformed)?;
        Self::of_ed25519(key)
    }

    /// Returns the public JWK, with `kid`, `alg` and `use`. `None` for HS256: its key is secret.
    #[must_use]
    pub fn to_jwk(&self) -> Option<String> {
        jwk::write_public(self)
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
        match self.public {
            Public::Es256(_) => Algorithm::Es256,
            Public::EdDsa(_) => Algorithm::EdDsa,
            Public::Hs256(_) => Algorithm::Hs256,
        }
    }

    /// Returns the thumbprint of RFC 7638 with SHA-256.
    ///
    /// The thumbprint of an HMAC key lets everybody test guesses of the key, as every token does.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        base64::encode(&Sha256::digest(jwk::thumbprint_input(&self.public)))
    }

    /// Returns whether `signature` is a signature of `message`.
    ///
    /// Ed25519 is checked with the strict rules: no key and no `R` of small order.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Es256(key) => EcdsaSignature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Public::EdDsa(key) => Ed25519Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Public::Hs256(key) => key.verifies(message, signature),
        }
    }

    pub(super) fn of_ed25519(key: Ed25519Key) -> Result<Self, KeyError> {
        match key.is_weak() {
            true => Err(KeyError::Weak),
            false => Ok(Self::named_by_thumbprint(Public::EdDsa(key))),
        }
    }

    pub(super) fn named_by_thumbprint(public: Public) -> Self {
        let unnamed = Self {
            id: Arc::from(""),
            public,
        };
        Self {
            id: Arc::from(unnamed.thumbprint()),
            ..unnamed
        }
    }
}

/// Checks that a key ID can be sent in a header and compared byte by byte.
pub(super) fn check_id(id: &str) -> Result<(), KeyError> {
    let is_good =
        (1..=KID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    is_good.then_some(()).ok_or(KeyError::Id)
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({}, {:?})", self.algorithm(), self.id())
    }
}
