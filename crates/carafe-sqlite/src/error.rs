//! Error types.
//!
//! SQLite's error is always kept as the source. It never contains an id or session data, because
//! all values are bound and none is part of a statement's text.

use std::{error::Error, fmt, io, path::PathBuf, sync::Arc};

use carafe_core::store::StoreError;
use rusqlite::{Error as SqliteError, ErrorCode};

use crate::tables::SCHEMA_VERSION;

/// An error of opening a store or of creating its tables.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL does not name a database.
    Url(&'static str),
    /// Other users can write or replace the file. Contains the reason and the remedy.
    Unsafe(String),
    /// The file cannot be used.
    File(PathBuf, io::Error),
    /// The tables are missing (0) or have another version.
    Schema(i64),
    /// An index of the tables is missing, as in those of an unreleased version.
    Index(String),
    /// The file has no session tables but other tables.
    Foreign,
    /// The file system lacks shared memory, like most network file systems.
    NoWal,
    /// SQLite returned an error.
    Sqlite(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The URL is omitted: a URL of another kind may contain a password.
            Self::Url(why) => write!(f, "not the URL of a session store in SQLite: {why}"),
            Self::Unsafe(why) => write!(f, "the file is not safe: {why}"),
            Self::File(path, _) => write!(f, "cannot use {}", path.display()),
            Self::Schema(0) => f.write_str(
                "the file has no session tables: call `SqliteStore::migrate`, or run `SCHEMA`",
            ),
            Self::Schema(found) if *found > SCHEMA_VERSION => write!(
                f,
                "the session tables are of version {found}, newer than this program's {SCHEMA_VERSION}: run a newer program"
            ),
            Self::Schema(found) => write!(
                f,
                "the session tables are of version {found}, older than {SCHEMA_VERSION}: call `SqliteStore::migrate`"
            ),
            Self::Index(name) => write!(
                f,
                "the session tables lack the index `{name}`: call `SqliteStore::migrate`, which adds it"
            ),
            Self::Foreign => f.write_str(
                "the file holds other tables than sessions: give the sessions a file of their own",
            ),
            Self::NoWal => {
                f.write_str("the file cannot have a write-ahead log: put it on a local disk")
            }
            Self::Sqlite(_) => f.write_str("SQLite cannot open the sessions"),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File(_, why) => Some(why),
            Self::Sqlite(why) => Some(&**why),
            Self::Url(_)
            | Self::Unsafe(_)
            | Self::Schema(_)
            | Self::Index(_)
            | Self::Foreign
            | Self::NoWal => None,
        }
    }
}

impl From<SqliteError> for OpenError {
    fn from(error: SqliteError) -> Self {
        Self::Sqlite(error.into())
    }
}

/// Classifies the error of a statement.
///
/// A value that no row can hold is `Unstorable`, a full disk is `Full`, and a damaged file is
/// `Corrupt`, like a damaged row.
pub(crate) fn of_statement(error: SqliteError) -> StoreError {
    of_shared(&Arc::new(error))
}

/// Like [`of_statement`], for an error that is reported to several callers.
pub(crate) fn of_shared(error: &Arc<SqliteError>) -> StoreError {
    let source = Arc::clone(error);
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        // A value exceeds `SQLITE_MAX_LENGTH`, or a row violates a constraint of its table.
        Some(ErrorCode::TooBig | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => {
            StoreError::unstorable(source)
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::corrupt(source),
        _ => StoreError::unavailable(source),
    }
}

/// The error of every operation on a closed store.
pub(crate) fn closed() -> StoreError {
    StoreError::unavailable("the session store is closed")
}

/// Returns whether another connection holds the lock, so that a retry may succeed.
pub(crate) fn is_busy(error: &SqliteError) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// A column with a value that no version of this crate writes.
#[derive(Debug)]
pub(crate) struct BadColumn {
    pub(crate) name: &'static str,
    pub(crate) source: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for BadColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column `{}` cannot be read", self.name)
    }
}

impl Error for BadColumn {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_repeats_its_cause() {
        let errors: [Box<dyn Error>; 3] = [
            Box::new(OpenError::File(
                "sessions.db".into(),
                io::Error::other("locked"),
            )),
            Box::new(OpenError::Sqlite("locked".into())),
            Box::new(BadColumn {
                name: "user",
                source: "locked".into(),
            }),
        ];
        for error in errors {
            let cause = error.source().expect("a cause").to_string();
            assert!(!error.to_string().contains(&cause), "{error}");
        }
    }
}
