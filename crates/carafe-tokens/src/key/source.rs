//! Where a verifier finds the key of a token.

use std::{error::Error, fmt, future::ready};

use super::{VerifyingKey, VerifyingKeys};
use crate::refusal::Refusal;

/// The keys of one issuer, which may have to be fetched.
///
/// [`VerifyingKeys`] is such a source that never waits. The crate `carafe-jwks` has one that
/// fetches a JWK set and caches it.
pub trait TokenKeys: Send + Sync {
    /// Returns the key of a token with this `kid`.
    ///
    /// `kid` comes from a token that is not verified: it may select one of the issuer's own keys
    /// and nothing else, neither a URL nor a file nor a row of a table.
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

/// The keys of an issuer cannot be fetched now.
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

/// The outcome of a verification that needs keys from elsewhere.
#[derive(Debug)]
#[non_exhaustive]
pub enum VerifyError {
    /// The token is rejected: 401.
    Refused(Refusal),
    /// The keys cannot be fetched now, so nothing is known about the token: 503.
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
