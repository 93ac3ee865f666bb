//! What went wrong inside a verb, before it is a [`StoreError`]: some of it deserves a second try.

use std::borrow::Cow;

use carafe_core::store::StoreError;
use sqlx::Error;

/// A serialization failure and a deadlock (MySQL's is a 40001, too): the database undid the statement in
/// favour of somebody else's.
const LOST: [&str; 2] = ["40001", "40P01"];
/// A server that shuts down and has undone what it was doing.
const SHUT_DOWN: &str = "57P01";

#[derive(Debug)]
pub(crate) enum Failure {
    Store(StoreError),
    Sql(Error),
}

impl Failure {
    /// Whether nothing happened for sure, so that even a write may be tried again.
    pub(crate) fn is_undone(&self) -> bool {
        self.is_lost_race() || self.code().is_some_and(|code| code == SHUT_DOWN)
    }

    fn is_lost_race(&self) -> bool {
        self.code().is_some_and(|code| LOST.contains(&&*code))
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Sql(Error::Database(error)) => error.code(),
            _ => None,
        }
    }

    /// Whether the connection was of no use. A write that has failed so may have happened.
    pub(crate) fn is_connection(&self) -> bool {
        matches!(self, Self::Sql(Error::Io(_) | Error::Protocol(_)))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        if failure.is_lost_race() {
            return Self::Conflict;
        }
        match failure {
            Failure::Store(error) => error,
            Failure::Sql(
                error @ (Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::Decode(_)),
            ) => Self::corrupt(error),
            Failure::Sql(error) => Self::unavailable(error),
        }
    }
}
