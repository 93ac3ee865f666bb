//! The errors of a store. A missing session is not an error.

use std::{error::Error, fmt, time::Duration};

use crate::error::Fault;

type Source = Box<dyn Error + Send + Sync + 'static>;

/// The reason why a call of a store failed.
///
/// No change is partially applied. If a reply was lost, it is unknown whether the change was
/// applied. [`StoreError::fault`] determines the response to the client, which keeps its cookie in
/// any case.
///
/// ```
/// use carafe_core::{error::ErrorChain, store::StoreError};
///
/// let error = StoreError::corrupt("the row has 3 bytes");
/// assert_eq!(error.to_string(), "a session record cannot be read");
/// let chain = ErrorChain::of(&error).to_string();
/// assert_eq!(chain, "a session record cannot be read: the row has 3 bytes");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached or refuses to work.
    ///
    /// If the reply to a change was lost, the change may have been applied.
    Unavailable(Source),
    /// The store did not respond within the deadline. A change may have been applied.
    Timeout(Duration),
    /// This version cannot read the record, which is left unchanged.
    Corrupt(Source),
    /// The store's layout cannot represent a value in the session. Nothing was written.
    ///
    /// An example is an integer of more than 64 bits in Flask-Session's MessagePack.
    Unstorable(Source),
    /// The record no longer meets the condition of the change. Nothing was written.
    Unmet,
    /// Too many concurrent changes of one session, even after retries.
    Conflict,
    /// The store does not support the operation, such as listing the sessions of a user.
    Unsupported,
    /// The store is full and configured to refuse new sessions.
    Full,
    /// The record is larger than the store accepts.
    TooLarge {
        /// Size of the record in bytes.
        size: usize,
        /// Size limit of the store in bytes.
        limit: usize,
    },
}

impl StoreError {
    /// Creates [`StoreError::Unavailable`] from a driver's error.
    ///
    /// The source may contain user information of a URL: see [`redacted`](super::redacted).
    ///
    /// ```
    /// use carafe_core::store::StoreError;
    ///
    /// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    /// let error = StoreError::unavailable(refused);
    /// assert_eq!((error.status(), error.code()), (503, "unavailable"));
    /// ```
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Creates [`StoreError::Corrupt`] from the error of reading a record.
    pub fn corrupt(source: impl Into<Source>) -> Self {
        Self::Corrupt(source.into())
    }

    /// Creates [`StoreError::Unstorable`] from the error of writing a record.
    pub fn unstorable(source: impl Into<Source>) -> Self {
        Self::Unstorable(source.into())
    }

    /// Returns the party that is responsible for the error.
    ///
    /// ```
    /// use carafe_core::{error::Fault, store::StoreError};
    ///
    /// assert_eq!(StoreError::unavailable("connection refused").fault(), Fault::Store);
    /// assert_eq!(StoreError::TooLarge { size: 2, limit: 1 }.fault(), Fault::Data);
    /// ```
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Unavailable(_) | Self::Timeout(_) | Self::Full => Fault::Store,
            Self::Corrupt(_) | Self::Unstorable(_) | Self::TooLarge { .. } => Fault::Data,
            Self::Unmet | Self::Conflict => Fault::Conflict,
            Self::Unsupported => Fault::Caller,
        }
    }

    /// Returns the status of the response to a request that fails.
    ///
    /// The status is [`Fault::status`], or 503 for an unreadable record, which may become readable
    /// after a repair or with a newer version.
    ///
    /// ```
    /// use carafe_core::store::StoreError;
    ///
    /// assert_eq!(StoreError::Conflict.status(), 409);
    /// assert_eq!(StoreError::Unsupported.status(), 500);
    /// assert_eq!(StoreError::unstorable("an integer of 65 bits").status(), 500);
    /// assert_eq!(StoreError::corrupt("a later version").status(), 503);
    /// ```
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Corrupt(_) => 503,
            _ => self.fault().status(),
        }
    }

    /// Returns a short stable word for logs and metrics, such as `unavailable`.
    ///
    /// ```
    /// use carafe_core::store::StoreError;
    /// use std::time::Duration;
    ///
    /// assert_eq!(StoreError::Timeout(Duration::from_millis(250)).code(), "timeout");
    /// assert_eq!(StoreError::TooLarge { size: 2, limit: 1 }.code(), "too-large");
    /// ```
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Timeout(_) => "timeout",
            Self::Corrupt(_) => "corrupt",
            Self::Unstorable(_) => "unstorable",
            Self::Unmet => "unmet",
            Self::Conflict => "conflict",
            Self::Unsupported => "unsupported",
            Self::Full => "full",
            Self::TooLarge { .. } => "too-large",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(_) => f.write_str("the session store is unavailable"),
            Self::Timeout(deadline) => {
                write!(f, "the session store did not respond within {deadline:?}")
            }
            Self::Corrupt(_) => f.write_str("a session record cannot be read"),
            Self::Unstorable(_) => f.write_str("this store cannot hold the session"),
            Self::Unmet => f.write_str("another request has changed the value in the meantime"),
            Self::Conflict => f.write_str("too many concurrent requests change the session"),
            Self::Unsupported => f.write_str("the session store does not support this operation"),
            Self::Full => f.write_str("the session store is full"),
            Self::TooLarge { size, limit } => write!(
                f,
                "the session has {size} bytes, and its store accepts {limit}; store less in the session"
            ),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unavailable(source) | Self::Corrupt(source) | Self::Unstorable(source) => {
                Some(&**source)
            }
            Self::Timeout(_)
            | Self::Unmet
            | Self::Conflict
            | Self::Unsupported
            | Self::Full
            | Self::TooLarge { .. } => None,
        }
    }
}
