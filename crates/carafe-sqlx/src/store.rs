//! A store: a pool, a table and deadlines.

use std::{
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use carafe_core::{
    limits::{RECORD_BYTES, USER_BYTES},
    store::{Deadlines, Record, StoreError},
};
use futures_util::FutureExt as _;
use sqlx::Pool;
use tokio::{sync::Mutex, time::sleep};

use crate::{
    connect::{Connected, connect},
    deadline::within,
    dialect::Dialect,
    failure::Failure,
    lease::Lease,
    statements::Statements,
    table::{self, InvalidTable},
};

/// The delay before each retry. The loser of a deadlock must let the winner finish.
const PAUSES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(10),
    Duration::from_millis(40),
];

/// A session store in one table of an SQL database.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use carafe_sqlx::PostgresStore;
///
/// let store = PostgresStore::connect("postgres://app@localhost/shop").await?;
/// store.migrate().await?;
/// # Ok(()) }
/// ```
pub struct SqlStore<D: Dialect> {
    pub(crate) pool: Pool<D>,
    pub(crate) table: String,
    pub(crate) statements: Statements,
    pub(crate) deadlines: Deadlines,
    /// Whether statements are prepared; cleared when a pooler is detected late.
    ///
    /// Independent of other data, so relaxed ordering suffices.
    is_prepared: AtomicBool,
    /// Held by the task that probes for the cause of a missing connection.
    ///
    /// An async mutex, because it is held while connecting.
    turn: Mutex<()>,
    /// A description of the URL's credentials; `None` for a pool of the application.
    pub(crate) authentication: Option<&'static str>,
    largest: usize,
}

impl<D: Dialect> SqlStore<D> {
    /// Opens a pool of 16 connections to the database at `url`.
    ///
    /// See [`PostgresStore`] and [`MySqlStore`] for the parameters of the URL.
    ///
    /// [`PostgresStore`]: crate::PostgresStore
    /// [`MySqlStore`]: crate::MySqlStore
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the URL is invalid or has an unknown parameter, if the
    /// database refuses the connection, or if a server on another host does not prove its identity;
    /// [`StoreError::Timeout`] if the server does not reply within 10 seconds.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let Connected {
            pool,
            table,
            is_prepared,
            authentication,
        } = connect::<D>(url).await?;
        let store = Self {
            is_prepared: is_prepared.into(),
            authentication: Some(authentication),
            ..Self::new(pool)
        };
        match table {
            Some(name) => store.table(&name).map_err(StoreError::unavailable),
            None => Ok(store),
        }
    }

    /// Returns a store on an existing pool.
    ///
    /// sqlx pings a pool's connections before each use, which is a second round trip per statement,
    /// unless `test_before_acquire` is turned off.
    #[must_use]
    pub fn new(pool: Pool<D>) -> Self {
        Self {
            pool,
            table: table::DEFAULT.to_owned(),
            statements: Statements::about::<D>(table::DEFAULT),
            deadlines: Deadlines::default(),
            is_prepared: true.into(),
            turn: Mutex::default(),
            authentication: None,
            largest: RECORD_BYTES,
        }
    }

    /// Uses the table `name` instead of `carafe_sessions`.
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

    /// Sends each statement with its values inlined, in one round trip, instead of preparing it.
    ///
    /// Required for an application's pool behind a pooler in transaction mode, such as PgBouncer.
    /// Has no effect on MySQL, because its poolers keep prepared statements.
    #[must_use]
    pub fn without_prepared_statements(self) -> Self {
        Self {
            is_prepared: false.into(),
            ..self
        }
    }

    /// Sets the deadlines of the operations.
    #[must_use]
    pub fn deadlines(self, deadlines: Deadlines) -> Self {
        Self { deadlines, ..self }
    }

    /// Sets the maximum size of a record in bytes. Default: [`RECORD_BYTES`].
    ///
    /// The limit protects drivers from values that exceed their length fields (RUSTSEC-2024-0363).
    /// Raise it together with
    /// [`Limits::with_record_bytes`](carafe_core::limits::Limits::with_record_bytes), and in MySQL
    /// together with `max_allowed_packet`.
    #[must_use]
    pub fn largest_record(self, bytes: usize) -> Self {
        Self {
            largest: bytes,
            ..self
        }
    }

    /// Returns the pool, for other uses of the same database.
    #[must_use]
    pub fn pool(&self) -> &Pool<D> {
        &self.pool
    }

    /// Returns an error if a record must not be stored; checked before the record is sent.
    pub(crate) fn check(&self, record: &Record, json: &str) -> Result<(), StoreError> {
        let limit = self.largest.min(i32::MAX as usize);
        let device = record.meta.device.as_deref().unwrap_or_default();
        let size = json.len().max(device.len());
        if size > limit {
            return Err(StoreError::TooLarge { size, limit });
        }
        Self::check_user(record.meta.user.as_deref().unwrap_or_default())?;
        match device.contains('\0') {
            true => Err(StoreError::unstorable("the note of the device has a NUL")),
            false => Ok(()),
        }
    }

    /// Returns an error if one of the databases cannot store this user.
    pub(crate) fn check_user(user: &str) -> Result<(), StoreError> {
        if user.len() > USER_BYTES {
            let text = format!("the user has more than {USER_BYTES} bytes");
            return Err(StoreError::unstorable(text));
        }
        match user.contains('\0') {
            true => Err(StoreError::unstorable("the user has a NUL")),
            false => Ok(()),
        }
    }

    /// Runs a read-only `verb` with a connection, within the deadline for reading.
    ///
    /// May retry it on another connection.
    pub(crate) async fn read<T, F>(&self, verb: impl Fn(Lease<D>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let again = |failure: &Failure| failure.is_undone() || failure.is_connection();
        self.tried(self.deadlines.read, verb, again).await
    }

    /// Runs `verb` with a connection, within the deadline for writing.
    ///
    /// Retries it only if nothing was applied.
    pub(crate) async fn write<T, F>(&self, verb: impl Fn(Lease<D>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.tried(self.deadlines.write, verb, Failure::is_undone)
            .await
    }

    async fn tried<T, F>(
        &self,
        budget: Duration,
        verb: impl Fn(Lease<D>) -> F,
        again: impl Fn(&Failure) -> bool,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let lease = self.lease().await?;
        let work = async {
            let mut result = catch_panic(verb(lease)).await;
            for pause in PAUSES {
                match result {
                    Err(failure) if failure.is_pooled() => {
                        self.is_prepared.store(false, Ordering::Relaxed);
                    }
                    Err(failure) if again(&failure) => sleep(pause).await,
                    done => return done,
                }
                result = catch_panic(verb(self.lease().await?)).await;
            }
            result
        };
        Ok(within(budget, work).await?)
    }

    pub(crate) async fn lease(&self) -> Result<Lease<D>, Failure> {
        let is_prepared = self.is_prepared.load(Ordering::Relaxed);
        let deadline = self.deadlines.connect;
        catch_panic(Lease::of(&self.pool, &self.turn, deadline, is_prepared)).await
    }
}

/// Turns a panic of the driver into a protocol error.
///
/// sqlx panics if a reply is shorter than announced. The lease is dropped, which closes the
/// connection, as after every error.
async fn catch_panic<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let panicked = |_| sqlx::Error::Protocol("the driver panicked".to_owned());
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .map_err(panicked)?
}

impl<D: Dialect> fmt::Debug for SqlStore<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlStore({}, {})", D::NAME, self.table)
    }
}
