//! The key of HS256.

use carafe_core::key::SecretKey;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::KeyError;
use crate::limits::HMAC_KEY_BYTES;

/// The bytes of the key, and the HMAC state initialized with them.
#[derive(Clone)]
pub(super) struct HmacKey {
    bytes: Zeroizing<Box<[u8]>>,
    state: Hmac<Sha256>,
}

impl HmacKey {
    /// Accepts the keys that [`SecretKey::new`] accepts. RFC 7518 §3.2 requires 32 bytes.
    pub(super) fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        SecretKey::new(bytes).map_err(KeyError::Secret)?;
        Self::of_any_strength(bytes)
    }

    pub(super) fn of_any_strength(bytes: &[u8]) -> Result<Self, KeyError> {
        SecretKey::dangerous_weak(bytes).map_err(KeyError::Secret)?;
        if bytes.len() > HMAC_KEY_BYTES {
            return Err(KeyError::TooLong);
        }
        Ok(Self {
            // HMAC accepts keys of any length.
            state: Hmac::new_from_slice(bytes).map_err(|_| KeyError::TooLong)?,
            bytes: Zeroizing::new(bytes.into()),
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 32] {
        let mut mac = self.state.clone();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// Compares the complete tag in constant time.
    pub(super) fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        self.sign(message).ct_eq(tag).into()
    }
}
