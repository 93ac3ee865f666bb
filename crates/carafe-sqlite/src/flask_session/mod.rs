//! Sessions in the table that Flask-Session 0.8 keeps with SQLAlchemy in an SQLite file, shared with it.
//!
//! What stands in `data`, and what this layout lacks, is `carafe_core::flask::stored`. Flask-Session makes file and
//! table; the file keeps the journal that it has. Changes run in transactions on the newest state, and none brings
//! back what is gone, so Carafe adds nothing to Flask-Session's races; Flask's own late writes it cannot stop.
//!
//! Next: `rows`, the statements; `walk`, going through all rows.

mod rows;
mod walk;

use std::{fmt, path::Path, sync::Arc};

use carafe_core::{
    clock::Timestamp,
    flask::stored::FlaskSession,
    session::Patch,
    store::{
        BoxFuture, Created, ExpiredSweep, Layout, Patched, Record, SessionStore, StoreError,
        StoreKey,
    },
};

use crate::{OpenError, SqliteOptions, SqliteStore};
use rows::Rows;

/// Sessions in the table of Flask-Session 0.8, in an SQLite file.
///
/// ```no_run
/// use carafe_core::{flask::stored::FlaskSession, session::ServerSide};
/// use carafe_sqlite::{FlaskSessionStore, SqliteOptions};
///
/// // app.config: SESSION_TYPE = "sqlalchemy", SQLALCHEMY_DATABASE_URI = "sqlite:////srv/shop/app.db"
/// let (layout, options) = (FlaskSession::default(), SqliteOptions::default());
/// let store = FlaskSessionStore::open("/srv/shop/app.db", "sessions", layout, options)?;
/// let side = ServerSide::new(store);
/// # Ok::<(), carafe_sqlite::OpenError>(())
/// ```
///
/// The table's `session_id` holds the session ids: whoever can read it can be any user. Renewing an id ends the old
/// one at once, the sessions of a user cannot be listed, and only ids of 32 bytes (`SESSION_ID_LENGTH`'s default)
/// are known.
///
/// Give the file a write-ahead log (`PRAGMA journal_mode = WAL`, once). Without it a read waits, on the caller's
/// thread and up to [`SqliteOptions::deadline`], while Flask or Carafe commits.
pub struct FlaskSessionStore {
    sqlite: SqliteStore,
    /// Shared with the jobs of the writer thread.
    rows: Arc<Rows>,
}

impl FlaskSessionStore {
    /// Opens a file in which Flask-Session has made `table` (`SESSION_SQLALCHEMY_TABLE`, `sessions` by default).
    ///
    /// # Errors
    /// [`OpenError::File`] and [`OpenError::Sqlite`] for a file that cannot be used, or without that table.
    pub fn open(
        path: impl AsRef<Path>,
        table: &str,
        layout: FlaskSession,
        options: SqliteOptions,
    ) -> Result<Self, OpenError> {
        let sqlite = SqliteStore::open_as_guest(path.as_ref(), options)?;
        let rows = Arc::new(Rows::new(table, layout));
        rows.check(path.as_ref())?;
        Ok(Self { sqlite, rows })
    }

    /// Commits what has queued up and closes the file; as [`SqliteStore::close`].
    pub fn close(&self) {
        self.sqlite.close();
    }
}

impl fmt::Debug for FlaskSessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FlaskSessionStore")
    }
}

impl SessionStore for FlaskSessionStore {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        let (rows, key, record) = (Arc::clone(&self.rows), *key, record.clone());
        Box::pin(self.sqlite.write(move |db| rows.create(db, &key, &record)))
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        let (rows, key) = (Arc::clone(&self.rows), *key);
        Box::pin(self.sqlite.read(move |db| rows.find(db, &key, now)))
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        let (rows, key, base, patch) = (Arc::clone(&self.rows), *key, base.clone(), patch.clone());
        Box::pin(
            self.sqlite
                .write(move |db| rows.patch(db, &key, &base, &patch, now)),
        )
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        _: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        let (rows, from, to) = (Arc::clone(&self.rows), *from, *to);
        let (base, patch) = (base.clone(), patch.clone());
        Box::pin(
            self.sqlite
                .write(move |db| rows.rotate(db, (&from, &to), &base, &patch, now)),
        )
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (rows, key) = (Arc::clone(&self.rows), *key);
        Box::pin(
            self.sqlite
                .write(move |db| rows.touch(db, &key, expires, now)),
        )
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (rows, key) = (Arc::clone(&self.rows), *key);
        Box::pin(self.sqlite.write(move |db| rows.delete(db, &key)))
    }

    fn layout(&self) -> Layout {
        FlaskSession::LAYOUT
    }

    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        Some(self)
    }
}

/// Flask-Session has made no index on `expiry`: each sweep looks at every row.
impl ExpiredSweep for FlaskSessionStore {
    fn claim<'a>(&'a self, _: Timestamp, _: Timestamp) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async { Ok(true) })
    }

    fn sweep<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        let rows = Arc::clone(&self.rows);
        Box::pin(self.sqlite.write(move |db| rows.sweep(db, limit, now)))
    }
}
