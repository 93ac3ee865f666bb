//! Errors of refresh tokens.

use std::{error::Error, fmt};

use carafe_core::{error::NoRandomness, limits::USER_BYTES, store::StoreError};

/// The reason why a refresh token was not issued or not redeemed.
#[derive(Debug)]
#[non_exhaustive]
pub enum RefreshError {
    /// The text is not a refresh token of these keys. The store was not called.
    Forged,
    /// The session has expired or was revoked, by a log-out or by an operator.
    Gone,
    /// The token was redeemed before, so its session is now revoked.
    Reused,
    /// The token is newer than its session, which was restored from an old backup of the store.
    Ahead,
    /// The user of a grant is empty, too long or contains a NUL.
    User,
    /// The store does not have Carafe's layout, so it does not preserve values exactly.
    Unsupported,
    /// The store failed.
    Store(StoreError),
    /// The operating system returned no random bytes.
    NoRandomness(NoRandomness),
}

impl RefreshError {
    /// Returns a short stable word for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::Gone => "gone",
            Self::Reused => "reused",
            Self::Ahead => "ahead",
            Self::User => "user",
            Self::Unsupported => "unsupported",
            Self::Store(error) => error.code(),
            Self::NoRandomness(_) => "no-randomness",
        }
    }

    /// Returns `error` of the response (RFC 6749 §5.2), or `None` for an error that is not the
    /// client's.
    #[must_use]
    pub const fn oauth_error(&self) -> Option<&'static str> {
        match self {
            Self::Forged | Self::Gone | Self::Reused | Self::Ahead => Some("invalid_grant"),
            Self::User | Self::Unsupported | Self::Store(_) | Self::NoRandomness(_) => None,
        }
    }

    /// Returns the status of the response: 400 for a rejected token, otherwise 500 or 503.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Forged | Self::Gone | Self::Reused | Self::Ahead => 400,
            Self::User | Self::Unsupported => 500,
            Self::Store(error) => error.status(),
            Self::NoRandomness(_) => 503,
        }
    }
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forged => f.write_str("the text is not a refresh token of this service"),
            Self::Gone => {
                f.write_str("the session of the refresh token has expired or was revoked")
            }
            Self::Reused => f.write_str("the refresh token was used before"),
            Self::Ahead => f.write_str("the session of the refresh token is older than the token"),
            Self::User => write!(f, "a user has 1 to {USER_BYTES} bytes and no NUL"),
            Self::Unsupported => f.write_str("this session store cannot keep refresh tokens"),
            Self::Store(_) => f.write_str("the session of a refresh token cannot be used"),
            Self::NoRandomness(_) => f.write_str("no session can be created"),
        }
    }
}

impl Error for RefreshError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(source) => Some(source),
            Self::NoRandomness(source) => Some(source),
            _ => None,
        }
    }
}

impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<NoRandomness> for RefreshError {
    fn from(error: NoRandomness) -> Self {
        Self::NoRandomness(error)
    }
}
