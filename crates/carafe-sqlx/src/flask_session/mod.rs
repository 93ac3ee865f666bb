//! Sessions in the table that Flask-Session 0.8 keeps with SQLAlchemy, shared with it.
//!
//! What stands in `data`, and what this layout lacks, is `carafe_core::flask::stored`. Flask-Session makes the
//! table; nothing here does. Every write says what it expects to find, and none brings back what is gone, so
//! Carafe adds nothing to Flask-Session's races; Flask's own late writes it cannot stop.
//!
//! | file | holds |
//! |---|---|
//! | `verbs` | what each verb does |
//! | `walk` | going through all rows |
//! | `statements` | all SQL; `dialect` is what the databases do not agree on |

mod dialect;
mod statements;
mod verbs;
mod walk;

use std::fmt;

use carafe_core::{
    clock::Timestamp,
    flask::stored::FlaskSession,
    session::Patch,
    store::{
        BoxFuture, Created, ExpiredSweep, Layout, Patched, Record, SessionStore, StoreError,
        StoreKey,
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
/// use carafe_core::{flask::stored::FlaskSession, session::ServerSide};
/// use carafe_sqlx::PostgresStore;
///
/// // app.config: SESSION_TYPE = "sqlalchemy", SESSION_SQLALCHEMY_TABLE = "flask_sessions"
/// let sql = PostgresStore::connect("postgres://app@localhost/shop").await?;
/// let store = sql.flask_session(FlaskSession::default()).table("flask_sessions")?;
/// let side = ServerSide::new(store);
/// # Ok(()) }
/// ```
///
/// The table's `session_id` holds the session ids: whoever can read it can be any user. Renewing an id ends the old
/// one at once, the sessions of a user cannot be listed, and only ids of 32 bytes (`SESSION_ID_LENGTH`'s default)
/// are known. A schema other than the connection's own (`SESSION_SQLALCHEMY_SCHEMA`) is the connection's to choose,
/// in Postgres by `search_path`.
pub struct FlaskSessionStore<D: FlaskDialect> {
    sql: SqlStore<D>,
    layout: FlaskSession,
    table: String,
    statements: Statements,
    largest: usize,
}

impl<D: FlaskDialect> SqlStore<D> {
    /// The same database, in Flask-Session's table `sessions`.
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
    /// `SESSION_SQLALCHEMY_TABLE`.
    ///
    /// # Errors
    /// [`InvalidTable`] unless it is made of `a-z`, `0-9` and `_`, and not longer than 48.
    pub fn table(self, name: &str) -> Result<Self, InvalidTable> {
        let name = table::checked(name)?;
        Ok(Self {
            table: name.to_owned(),
            statements: Statements::about::<D>(name),
            ..self
        })
    }

    /// Refuses values of more than so many bytes: 1 MiB, and in MySQL what its `BLOB` holds, 65,535, unless the
    /// column was made larger and you say so here.
    #[must_use]
    pub fn largest_record(self, bytes: usize) -> Self {
        Self {
            largest: bytes,
            ..self
        }
    }

    fn check(&self, value: &[u8]) -> Result<(), StoreError> {
        let (size, largest) = (value.len(), self.largest.min(i32::MAX as usize));
        if size > largest {
            let text = format!("a record of {size} bytes, where {largest} are allowed");
            return Err(StoreError::unstorable(text));
        }
        Ok(())
    }
}

impl<D: FlaskDialect> fmt::Debug for FlaskSessionStore<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FlaskSessionStore({}, {})", D::NAME, self.table)
    }
}

impl<D: FlaskDialect> SessionStore for FlaskSessionStore<D> {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        Box::pin(async move {
            let value = self.layout.beginning(key, record)?;
            self.check(&value)?;
            self.sql
                .write(|lease| self.create_it(lease, key, &value, record.expires))
                .await
        })
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.sql.read(move |lease| self.load_it(lease, key, now)))
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        Box::pin(
            self.sql
                .write(move |lease| self.patch_it(lease, key, base, patch, now)),
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
        Box::pin(
            self.sql
                .write(move |lease| self.rotate_it(lease, from, to, base, patch, now)),
        )
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(
            self.sql
                .write(move |lease| self.touch_it(lease, key, expires, now)),
        )
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.sql.write(move |lease| self.delete_it(lease, key)))
    }

    fn layout(&self) -> Layout {
        FlaskSession::LAYOUT
    }

    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        Some(self)
    }
}

/// Flask-Session has made no index on `expiry`: each sweep looks at every row.
impl<D: FlaskDialect> ExpiredSweep for FlaskSessionStore<D> {
    fn claim<'a>(&'a self, _: Timestamp, _: Timestamp) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async { Ok(true) })
    }

    fn sweep<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        Box::pin(async move {
            let swept = self
                .sql
                .write(|lease| self.sweep_it(lease, limit as u64, now))
                .await?;
            // At most `limit` rows, so it is a usize.
            Ok(usize::try_from(swept).unwrap_or(limit))
        })
    }
}
