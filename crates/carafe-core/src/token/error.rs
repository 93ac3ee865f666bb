//! Why a token was refused, for the log and for tools; a client is told nothing of it (OWASP ASVS 11.2.5).

use std::fmt;

use crate::json::ScanError;

/// Why a token was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// It does not have the shape of its format; the text says what is missing.
    Malformed(&'static str),
    /// No live key of the ring made this signature or authentication tag.
    BadSignature,
    /// Correctly signed without a timestamp.
    TimestampMissing,
    /// Correctly signed, but the timestamp is no number of at most 8 bytes.
    TimestampMalformed,
    /// Good once. Seconds.
    Expired {
        /// Seconds since it was made.
        age: i64,
        /// Seconds for which it was good.
        max_age: i64,
    },
    /// Made in the future by more than the clock skew allows. Seconds.
    FromFuture {
        /// Seconds from now to its timestamp.
        ahead: i64,
    },
    /// Correctly signed, but its content is not a session. Flask answers 500 to every request with such
    /// a cookie; here it is an empty session.
    Payload(PayloadError),
}

/// Why correctly signed content cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadError {
    /// Not base64, even when read as leniently as CPython does.
    Base64,
    /// Not a whole zlib stream.
    Inflate,
    /// Inflates to more than [`super::INFLATED_LIMIT`] bytes.
    TooLarge,
    /// Not UTF-8.
    NotUtf8,
    /// Not the JSON of a session.
    Json(ScanError),
    /// The value has another shape than the type that was asked for.
    Shape(String),
}

/// Why a token could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The operating system gave no random bytes for the nonce.
    NoRandomness,
}

impl TokenError {
    /// A short stable word for logs, metrics and the command line, such as `bad-signature`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::TimestampMissing | Self::TimestampMalformed => "malformed",
            Self::BadSignature => "bad-signature",
            Self::Expired { .. } => "expired",
            Self::FromFuture { .. } => "from-future",
            Self::Payload(_) => "bad-payload",
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => f.write_str(what),
            Self::BadSignature => f.write_str("the signature does not match any live key"),
            Self::TimestampMissing => f.write_str("the timestamp is missing"),
            Self::TimestampMalformed => f.write_str("the timestamp is malformed"),
            Self::Expired { age, max_age } => write!(f, "the age of {age} s is over {max_age} s"),
            Self::FromFuture { ahead } => write!(f, "it was made {ahead} s in the future"),
            Self::Payload(error) => write!(f, "the content is correctly signed, but {error}"),
        }
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base64 => f.write_str("is not base64"),
            Self::Inflate => f.write_str("is not a whole zlib stream"),
            Self::TooLarge => write!(f, "inflates to more than {} bytes", super::INFLATED_LIMIT),
            Self::NotUtf8 => f.write_str("is not UTF-8"),
            Self::Json(error) => write!(f, "is not a session: {error}"),
            Self::Shape(error) => write!(f, "has another shape: {error}"),
        }
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRandomness => f.write_str("the operating system gave no random bytes"),
        }
    }
}

impl std::error::Error for TokenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Payload(error) => Some(error),
            _ => None,
        }
    }
}

impl std::error::Error for PayloadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            _ => None,
        }
    }
}

impl std::error::Error for SealError {}

impl From<PayloadError> for TokenError {
    fn from(error: PayloadError) -> Self {
        Self::Payload(error)
    }
}
