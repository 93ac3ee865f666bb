//! Looks up the key of a token.

use std::{error::Error, fmt, future::ready};

use super::{VerifyingKey, VerifyingKeys};
use crate::refusal::Refusal;

/// The keys of one issuer, which may have to be fetched.
///
/// [`VerifyingKeys`] is an implementation that never waits. The crate `carafe-jwks` fetches and
/// caches a JWK set.
pub trait TokenKeys: Send + Sync {
    /// Returns the key of a token with this `kid`.
    ///
    /// `kid` comes from an unverified token, so it may only select one of the issuer's own keys,
    /// never a URL, a file or a table row.
    ///
    /// # Errors
    /// [`VerifyError::Refused`] with [`Refusal::KidMissing`] or [`Refusal::KidUnknown`];
    /// [`VerifyError::Unavailable`] if the keys cannot be fetched now.
    fn find_key(
        &self,
        kid: Option<&str>,
    ) -> impl Future<Output = Result<VerifyingKey, VerifyError>> + Send;
}

impl TokenKeys for VerifyingKeys {
    fn find_key(
        &self,
        kid: Option<&str>,
    ) -> impl Future<Output = Result<VerifyingKey, VerifyError>> + Send {
        ready(self.find(kid).cloned().map_err(VerifyError::from))
    }
}

impl<K: TokenKeys> TokenKeys for std::sync::Arc<K> {
    fn find_key(
        &self,
        kid: Option<&str>,
    ) -> impl Future<Output = Result<VerifyingKey, VerifyError>> + Send {
        K::find_key(self, kid)
    }
}

/// The error if the keys of an issuer cannot be fetched at the moment.
#[derive(Debug)]
pub struct KeysUnavailable(Box<dyn Error + Send + Sync>);

impl KeysUnavailable {
    /// Creates the error from its cause.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for KeysUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keys of the issuer are unavailable")
    }
}

impl Error for KeysUnavailable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// The error of a verification with keys that may have to be fetched.
#[derive(Debug)]
#[non_exhaustive]
pub enum VerifyError {
    /// The token is rejected: 401.
    Refused(Refusal),
    /// The keys cannot be fetched at the moment, so the validity of the token is unknown: 503.
    Unavailable(KeysUnavailable),
}

impl VerifyError {
    /// Returns the code of the refusal, or `keys-unavailable`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Unavailable(_) => "keys-unavailable",
        }
    }

    /// Returns the status of the response: 401 or 503.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Refused(refusal) => refusal.status(),
            Self::Unavailable(_) => 503,
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Unavailable(error) => error.fmt(f),
        }
    }
}

impl Error for VerifyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Unavailable(error) => error.source(),
        }
    }
}

impl From<Refusal> for VerifyError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
