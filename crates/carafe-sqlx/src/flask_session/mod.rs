//! A store on the SQLAlchemy table of Flask-Session 0.8, shared with Flask.
//!
//! The encoding of `data` and the limits of this layout are described in
//! `carafe_core::flask::stored`. Flask-Session creates the table; Carafe never does. Every write is
//! conditional on the state that it expects, and no write restores a deleted row, so Carafe adds no
//! race to those of Flask-Session. Carafe cannot prevent late writes by Flask.
//!
//! | module | contents |
//! |---|---|
//! | `verbs` | the operations |
//! | `walk` | iteration over all rows |
//! | `statements` | all SQL; `dialect` holds the differences between databases |

mod dialect;
mod statements;
mod verbs;
mod walk;

use std::fmt;

use carafe_core::{
    clock::Timestamp,
    flask::stored::FlaskSession,
    session::{Access, Patch},
    store::{
        BoxFuture, Capabilities, Created, ExpiredSweep, KeyState, Patched, Powers, Record,
        Rotation, SessionStore, StoreError, StoreKey,
    },
};

use crate::{
    store::SqlStore,
    table::{self, InvalidTable},
};
use dialect::FlaskDialect;
use statements::Statements;

/// Flask-Session's default for `SESSION_SQLALCHEMY_TABLE`.
const TABLE: &str = "sessions";

/// Sessions in the table of Flask-Session 0.8.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use carafe::ServerSide;
/// use carafe_sqlx::{FlaskSession, PostgresStore};
///
/// // app.config: SESSION_TYPE = "sqlalchemy", SESSION_SQLALCHEMY_TABLE = "flask_sessions"
/// let sql = PostgresStore::connect("postgres://app@localhost/shop").await?;
/// let store = sql.flask_session(FlaskSession::default()).table("flask_sessions")?;
/// let side = ServerSide::new(store);
/// # Ok(()) }
/// ```
///
/// The table's `session_id` column holds the session ids: read access to it allows impersonating
/// any user. Renewing an id revokes the old one immediately, and a user's sessions cannot be
/// listed. Ids of any `SESSION_ID_LENGTH` up to 143, and UUIDs, are accepted and kept; new ids have
/// 32 bytes. The connection determines the schema (`SESSION_SQLALCHEMY_SCHEMA`), in Postgres with
/// `search_path`.
pub struct FlaskSessionStore<D: FlaskDialect> {
    sql: SqlStore<D>,
    layout: FlaskSession,
    table: String,
    statements: Statements,
    largest: usize,
}

impl<D: FlaskDialect> SqlStore<D> {
    /// Returns a store on Flask-Session's table `sessions` in the same database.
    #[must_use]
    pub fn flask_session(self, layout: FlaskSession) -> FlaskSessionStore<D> {
        FlaskSessionStore {
            sql: self,
            layout,
            table: TABLE.to_owned(),
            statements: Statements::about::<D>(TABLE),
            largest: D::LARGEST_RECORD,
        }
    }
}

impl<D: FlaskDialect> FlaskSessionStore<D> {
    /// Sets the table name, as in `SESSION_SQLALCHEMY_TABLE`.
    ///
    /// # Errors
    ///
    /// [`InvalidTable`] unless the name consists of `a-z`, `0-9` and `_` and has at most 48
    /// characters.
    pub fn table(self, name: &str) -> Result<Self, InvalidTable> {
        let name = table::checked(name)?;
        Ok(Self {
            table: name.to_owned(),
            statements: Statements::about::<D>(name),
            ..self
        })
    }

    /// Sets the maximum size of a value in bytes.
    ///
    /// The default is 1 MiB; in MySQL it is 65,535, the capacity of its `BLOB`. Set it if the
    /// column was created with a larger type.
    #[must_use]
    pub fn largest_record(self, bytes: usize) -> Self {
        Self {
            largest: bytes,
            ..self
        }
    }

    fn check(&self, value: &[u8]) -> Result<(), StoreError> {
        let (size, limit) = (value.len(), self.largest.min(i32::MAX as usize));
        match size > limit {
            true => Err(StoreError::TooLarge { size, limit }),
            false => Ok(()),
        }
    }
}

impl<D: FlaskDialect> fmt::Debug for FlaskSessionStore<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FlaskSessionStore({}, {})", D::NAME, self.table)
    }
}

impl<D: FlaskDialect> SessionStore for FlaskSessionStore<D> {
    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        _: Timestamp,
    ) -> Result<Created, StoreError> {
        let value = self.layout.beginning(key, record)?;
        self.check(&value)?;
        self.sql
            .write(|lease| self.write_new(lease, key, &value, record.meta.expires))
            .await
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        let found = self
            .sql
            .read(|lease| self.read_record(lease, key, now))
            .await?;
        Ok(found.into())
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        self.sql
            .write(move |lease| self.apply_patch(lease, key, base, patch, now))
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
        self.sql
            .write(move |lease| self.move_record(lease, from, to, base, patch, now))
            .await
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        self.sql
            .write(move |lease| self.extend_expiry(lease, key, access))
            .await
    }

    async fn delete(&self, key: &StoreKey, _: Timestamp) -> Result<bool, StoreError> {
        self.sql
            .write(move |lease| self.remove_record(lease, key))
            .await
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
impl<D: FlaskDialect> ExpiredSweep for FlaskSessionStore<D> {
    async fn acquire_sweep_lease(&self, _: Timestamp, _: Timestamp) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn sweep(&self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        let swept = self
            .sql
            .write(|lease| self.remove_expired(lease, limit as u64, now))
            .await?;
        // At most `limit` rows, so the count fits into a usize.
        Ok(usize::try_from(swept).unwrap_or(limit))
    }
}
