//! The error of an operation before its conversion to [`StoreError`]; some errors are retried.

use std::borrow::Cow;

use carafe_core::store::{StoreError, redacted};
use sqlx::{Error, error::DatabaseError};

/// Serialization failure and deadlock (40001 in MySQL too).
///
/// The database rolled the statement back in favor of another transaction.
const LOST: [&str; 2] = ["40001", "40P01"];
/// The server is shutting down and has rolled back the current transaction.
const SHUT_DOWN: &str = "57P01";
/// Postgres: a prepared statement is missing or exists already; a pooler shares the connection.
const POOLED: [&str; 2] = ["26000", "42P05"];

#[derive(Debug)]
pub(crate) enum Failure {
    Store(StoreError),
    Sql(Error),
}

impl Failure {
    /// Returns whether the change was certainly not applied, so that even a write can be retried.
    pub(crate) fn is_undone(&self) -> bool {
        self.is_lost_race() || self.code().is_some_and(|code| code == SHUT_DOWN)
    }

    fn is_lost_race(&self) -> bool {
        self.has_code(&LOST)
    }

    /// Returns whether prepared statements do not work on this connection.
    ///
    /// The failed statement had no effect.
    pub(crate) fn is_pooled(&self) -> bool {
        self.has_code(&POOLED)
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        self.code().is_some_and(|code| codes.contains(&&*code))
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Sql(Error::Database(error)) => error.code(),
            _ => None,
        }
    }

    /// Returns whether the server rejects the values themselves.
    ///
    /// These are SQLSTATE classes 22 (data exception) and 23 (constraint), 54000 (Postgres: a value
    /// is too large for an index), and MySQL's errors 1153 (`max_allowed_packet`) and 1366 (text in
    /// another character set), which have an unspecific SQLSTATE.
    fn is_of_data(&self) -> bool {
        let Self::Sql(Error::Database(error)) = self else {
            return false;
        };
        let code = error.code().unwrap_or_default();
        code.starts_with("22")
            || code.starts_with("23")
            || code == "54000"
            || matches!(number(&**error), Some(1153 | 1366))
    }

    /// Returns whether the connection is unusable.
    ///
    /// A write that failed this way may have been applied.
    pub(crate) fn is_connection(&self) -> bool {
        matches!(self, Self::Sql(Error::Io(_) | Error::Protocol(_)))
    }
}

/// Returns MySQL's error number.
fn number(error: &dyn DatabaseError) -> Option<u16> {
    #[cfg(feature = "mysql")]
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return Some(error.number());
    }
    let _ = error;
    None
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
        let (of_data, is_pooled) = (failure.is_of_data(), failure.is_pooled());
        match failure {
            Failure::Sql(error) if is_pooled => Self::unavailable(format!(
                "{}; behind a pooler in transaction mode: statement_cache=0 in the URL, or \
                 SqlStore::without_prepared_statements",
                redacted(error)
            )),
            Failure::Store(error) => error,
            Failure::Sql(error) if of_data => Self::unstorable(redacted(error)),
            Failure::Sql(
                error @ (Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::Decode(_)),
            ) => Self::corrupt(redacted(error)),
            Failure::Sql(error) => Self::unavailable(redacted(error)),
        }
    }
}
