//! The key of one algorithm, without its name.

use ed25519_dalek::{SigningKey as Ed25519Private, VerifyingKey as Ed25519Public};
use p256::ecdsa::{SigningKey as EcdsaPrivate, VerifyingKey as EcdsaPublic};
use zeroize::Zeroizing;

use super::{Algorithm, KeyError, hmac_key::HmacKey};

/// A key that verifies.
#[derive(Clone)]
pub(super) enum Public {
    Es256(EcdsaPublic),
    EdDsa(Ed25519Public),
    Hs256(HmacKey),
}

/// A key that signs.
#[derive(Clone)]
pub(super) enum Private {
    Es256(Box<EcdsaPrivate>),
    EdDsa(Box<Ed25519Private>),
    Hs256(HmacKey),
}

impl Public {
    /// # Errors
    /// [`KeyError::Weak`] for a key of small order.
    pub(super) fn ed25519(key: Ed25519Public) -> Result<Self, KeyError> {
        match key.is_weak() {
            true => Err(KeyError::Weak),
            false => Ok(Self::EdDsa(key)),
        }
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::EdDsa(_) => Algorithm::EdDsa,
            Self::Hs256(_) => Algorithm::Hs256,
        }
    }
}

impl Private {
    pub(super) fn es256(key: EcdsaPrivate) -> Self {
        Self::Es256(Box::new(key))
    }

    pub(super) fn ed25519(key: Ed25519Private) -> Self {
        Self::EdDsa(Box::new(key))
    }

    /// Returns the key that verifies the signatures of this one.
    pub(super) fn public(&self) -> Public {
        match self {
            Self::Es256(key) => Public::Es256(*key.verifying_key()),
            Self::EdDsa(key) => Public::EdDsa(key.verifying_key()),
            Self::Hs256(key) => Public::Hs256(key.clone()),
        }
    }

    /// Returns the private member of the JWK, as bytes.
    pub(super) fn bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Es256(key) => key.to_bytes().to_vec(),
            Self::EdDsa(key) => key.to_bytes().to_vec(),
            Self::Hs256(key) => key.bytes().to_vec(),
        })
    }
}
