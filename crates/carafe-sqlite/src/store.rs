//! The store: opens, dispatches to the readers and the writer, and closes.
//!
//! See `contract` for the implementation of `SessionStore`.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use carafe_core::store::StoreError;
use rusqlite::Connection;

use crate::{
    OpenError, SqliteOptions, connect, long_reads::LongReads, reader::Readers, url::Place,
    writer::Writer,
};

/// A session store in an SQLite file, or in memory for tests. See the [crate documentation](crate).
pub struct SqliteStore {
    /// The path given by the caller, which may be a symbolic link; `None` in memory.
    pub(crate) given: Option<PathBuf>,
    /// `None` for a database in memory: its only connection, the writer's, also reads.
    readers: Option<Readers>,
    /// `None` for a database in memory, like `readers`.
    pub(crate) long_reads: Option<LongReads>,
    writer: Writer,
}

impl SqliteStore {
    /// Creates the file, readable only by its owner, and its tables.
    ///
    /// Tables of the current version stay as they are. Run this as a step of a deployment; unless
    /// [`SqliteOptions::migrate`] is set, nothing else in this crate creates tables.
    ///
    /// # Errors
    ///
    /// [`OpenError::Schema`] for tables of a newer version, [`OpenError::Foreign`] for a file with
    /// other tables, [`OpenError::Unsafe`] for a file that any user can write or replace,
    /// [`OpenError::File`] and [`OpenError::Sqlite`] for a file that cannot be used.
    pub fn migrate(path: impl AsRef<Path>) -> Result<(), OpenError> {
        connect::migrate(path.as_ref())
    }

    /// Opens a file that has the tables.
    ///
    /// # Errors
    ///
    /// [`OpenError::Schema`] if the tables are missing or of another version, [`OpenError::NoWal`]
    /// on a network file system, [`OpenError::Unsafe`] for a file that any user can write or
    /// replace, [`OpenError::File`] and [`OpenError::Sqlite`] for a file that cannot be used.
    pub fn open(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self, OpenError> {
        Self::open_file(path.as_ref(), options)
    }

    /// Opens a store in memory, for tests. Reads and writes are serialized.
    ///
    /// # Errors
    ///
    /// [`OpenError::Sqlite`] if memory is exhausted, [`OpenError::File`] if the writer thread
    /// cannot be started.
    pub fn in_memory(options: SqliteOptions) -> Result<Self, OpenError> {
        Self::open_memory(options)
    }

    /// Opens `sqlite:FILE`, `sqlite:///absolute/file` or `sqlite::memory:`.
    ///
    /// ```
    /// use carafe_sqlite::{SqliteOptions, SqliteStore};
    ///
    /// let store = SqliteStore::from_url("sqlite::memory:", SqliteOptions::default())?;
    /// # Ok::<(), carafe_sqlite::OpenError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`OpenError::Url`] for any other URL, and the errors of [`SqliteStore::open`].
    pub fn from_url(url: &str, options: SqliteOptions) -> Result<Self, OpenError> {
        match Place::parse(url)? {
            Place::File(path) => Self::open_file(&path, options),
            Place::Memory => Self::open_memory(options),
        }
    }

    /// Commits queued writes, stops the writer thread and closes the file.
    ///
    /// Blocks until the file is closed; dropping the store does the same. Later operations return
    /// `StoreError::Unavailable`.
    pub fn close(&self) {
        // Readers are closed first: the last connection removes the log, which a read-only one
        // cannot.
        if let Some(readers) = &self.readers {
            readers.close();
        }
        if let Some(long_reads) = &self.long_reads {
            long_reads.close();
        }
        self.writer.close();
    }

    /// Runs `read` on the newest committed state.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        mut read: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.readers {
            Some(readers) => readers.run(|db| read(db)),
            None => self.writer.run(read).await,
        }
    }

    /// Runs `read`, which may take long, on its own thread and the newest committed state.
    ///
    /// Dropping the future interrupts the read.
    pub(crate) async fn read_long<T: Send + 'static>(
        &self,
        read: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.long_reads {
            Some(long_reads) => long_reads.run(read).await,
            None => self.writer.run(read).await,
        }
    }

    /// Runs `change` in a transaction and waits until it is committed.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        change: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(change).await
    }

    fn open_file(path: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        if options.migrate {
            connect::migrate(path)?;
        }
        let given = Some(absolute(path)?);
        let path = &connect::resolve_safe(path)?;
        let db = connect::writer(path, options.durability)?;
        let wait = connect::WHILE_READING;
        Ok(Self {
            given,
            readers: Some(Readers::open(path, options.readers, wait)?),
            long_reads: Some(LongReads::new(path, wait)),
            writer: start(db, options)?,
        })
    }

    /// Opens a foreign file, which contains the tables of another application.
    #[cfg(feature = "flask-session")]
    pub(crate) fn open_as_guest(path: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let given = Some(absolute(path)?);
        let path = &connect::resolve_safe(path)?;
        // Without a write-ahead log, readers and a committing writer block each other.
        let wait = options.deadline;
        let db = connect::guest(path, options.durability, wait)?;
        Ok(Self {
            given,
            readers: Some(Readers::open(path, options.readers, wait)?),
            long_reads: Some(LongReads::new(path, wait)),
            writer: start(db, options)?,
        })
    }

    fn open_memory(options: SqliteOptions) -> Result<Self, OpenError> {
        Ok(Self {
            given: None,
            readers: None,
            long_reads: None,
            writer: start(connect::memory()?, options)?,
        })
    }
}

/// Makes the path given by the caller independent of the working directory.
fn absolute(path: &Path) -> Result<PathBuf, OpenError> {
    std::path::absolute(path).map_err(|error| OpenError::File(path.to_owned(), error))
}

fn start(db: Connection, options: SqliteOptions) -> Result<Writer, OpenError> {
    Writer::start(db, options).map_err(|error| OpenError::File("the writer thread".into(), error))
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteStore")
    }
}
