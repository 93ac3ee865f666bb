//! A key that signs.

use std::fmt;

use ed25519_dalek::{
    SigningKey as Ed25519Key,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, spki::der::pem::LineEnding},
};
use p256::ecdsa::{Signature as EcdsaSignature, SigningKey as EcdsaKey, signature::Signer};
use zeroize::Zeroizing;

use super::{Algorithm, KeyError, VerifyingKey, hmac_key::HmacKey, jwk, material::Private};
use crate::json;

/// Maximum number of random scalars tried. Each is valid except with a probability of 2^-32.
const ATTEMPTS: usize = 8;

/// A private key with its algorithm and its key ID. Redacted in `Debug`, zeroed on drop.
///
/// The key ID is the RFC 7638 thumbprint unless [`SigningKey::with_id`] sets another one.
///
/// ```
/// use carafe_tokens::key::{Algorithm, SigningKey};
///
/// let key = SigningKey::generate(Algorithm::EdDsa)?;
/// let pem = key.to_pkcs8_pem()?;
/// let same = SigningKey::from_pkcs8_pem(&pem)?;
/// assert_eq!(same.id(), key.id());
/// assert_eq!(format!("{key:?}"), format!("SigningKey(EdDSA, {:?})", key.id()));
/// # Ok::<(), carafe_tokens::key::KeyError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    private: Private,
    verifying: VerifyingKey,
}

impl SigningKey {
    /// Returns a new random key.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`] if the operating system returns no random bytes.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Es256 => {
                for _ in 0..ATTEMPTS {
                    if let Ok(key) = EcdsaKey::from_slice(&*random()?) {
                        return Ok(Self::named_by_thumbprint(Private::es256(key)));
                    }
                }
                Err(KeyError::NoRandomness)
            }
            Algorithm::EdDsa => {
                let key = Ed25519Key::from_bytes(&*random()?);
                Ok(Self::named_by_thumbprint(Private::ed25519(key)))
            }
            Algorithm::Hs256 => Self::hs256(&*random()?),
        }
    }

    /// Creates an HS256 key from at least 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::Secret`] for a short, published or repetitive key.
    pub fn hs256(bytes: &[u8]) -> Result<Self, KeyError> {
        let key = HmacKey::new(bytes)?;
        Ok(Self::named_by_thumbprint(Private::Hs256(key)))
    }

    /// Creates an HS256 key from any non-empty bytes.
    ///
    /// An attacker who guesses the key can forge every token, and each token lets them test guesses
    /// offline. Only for reading tokens of an application that has yet to get a stronger key.
    ///
    /// # Errors
    /// [`KeyError::Secret`] for an empty key.
    pub fn dangerous_weak_hs256(bytes: &[u8]) -> Result<Self, KeyError> {
        let key = HmacKey::of_any_strength(bytes)?;
        Ok(Self::named_by_thumbprint(Private::Hs256(key)))
    }

    /// Parses a private P-256 or Ed25519 key in PEM format with the label `PRIVATE KEY` (PKCS #8).
    ///
    /// # Errors
    /// [`KeyError::Malformed`].
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let pem = pem.trim();
        if let Ok(key) = EcdsaKey::from_pkcs8_pem(pem) {
            return Ok(Self::named_by_thumbprint(Private::es256(key)));
        }
        let key = Ed25519Key::from_pkcs8_pem(pem);
        let key = key.map_err(|_| KeyError::Malformed)?;
        Ok(Self::named_by_thumbprint(Private::ed25519(key)))
    }

    /// Parses a private P-256 or Ed25519 key in DER format (PKCS #8).
    ///
    /// # Errors
    /// [`KeyError::Malformed`].
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = EcdsaKey::from_pkcs8_der(der) {
            return Ok(Self::named_by_thumbprint(Private::es256(key)));
        }
        let key = Ed25519Key::from_pkcs8_der(der);
        let key = key.map_err(|_| KeyError::Malformed)?;
        Ok(Self::named_by_thumbprint(Private::ed25519(key)))
    }

    /// Returns the private key in PEM format (PKCS #8).
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] for HS256, which has no such format.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let pem = match &self.private {
            Private::Es256(key) => key.to_pkcs8_pem(LineEnding::LF),
            Private::EdDsa(key) => key.to_pkcs8_pem(LineEnding::LF),
            Private::Hs256(_) => return Err(KeyError::Unsupported),
        };
        pem.map_err(|_| KeyError::Unsupported)
    }

    /// Parses a private JWK (RFC 7517).
    ///
    /// # Errors
    /// [`KeyError`], such as [`KeyError::Mismatch`] for a public part that belongs to a different
    /// key.
    pub fn from_jwk(json: &str) -> Result<Self, KeyError> {
        let jwk = json::object(json.as_bytes()).map_err(|_| KeyError::Malformed)?;
        let (private, id) = jwk::private_of(&jwk)?;
        let key = Self::named_by_thumbprint(private);
        match id {
            None => Ok(key),
            Some(id) => key.with_id(id),
        }
    }

    /// Returns the private key as a JWK.
    #[must_use]
    pub fn to_jwk(&self) -> Zeroizing<String> {
        jwk::write_private(self.id(), &self.private)
    }

    /// Sets the key ID.
    ///
    /// # Errors
    /// [`KeyError::Id`].
    pub fn with_id(mut self, id: &str) -> Result<Self, KeyError> {
        self.verifying = self.verifying.with_id(id)?;
        Ok(self)
    }

    /// Returns the key ID.
    #[must_use]
    pub fn id(&self) -> &str {
        self.verifying.id()
    }

    /// Returns the algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.verifying.algorithm()
    }

    /// Returns the key that verifies the signatures of this key.
    ///
    /// For HS256, both keys are the same secret.
    #[must_use]
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// Signs `message` in the form of a JWS signature. ECDSA is deterministic (RFC 6979).
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.private {
            Private::Es256(key) => {
                let signature: EcdsaSignature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Private::EdDsa(key) => key.sign(message).to_bytes().to_vec(),
            Private::Hs256(key) => key.sign(message).to_vec(),
        }
    }

    fn named_by_thumbprint(private: Private) -> Self {
        let verifying = VerifyingKey::named_by_thumbprint(private.public());
        Self { private, verifying }
    }
}

fn random() -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut()).map_err(|_| KeyError::NoRandomness)?;
    Ok(bytes)
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {:?})", self.algorithm(), self.id())
    }
}
