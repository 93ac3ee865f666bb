//! The errors of tokens, for logs and tools. Clients receive no reason (OWASP ASVS 11.2.5).

use std::fmt;

use crate::json::ScanError;

/// Maximum size of an inflated payload, in bytes.
///
/// Flask has no limit: a cookie of 64 KB can inflate to 50 MB.
pub const INFLATED_LIMIT: usize = 64 * 1024;

/// The reason why a token was rejected.
///
/// ```
/// use std::time::Duration;
///
/// use carafe_core::clock::Timestamp;
/// use carafe_core::key::{KeyRing, SecretKey};
/// use carafe_core::token::{TokenError, signed::{SignerSettings, TimestampSigner}};
///
/// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
/// let signer = TimestampSigner::new(&keys, SignerSettings::with_salt("reset"));
/// let (now, hour) = (Timestamp::from_unix(1_700_000_000), Some(Duration::from_secs(3_600)));
/// let signed = signer.sign("42", now);
/// let error = |text: &str, now| signer.unsign(text, hour, now).unwrap_err();
///
/// assert_eq!(error("42", now).code(), "malformed");
/// assert_eq!(error(&signed.replace("42", "43"), now), TokenError::BadSignature);
/// let late = error(&signed, now.saturating_add(4_000));
/// assert_eq!(late.to_string(), "the age of 4000 s exceeds 3600 s");
/// let early = error(&signed, now.saturating_add(-60));
/// assert_eq!(early, TokenError::FromFuture { ahead: 60 });
/// # Ok::<(), carafe_core::key::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The token does not match its format. The text names the missing part.
    Malformed(&'static str),
    /// No valid key of the ring verifies the signature or authentication tag.
    BadSignature,
    /// The signature is valid, but a timestamp is missing.
    TimestampMissing,
    /// The signature is valid, but the timestamp is not a number of at most 8 bytes.
    TimestampMalformed,
    /// The token has expired.
    Expired {
        /// Age of the token, in seconds.
        age: i64,
        /// Maximum age, in seconds.
        max_age: i64,
    },
    /// The token was issued further in the future than the clock skew allows.
    FromFuture {
        /// Seconds from now to the token's timestamp.
        ahead: i64,
    },
    /// The signature is valid, but the content is not a session.
    ///
    /// Flask responds with a 500 to every request with such a cookie. In Carafe, the session is
    /// empty.
    Payload(PayloadError),
}

/// The reason why verified content cannot be read.
///
/// A signature is checked before the content is read, so this error means that a program with the
/// key has signed something else:
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_core::key::{KeyRing, SecretKey};
/// use carafe_core::token::{PayloadError, TokenError};
/// use carafe_core::token::signed::{SignerSettings, UrlSafeSerializer};
///
/// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
/// let serializer = UrlSafeSerializer::new(&keys, SignerSettings::with_salt("unsubscribe"));
/// let signed = serializer.dumps("ada")?;
/// let error = serializer.loads::<u32>(&signed, Timestamp::now()).unwrap_err();
/// assert!(matches!(error, TokenError::Payload(PayloadError::Shape(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadError {
    /// The content is not Base64, even under CPython's lenient rules.
    Base64,
    /// The content is not a complete zlib stream.
    Inflate,
    /// The content inflates to more than [`INFLATED_LIMIT`] bytes.
    TooLarge,
    /// The content is not UTF-8.
    NotUtf8,
    /// The content is not the JSON of a session.
    Json(ScanError),
    /// The value does not match the requested type.
    Shape(String),
}

/// The reason why a token could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The operating system returned no random bytes for the nonce.
    NoRandomness,
}

impl TokenError {
    /// Returns a short stable word for logs, metrics and the command line, such as `bad-signature`.
    ///
    /// ```
    /// use carafe_core::token::TokenError;
    ///
    /// assert_eq!(TokenError::BadSignature.code(), "bad-signature");
    /// assert_eq!(TokenError::Expired { age: 61, max_age: 60 }.code(), "expired");
    /// ```
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
            Self::BadSignature => f.write_str("no valid key verifies the signature"),
            Self::TimestampMissing => f.write_str("the timestamp is missing"),
            Self::TimestampMalformed => f.write_str("the timestamp is malformed"),
            Self::Expired { age, max_age } => write!(f, "the age of {age} s exceeds {max_age} s"),
            Self::FromFuture { ahead } => write!(f, "it was issued {ahead} s in the future"),
            Self::Payload(_) => f.write_str("the content is correctly signed, but cannot be read"),
        }
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base64 => f.write_str("it is not base64"),
            Self::Inflate => f.write_str("it is not a complete zlib stream"),
            Self::TooLarge => {
                write!(f, "it inflates to more than {INFLATED_LIMIT} bytes")
            }
            Self::NotUtf8 => f.write_str("it is not UTF-8"),
            Self::Json(_) => f.write_str("it is not a session"),
            Self::Shape(error) => write!(f, "it does not have the requested shape: {error}"),
        }
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRandomness => f.write_str("the operating system returned no random bytes"),
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
