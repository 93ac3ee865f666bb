//! Connections: the file, who may read it, and SQLite's settings. Next: `reader` and `writer`, who use them.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{Durability, OpenError, schema};

/// While a store opens, another process may be making the tables or repairing the log.
const WHILE_OPENING: Duration = Duration::from_secs(5);
/// Readers meet a lock only while another process repairs the log after a crash.
const WHILE_READING: Duration = Duration::from_millis(250);

/// `temp_store`: what a savepoint sets aside never becomes a file. `trusted_schema`: nothing that somebody
/// has written into the file runs with our rights. No `mmap_size`: an error of the disk would be a signal
/// that ends the process.
const SETTINGS: &str =
    "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -8192;";

/// Statements that a connection keeps prepared: more than there are.
const STATEMENTS: usize = 64;

/// Makes the file, unless it is there, and the tables in it.
pub(crate) fn migrate(path: &Path) -> Result<(), OpenError> {
    make_private(path).map_err(|error| OpenError::File(path.to_owned(), error))?;
    let mut db = open(&resolve(path)?, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::migrate(&mut db)
}

/// The connection that writes. Opened first: it repairs what a crash has left and turns the log on.
pub(crate) fn writer(path: &Path, durability: Durability) -> Result<Connection, OpenError> {
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if db.is_readonly("main")? {
        // SQLite is content with reading where it may not write.
        return Err(OpenError::File(
            path.to_owned(),
            io::ErrorKind::PermissionDenied.into(),
        ));
    }
    schema::check(&db)?;
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::NoWal);
    }
    db.execute_batch(match durability {
        Durability::Full => "PRAGMA synchronous = FULL",
        Durability::Normal => "PRAGMA synchronous = NORMAL",
    })?;
    // A burst does not leave a large log behind for ever.
    db.query_row("PRAGMA journal_size_limit = 67108864", [], |_| Ok(()))?;
    // The first look through the log opens it: a directory without room for it shows now, and this
    // connection removes the log in the end even if nothing was written.
    schema::check(&db)?;
    // The writer waits on its own, because SQLite does not know the deadlines: `batch`.
    db.busy_timeout(Duration::ZERO)?;
    Ok(db)
}

/// A connection that cannot write.
pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    db.busy_timeout(WHILE_READING)?;
    Ok(db)
}

/// A database that is gone with its connection.
pub(crate) fn memory() -> Result<Connection, OpenError> {
    let mut db = Connection::open_in_memory()?;
    prepare(&db)?;
    schema::migrate(&mut db)?;
    Ok(db)
}

/// An absolute path: a relative one would move with the process, and SQLite takes `file:…` for a URI.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, OpenError> {
    fs::canonicalize(path).map_err(|error| OpenError::File(path.to_owned(), error))
}

fn open(path: &Path, access: OpenFlags) -> Result<Connection, OpenError> {
    // No mutex of SQLite's: each connection has one owner at a time, a thread or a lock's holder.
    let db = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(WHILE_OPENING)?;
    prepare(&db)?;
    Ok(db)
}

fn prepare(db: &Connection) -> Result<(), OpenError> {
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // Plans that do not depend on the values bound. Without this, SQLite makes most plans anew for each
    // call, as rusqlite clears the bindings in between: 25 µs instead of 2.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(db.execute_batch(SETTINGS)?)
}

/// An empty file that only its owner may read; SQLite gives its log the same permissions. One that is
/// there keeps what its owner has decided.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}
