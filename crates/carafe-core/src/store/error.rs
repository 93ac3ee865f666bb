//! What can go wrong with a store. "Not there" is not an error.

use std::{error::Error, fmt, time::Duration};

type Source = Box<dyn Error + Send + Sync + 'static>;

/// Trouble with a store. The client gets a 503 and keeps its cookie; nothing was half done, but where
/// a reply was lost it is unknown whether the change took place.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached or refuses to work. A change whose reply was lost may have been applied.
    Unavailable(Source),
    /// No answer within the deadline. A change may have been applied.
    Timeout(Duration),
    /// A record that this version cannot read. It is left as it is.
    Corrupt(Source),
    /// The session holds something that this store's layout has no form for, such as an integer of more than
    /// 64 bits in Flask-Session's MessagePack. Nothing was written.
    Unstorable(Source),
    /// Too many concurrent changes of one session, even after retries.
    Conflict,
    /// The store has not the power that was asked for, such as to list the sessions of a user.
    Unsupported,
    /// The store is full and configured to refuse.
    Full,
    /// A record is larger than the store takes.
    TooLarge {
        /// Bytes of the record.
        size: usize,
        /// Bytes that the store takes.
        limit: usize,
    },
}

impl StoreError {
    /// [`StoreError::Unavailable`] from a driver's error.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }

    /// [`StoreError::Corrupt`] from the error of reading a record.
    pub fn corrupt(source: impl Into<Source>) -> Self {
        Self::Corrupt(source.into())
    }

    /// [`StoreError::Unstorable`] from the error of writing a record.
    pub fn unstorable(source: impl Into<Source>) -> Self {
        Self::Unstorable(source.into())
    }

    /// A short stable word for logs and metrics, such as `unavailable`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Timeout(_) => "timeout",
            Self::Corrupt(_) => "corrupt",
            Self::Unstorable(_) => "unstorable",
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
            Self::Unavailable(source) => write!(f, "the session store is unavailable: {source}"),
            Self::Timeout(deadline) => {
                write!(f, "the session store gave no answer within {deadline:?}")
            }
            Self::Corrupt(source) => write!(f, "a session record cannot be read: {source}"),
            Self::Unstorable(source) => {
                write!(f, "a session cannot be kept in this store: {source}")
            }
            Self::Conflict => f.write_str("a session is changed by too many requests at once"),
            Self::Unsupported => f.write_str("this session store cannot do that"),
            Self::Full => f.write_str("the session store is full"),
            Self::TooLarge { size, limit } => write!(
                f,
                "the session has {size} bytes, and its store takes {limit}; keep less in it"
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
            | Self::Conflict
            | Self::Unsupported
            | Self::Full
            | Self::TooLarge { .. } => None,
        }
    }
}
