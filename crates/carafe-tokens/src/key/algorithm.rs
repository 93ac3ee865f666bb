//! The signature algorithms.

use std::fmt;

/// A signature algorithm. The list is closed: there is neither `none` nor RSA.
///
/// ```
/// use carafe_tokens::key::Algorithm;
///
/// assert_eq!(Algorithm::Es256.name(), "ES256");
/// assert_eq!(Algorithm::from_name("EdDSA"), Some(Algorithm::EdDsa));
/// assert_eq!(Algorithm::from_name("none"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    Es256,
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// HMAC with SHA-256 (RFC 7518 §3.2), between services that share a key.
    Hs256,
}

impl Algorithm {
    /// Returns the value of `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }

    /// Returns the algorithm with this name. `Ed25519` is RFC 9864's name of [`Algorithm::EdDsa`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "HS256" => Some(Self::Hs256),
            _ => None,
        }
    }

    /// Returns whether the verifying key is public.
    #[must_use]
    pub const fn is_asymmetric(self) -> bool {
        match self {
            Self::Es256 | Self::EdDsa => true,
            Self::Hs256 => false,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
