//! Errors of keys. None contains a key.

use std::{error::Error, fmt};

use crate::{
    limits::{JWK_SET_BYTES, JWK_SET_KEYS, KID_BYTES},
    refusal::Refusal,
};

/// The reason why a key was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not a key in PEM, DER or JWK format.
    Malformed,
    /// The key type, the curve or the algorithm is not supported.
    Unsupported,
    /// A member of the JWK is missing.
    Missing {
        /// The name of the member.
        member: &'static str,
    },
    /// The public part of a private JWK belongs to a different key.
    Mismatch,
    /// The JWK is not for signatures, according to `use` or `key_ops`.
    Purpose,
    /// A private key where a public key is expected. Treat the key as compromised.
    Private,
    /// A public key of small order, under which one signature is valid for many messages.
    Weak,
    /// An HMAC key that `carafe_core` rejects.
    Secret(carafe_core::key::KeyError),
    /// An HMAC key above [`HMAC_KEY_BYTES`](crate::limits::HMAC_KEY_BYTES).
    TooLong,
    /// The key ID is empty, too long, or has characters other than visible ASCII.
    Id,
    /// The operating system returned no random bytes.
    NoRandomness,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the text is not a key"),
            Self::Unsupported => {
                f.write_str("the key is for none of ES256, EdDSA (Ed25519) and HS256")
            }
            Self::Missing { member } => write!(f, "the JWK has no valid member `{member}`"),
            Self::Mismatch => f.write_str("the public and the private part are of different keys"),
            Self::Purpose => f.write_str("the JWK is not for signatures"),
            Self::Private => f.write_str("a private key was published; replace it"),
            Self::Weak => f.write_str("the public key has a small order"),
            Self::Secret(_) => f.write_str("the HMAC key is rejected"),
            Self::TooLong => f.write_str("the HMAC key is too long"),
            Self::Id => write!(f, "a key ID has 1 to {KID_BYTES} visible ASCII characters"),
            Self::NoRandomness => f.write_str("the operating system returned no random bytes"),
        }
    }
}

impl Error for KeyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Secret(source) => Some(source),
            _ => None,
        }
    }
}

/// The reason why a JWK set was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwkSetError {
    /// More than [`JWK_SET_BYTES`].
    TooLarge,
    /// More than [`JWK_SET_KEYS`].
    TooManyKeys,
    /// Not a JSON object with a list `keys` of objects.
    Malformed(Refusal),
}

impl JwkSetError {
    /// Returns a short stable word for logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::TooManyKeys => "too-many-keys",
            Self::Malformed(refusal) => refusal.code(),
        }
    }
}

impl fmt::Display for JwkSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the JWK set has more than {JWK_SET_BYTES} bytes"),
            Self::TooManyKeys => write!(f, "the JWK set has more than {JWK_SET_KEYS} keys"),
            Self::Malformed(_) => f.write_str("the text is not a JWK set"),
        }
    }
}

impl Error for JwkSetError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Malformed(source) => Some(source),
            Self::TooLarge | Self::TooManyKeys => None,
        }
    }
}
