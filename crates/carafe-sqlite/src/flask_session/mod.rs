//! A store on the SQLAlchemy table of Flask-Session 0.8 in an SQLite file shared with Flask.
//!
//! The encoding of `data` and the limits of this layout are described in
//! `carafe_core::flask::stored`. Flask-Session creates the file and the table; the file keeps its
//! journal mode. Changes run in transactions on the newest state, and no change restores a deleted
//! row, so Carafe adds no race to those of Flask-Session. Carafe cannot prevent late writes by
//! Flask.
//!
//! `rows` contains the statements; `walk` iterates over all rows.

mod rows;
mod walk;

use std::{fmt, path::Path, sync::Arc};

use carafe_core::{
    clock::Timestamp,
    flask::stored::FlaskSession,
    session::{Access, Patch},
    store::{
        BoxFuture, Capabilities, Created, ExpiredSweep, KeyState, Patched, Powers, Record,
        Rotation, SessionStore, StoreError, StoreKey,
    },
};

use crate::{OpenError, SqliteOptions, SqliteStore};
use rows::Rows;

/// Sessions in the table of Flask-Session 0.8, in an SQLite file.
///
/// ```no_run
/// use carafe::ServerSide;
/// use carafe_sqlite::{FlaskSession, FlaskSessionStore, SqliteOptions};
///
/// // app.config: SESSION_TYPE = "sqlalchemy",
/// //     SQLALCHEMY_DATABASE_URI = "sqlite:////srv/shop/app.db"
/// let (layout, options) = (FlaskSession::default(), SqliteOptions::default());
/// let store = FlaskSessionStore::open("/srv/shop/app.db", "sessions", layout, options)?;
/// let side = ServerSide::new(store);
/// # Ok::<(), carafe_sqlite::OpenError>(())
/// ```
///
/// The table's `session_id` column holds the session ids: read access to it allows impersonating
/// any user. Renewing an id revokes the old one immediately, and a user's sessions cannot be
/// listed. Ids of any `SESSION_ID_LENGTH` up to 143, and UUIDs, are accepted and kept; new ids have
/// 32 bytes.
///
/// Enable the write-ahead log of the file (`PRAGMA journal_mode = WAL`, once). Without the log, a
/// read blocks the caller's thread for up to [`SqliteOptions::deadline`] while Flask or Carafe
/// commits.
pub struct FlaskSessionStore {
    sqlite: SqliteStore,
    /// Shared with the jobs of the writer thread.
    rows: Arc<Rows>,
}

impl FlaskSessionStore {
    /// Opens a file in which Flask-Session created `table`.
    ///
    /// The table's name is that of `SESSION_SQLALCHEMY_TABLE`, by default `sessions`.
    ///
    /// # Errors
    ///
    /// Returns [`OpenError::File`] or [`OpenError::Sqlite`] if the file cannot be used or lacks the
    /// table.
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

    /// Commits queued writes and closes the file, like [`SqliteStore::close`].
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
    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        _: Timestamp,
    ) -> Result<Created, StoreError> {
        let (rows, key, record) = (Arc::clone(&self.rows), *key, record.clone());
        self.sqlite
            .write(move |db| rows.create(db, &key, &record))
            .await
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        let (rows, key) = (Arc::clone(&self.rows), *key);
        self.sqlite
            .read(move |db| Ok(rows.find(db, &key, now)?.into()))
            .await
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let (rows, key, base, patch) = (Arc::clone(&self.rows), *key, base.clone(), patch.clone());
        self.sqlite
            .write(move |db| rows.patch(db, &key, &base, &patch, now))
            .await
    }

    async fn rotate(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        _: Rotation,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let (rows, from, to) = (Arc::clone(&self.rows), *from, *to);
        let (base, patch) = (base.clone(), patch.clone());
        self.sqlite
            .write(move |db| rows.rotate(db, (&from, &to), &base, &patch, now))
            .await
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        let (rows, key, access) = (Arc::clone(&self.rows), *key, *access);
        self.sqlite
            .write(move |db| rows.touch(db, &key, &access))
            .await
    }

    async fn delete(&self, key: &StoreKey, _: Timestamp) -> Result<bool, StoreError> {
        let (rows, key) = (Arc::clone(&self.rows), *key);
        self.sqlite.write(move |db| rows.delete(db, &key)).await
    }

    fn capabilities(&self) -> Capabilities {
        FlaskSession::LAYOUT
    }

    fn powers(&self) -> Powers<'_> {
        Powers::new().with_sweeper(self)
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        None
    }
}

/// Flask-Session creates no index on `expiry`, so each sweep reads every row.
impl ExpiredSweep for FlaskSessionStore {
    async fn acquire_sweep_lease(&self, _: Timestamp, _: Timestamp) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn sweep(&self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        let rows = Arc::clone(&self.rows);
        self.sqlite
            .write(move |db| rows.sweep(db, limit, now))
            .await
    }
}
