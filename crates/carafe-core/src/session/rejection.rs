//! Why a handler has no session, and what its client gets.

use std::{error::Error, fmt};

use super::{Field, ResponseHead};
use crate::store::StoreError;

/// Why a handler could not have its [`Session`](super::Session).
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionRejection {
    /// No session layer surrounds the handler: a mistake of the program, so the client gets a plain 500
    /// and the log says what to add. The text names it, in the words of the framework.
    MissingLayer(&'static str),
    /// The store is in trouble: 503, and the browser keeps its cookie.
    Store(StoreError),
}

impl SessionRejection {
    /// The status of the answer: 503 for a store in trouble, 500 for a program without a layer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::MissingLayer(_) => 500,
            Self::Store(_) => 503,
        }
    }

    /// Writes what a client has to know into the head of the answer, with one log event; the answer's status.
    #[must_use]
    pub fn answer(&self, head: &mut impl ResponseHead) -> u16 {
        tracing::error!("{self}");
        if matches!(self, Self::Store(_)) {
            head.set_if_absent(Field::RetryAfter, "1");
            head.set_if_absent(Field::CacheControl, "no-store");
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
            Self::Store(error) => error.fmt(f),
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
