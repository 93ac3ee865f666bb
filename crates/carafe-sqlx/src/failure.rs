//! What went wrong inside a verb, before it is a [`StoreError`]: some of it deserves a second try.

use carafe_core::store::StoreError;
use sqlx::Error;

/// The database undid the statement: a serialization failure, a deadlock, a server that shuts down. These
/// say that nothing happened, so that even a write may be tried again.
const UNDONE: [&str; 3] = ["40001", "40P01", "57P01"];

#[derive(Debug)]
pub(crate) enum Failure {
    Store(StoreError),
    Sql(Error),
}

impl Failure {
    /// Whether nothing happened for sure.
    pub(crate) fn is_undone(&self) -> bool {
        let Self::Sql(Error::Database(error)) = self else {
            return false;
        };
        error.code().is_some_and(|code| UNDONE.contains(&&*code))
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
        match failure {
            Failure::Store(error) => error,
            Failure::Sql(
                error @ (Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::Decode(_)),
            ) => Self::corrupt(error),
            Failure::Sql(error) => Self::unavailable(error),
        }
    }
}
