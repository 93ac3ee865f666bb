//! The errors of extracting a session, and their response.

use std::{error::Error, fmt};

use super::{ResponseHead, head::answer_error};
use crate::{error::Fault, store::StoreError};

/// The error of extracting a [`Session`](super::Session).
///
/// ```
/// use carafe_core::{error::Fault, session::SessionRejection, store::StoreError};
///
/// let missing = SessionRejection::MissingLayer("add `SessionLayer` to the router");
/// assert_eq!((missing.fault(), missing.status()), (Fault::Caller, 500));
/// let outage = SessionRejection::Store(StoreError::unavailable("connection refused"));
/// assert_eq!((outage.fault(), outage.status()), (Fault::Store, 503));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionRejection {
    /// No session layer wraps the handler.
    ///
    /// This is a programming error, so the client gets a plain 500, and the log names the missing
    /// layer in the terms of the framework.
    MissingLayer(&'static str),
    /// The store failed to load the session. The browser keeps its cookie.
    Store(StoreError),
}

impl SessionRejection {
    /// Returns the party that is responsible for the error.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::MissingLayer(_) => Fault::Caller,
            Self::Store(error) => error.fault(),
        }
    }

    /// Returns the status of the response: [`StoreError::status`], or 500 without a layer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::MissingLayer(_) => Fault::Caller.status(),
            Self::Store(error) => error.status(),
        }
    }

    /// Writes the error's headers and logs one event. Returns the response's status.
    #[must_use]
    pub fn answer(&self, head: &mut impl ResponseHead) -> u16 {
        match self {
            Self::MissingLayer(_) => tracing::error!("{self}"),
            Self::Store(_) => answer_error(self, self.fault(), head),
        }
        self.status()
    }
}

impl fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingLayer(remedy) => write!(
                f,
                "a handler takes `Session`, but no session layer surrounds it; {remedy}"
            ),
            Self::Store(_) => f.write_str("the session cannot be loaded"),
        }
    }
}

impl Error for SessionRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::MissingLayer(_) => None,
            Self::Store(error) => Some(error),
        }
    }
}
