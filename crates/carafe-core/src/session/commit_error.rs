//! Why a request's session could not be written, and what its client gets instead of the handler's answer.

use std::{error::Error, fmt};

use crate::{
    cookie::{CookieError, MAX_COOKIE_BYTES},
    store::StoreError,
    token::SealError,
};

/// Why a session could not be written. The browser keeps its cookie, and the handler's response must
/// not be sent, because it would claim what did not happen.
#[derive(Debug)]
#[non_exhaustive]
pub enum CommitError {
    /// The cookie would have more bytes than browsers keep.
    TooLarge {
        /// Bytes of name and value.
        size: usize,
        /// The keys with the longest values, and the bytes of their JSON text, longest first.
        largest: Vec<(String, usize)>,
    },
    /// The cookie cannot be written.
    Cookie(CookieError),
    /// The cookie cannot be encrypted.
    Seal(SealError),
    /// The user has as many sessions as one may have, and the log-in was refused:
    /// [`AtLimit::Refuse`](super::AtLimit::Refuse).
    TooManySessions {
        /// How many a user may have.
        limit: usize,
    },
    /// The store is in trouble.
    Store {
        /// The trouble.
        source: StoreError,
        /// The text of a `Set-Cookie` for that answer: a log-out makes the browser forget its copy even
        /// where the store could not be told.
        set_cookie: Option<String>,
    },
}

impl CommitError {
    /// The status of the answer that takes the place of the handler's: 503 for a store in trouble, which a
    /// client may try again; 409 for one session too many; 500 for a session that cannot be written as it is.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Store {
                source: StoreError::TooLarge { .. } | StoreError::Unsupported,
                ..
            }
            | Self::TooLarge { .. }
            | Self::Cookie(_)
            | Self::Seal(_) => 500,
            Self::TooManySessions { .. } => 409,
            Self::Store { .. } => 503,
        }
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { size, largest } => {
                write!(
                    f,
                    "the session cookie would have {size} bytes, and browsers drop cookies over {MAX_COOKIE_BYTES}; largest keys:"
                )?;
                largest
                    .iter()
                    .try_for_each(|(key, size)| write!(f, " {key:?} ({size} bytes)"))?;
                f.write_str("; keep less in the session, or keep it on the server side")
            }
            Self::Cookie(error) => error.fmt(f),
            Self::Seal(error) => error.fmt(f),
            Self::TooManySessions { limit } => {
                write!(f, "the user has {limit} sessions, and no more are allowed")
            }
            Self::Store { source, .. } => source.fmt(f),
        }
    }
}

impl Error for CommitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::TooLarge { .. } | Self::TooManySessions { .. } => None,
            Self::Cookie(error) => Some(error),
            Self::Seal(error) => Some(error),
            Self::Store { source, .. } => Some(source),
        }
    }
}
