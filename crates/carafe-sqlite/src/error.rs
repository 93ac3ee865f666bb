//! What went wrong, by kind. SQLite's own error is always kept as the source; it never holds an id or
//! data, because every value is bound and none is part of a statement's text.

use std::{error::Error, fmt, io, path::PathBuf, sync::Arc};

use carafe_core::store::StoreError;
use rusqlite::{Error as SqliteError, ErrorCode};

use crate::SCHEMA_VERSION;

/// Why a store was not opened or its tables not made.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL does not name a database.
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file cannot be used.
    File(PathBuf, io::Error),
    /// The tables are not there or of another version: 0 stands for "not there".
    Schema(i64),
    /// The tables have not this index, as those of an unfinished version.
    Index(String),
    /// There are no sessions in the file, but somebody else's tables.
    Foreign,
    /// The file system cannot share memory between connections, as on most network drives.
    NoWal,
    /// SQLite refuses.
    Sqlite(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, why } => write!(f, "`{url}` is no URL of a session store: {why}"),
            Self::File(path, why) => write!(f, "cannot use {}: {why}", path.display()),
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
            Self::Sqlite(why) => write!(f, "SQLite cannot open the sessions: {why}"),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File(_, why) => Some(why),
            Self::Sqlite(why) => Some(&**why),
            Self::Url { .. } | Self::Schema(_) | Self::Index(_) | Self::Foreign | Self::NoWal => {
                None
            }
        }
    }
}

impl From<SqliteError> for OpenError {
    fn from(error: SqliteError) -> Self {
        Self::Sqlite(error.into())
    }
}

/// The kind of a failed statement. A full disk is `Full`; a damaged file is `Corrupt`, like a damaged row.
pub(crate) fn of_statement(error: SqliteError) -> StoreError {
    of_shared(&Arc::new(error))
}

/// [`of_statement`] for a failure that several callers hear of.
pub(crate) fn of_shared(error: &Arc<SqliteError>) -> StoreError {
    let source = Arc::clone(error);
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::corrupt(source),
        _ => StoreError::unavailable(source),
    }
}

/// Whether somebody else holds the lock that `error` speaks of, so that waiting may help.
pub(crate) fn is_busy(error: &SqliteError) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// A column that holds what no version of this crate has written.
#[derive(Debug)]
pub(crate) struct BadColumn {
    pub(crate) name: &'static str,
    pub(crate) source: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for BadColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column `{}`: {}", self.name, self.source)
    }
}

impl Error for BadColumn {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
