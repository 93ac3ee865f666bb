//! The store: opening, running, closing. It joins the readers and the writer and decides nothing else.
//! Next: `contract`, which makes it a `SessionStore`.

use std::{fmt, path::Path};

use carafe_core::store::StoreError;
use rusqlite::Connection;

use crate::{OpenError, SqliteOptions, connect, reader::Readers, url::Place, writer::Writer};

/// Sessions in an SQLite file, or in memory for tests. See the [crate's page](crate).
pub struct SqliteStore {
    /// None for a database in memory, which has one connection: the writer's, which then reads as well.
    readers: Option<Readers>,
    writer: Writer,
}

impl SqliteStore {
    /// Makes the file, readable for its owner only, and the tables in it; leaves tables of this version
    /// as they are. A step of a deployment: nothing else in this crate does it unasked.
    ///
    /// # Errors
    /// [`OpenError::Schema`] for tables of a newer version, [`OpenError::Foreign`] for a file with other
    /// tables, [`OpenError::File`] and [`OpenError::Sqlite`] for a file that cannot be used.
    pub fn migrate(path: impl AsRef<Path>) -> Result<(), OpenError> {
        connect::migrate(path.as_ref())
    }

    /// Opens a file that has the tables.
    ///
    /// # Errors
    /// [`OpenError::Schema`] if the tables are not there or of another version, [`OpenError::NoWal`] on a
    /// network drive, [`OpenError::File`] and [`OpenError::Sqlite`] for a file that cannot be used.
    pub fn open(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self, OpenError> {
        Self::open_file(path.as_ref(), options)
    }

    /// Sessions that are gone with the store: for tests. Reads and writes take turns.
    ///
    /// # Errors
    /// [`OpenError::Sqlite`] if there is no memory, [`OpenError::File`] if there is no thread.
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
    /// [`OpenError::Url`] for any other text; as [`SqliteStore::open`].
    pub fn from_url(url: &str, options: SqliteOptions) -> Result<Self, OpenError> {
        match Place::parse(url)? {
            Place::File(path) => Self::open_file(&path, options),
            Place::Memory => Self::open_memory(options),
        }
    }

    /// Commits what has queued up, ends the writer thread and closes the file. Blocks until that is done;
    /// dropping the store does the same. Every verb gives `StoreError::Unavailable` afterwards.
    pub fn close(&self) {
        // Readers first: the last connection tidies the log up, and a reader's may not.
        if let Some(readers) = &self.readers {
            readers.close();
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
        let path = &connect::resolve(path)?;
        let db = connect::writer(path, options.durability)?;
        let wait = connect::WHILE_READING;
        Ok(Self {
            readers: Some(Readers::open(path, options.readers, wait)?),
            writer: start(db, options)?,
        })
    }

    /// A file of somebody else's, with tables that are not ours.
    #[cfg(feature = "flask-session")]
    pub(crate) fn open_as_guest(path: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let path = &connect::resolve(path)?;
        // Without a write-ahead log, whoever commits keeps readers out, and the other way round.
        let wait = options.deadline;
        let db = connect::guest(path, options.durability, wait)?;
        Ok(Self {
            readers: Some(Readers::open(path, options.readers, wait)?),
            writer: start(db, options)?,
        })
    }

    fn open_memory(options: SqliteOptions) -> Result<Self, OpenError> {
        Ok(Self {
            readers: None,
            writer: start(connect::memory()?, options)?,
        })
    }
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
