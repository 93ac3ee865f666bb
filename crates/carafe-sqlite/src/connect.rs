//! Opens connections: file permissions and SQLite settings. Used by `reader` and `writer`.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{Durability, OpenError, access, schema};

/// Busy timeout while a store opens: another process may be creating tables or recovering the log.
const WHILE_OPENING: Duration = Duration::from_secs(5);
/// Busy timeout of readers.
///
/// A reader of a Carafe file meets a lock only while another process recovers the log after a
/// crash.
pub(crate) const WHILE_READING: Duration = Duration::from_millis(250);

/// Settings of every connection.
///
/// `temp_store` keeps the statement journals of savepoints in memory. With `trusted_schema` off,
/// functions in a malicious schema do not run. `mmap_size` is unset, because an I/O error in mapped
/// memory kills the process with a signal.
const SETTINGS: &str =
    "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -8192;";

/// Capacity of the prepared statement cache; larger than the number of statements.
const STATEMENTS: usize = 64;

/// Creates the file, unless it exists, and its tables.
pub(crate) fn migrate(path: &Path) -> Result<(), OpenError> {
    make_private(path).map_err(|error| OpenError::File(path.to_owned(), error))?;
    access::check(path)?;
    let mut db = open(&resolve(path)?, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::migrate(&mut db)
}

/// Opens the connection that writes.
///
/// Must be opened first: it recovers the log after a crash and enables WAL mode.
pub(crate) fn writer(path: &Path, durability: Durability) -> Result<Connection, OpenError> {
    let db = writable(path)?;
    schema::check(&db)?;
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::NoWal);
    }
    synchronize(&db, durability)?;
    // Truncate the log after a burst of writes.
    db.query_row("PRAGMA journal_size_limit = 67108864", [], |_| Ok(()))?;
    // The first read of the log opens it. A missing permission to create the log is thus found
    // here, and this connection removes the log when it closes even if it has written nothing.
    schema::check(&db)?;
    // The writer retries on its own (`batch`), because SQLite does not know the deadlines.
    db.busy_timeout(Duration::ZERO)?;
    Ok(db)
}

/// Opens the connection that writes to a foreign file, without changing its journal mode.
///
/// Without a write-ahead log, a commit waits for readers.
#[cfg(feature = "flask-session")]
pub(crate) fn guest(
    path: &Path,
    durability: Durability,
    wait: Duration,
) -> Result<Connection, OpenError> {
    let db = writable(path)?;
    synchronize(&db, durability)?;
    db.busy_timeout(wait)?;
    Ok(db)
}

fn writable(path: &Path) -> Result<Connection, OpenError> {
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if db.is_readonly("main")? {
        // SQLite falls back to read-only access without an error.
        return Err(OpenError::File(
            path.to_owned(),
            io::ErrorKind::PermissionDenied.into(),
        ));
    }
    Ok(db)
}

fn synchronize(db: &Connection, durability: Durability) -> Result<(), OpenError> {
    Ok(db.execute_batch(match durability {
        Durability::Full => "PRAGMA synchronous = FULL",
        Durability::Normal => "PRAGMA synchronous = NORMAL",
    })?)
}

/// Opens a read-only connection with the given busy timeout.
pub(crate) fn reader(path: &Path, wait: Duration) -> Result<Connection, OpenError> {
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    db.busy_timeout(wait)?;
    Ok(db)
}

/// Opens a database in memory, which is dropped with its connection.
pub(crate) fn memory() -> Result<Connection, OpenError> {
    let mut db = Connection::open_in_memory()?;
    prepare(&db)?;
    schema::migrate(&mut db)?;
    Ok(db)
}

/// Resolves the path of a file after checking its permissions; see `access`.
pub(crate) fn resolve_safe(path: &Path) -> Result<PathBuf, OpenError> {
    let resolved = resolve(path)?;
    access::check(path)?;
    Ok(resolved)
}

/// Returns an absolute path.
///
/// A relative path would depend on the working directory, and SQLite parses `file:…` as a URI.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, OpenError> {
    fs::canonicalize(path).map_err(|error| OpenError::File(path.to_owned(), error))
}

fn open(path: &Path, access: OpenFlags) -> Result<Connection, OpenError> {
    // SQLite's mutex is unnecessary: each connection has one owner at a time, a thread or the
    // holder of a lock.
    let db = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(WHILE_OPENING)?;
    prepare(&db)?;
    Ok(db)
}

fn prepare(db: &Connection) -> Result<(), OpenError> {
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // Query plans that do not depend on bound values. Without this setting, SQLite re-prepares most
    // statements for each call, because rusqlite clears the bindings in between: 25 µs instead of
    // 2.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(db.execute_batch(SETTINGS)?)
}

/// Creates an empty file that only its owner can read; SQLite gives the log the same permissions.
///
/// An existing file keeps its permissions.
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
