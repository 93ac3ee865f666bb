//! A store: a pool, a table and deadlines.

use std::{fmt, future::Future, panic::AssertUnwindSafe, str::FromStr, time::Duration};

use carafe_core::store::{Deadlines, Record, StoreError};
use futures_util::FutureExt as _;
use sqlx::{Connection, Pool, pool::PoolOptions};
use tokio::time::sleep;

use crate::{
    deadline::within,
    dialect::Dialect,
    failure::Failure,
    lease::Lease,
    statements::Statements,
    table::{self, InvalidTable},
};

/// How many connections a pool of our own has.
const CONNECTIONS: u32 = 16;
/// A connection that has rested this long is tried before it is used: no server restarts much faster.
const RESTED: Duration = Duration::from_secs(1);
/// How long the first connection of a program may take.
const START: Duration = Duration::from_secs(10);
/// Before each further try. Who has lost a deadlock has to let the winner finish.
const PAUSES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(10),
    Duration::from_millis(40),
];
const MEBIBYTE: usize = 1 << 20;
/// An index of either database can hold this.
const LONGEST_USER: usize = 255;

/// Sessions in one table of an SQL database.
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
    largest: usize,
}

impl<D: Dialect> SqlStore<D> {
    /// Makes a pool of 16 connections to the database at `url`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the URL is not one, or the database lets nobody in;
    /// [`StoreError::Timeout`] if it does not answer within 10 seconds.
    pub async fn connect(url: &str) -> Result<Self, StoreError>
    where
        <D::Connection as Connection>::Options: FromStr<Err = sqlx::Error>,
    {
        let options = PoolOptions::<D>::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(START)
            // Instead of a ping before every statement, one after a rest.
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > RESTED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            });
        let failed = |error| StoreError::from(Failure::Sql(error));
        Ok(Self::new(options.connect(url).await.map_err(failed)?))
    }

    /// Uses a pool of yours. sqlx tests its connections before each use unless you turn
    /// `test_before_acquire` off, which is a second round trip for every statement.
    #[must_use]
    pub fn new(pool: Pool<D>) -> Self {
        Self {
            pool,
            table: table::DEFAULT.to_owned(),
            statements: Statements::about::<D>(table::DEFAULT),
            deadlines: Deadlines::default(),
            largest: MEBIBYTE,
        }
    }

    /// Uses the table `name` instead of `carafe_sessions`.
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

    /// Waits no longer than this.
    #[must_use]
    pub fn deadlines(self, deadlines: Deadlines) -> Self {
        Self { deadlines, ..self }
    }

    /// Refuses records of more than so many bytes; 1 MiB unless you say otherwise (RUSTSEC-2024-0363: no
    /// driver should meet a value that its lengths cannot say).
    #[must_use]
    pub fn largest_record(self, bytes: usize) -> Self {
        Self {
            largest: bytes,
            ..self
        }
    }

    /// The pool, for whatever else you keep in this database.
    #[must_use]
    pub fn pool(&self) -> &Pool<D> {
        &self.pool
    }

    /// Whether a record is one that we keep, before the database sees it.
    pub(crate) fn check(&self, record: &Record, json: &str) -> Result<(), StoreError> {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let size = json.len() + length(&record.device);
        if size > self.largest.min(i32::MAX as usize) {
            return Err(StoreError::TooLarge {
                size,
                limit: self.largest,
            });
        }
        if length(&record.user) > LONGEST_USER {
            let text = format!("the name of a user is longer than {LONGEST_USER} bytes");
            return Err(StoreError::unavailable(text));
        }
        Ok(())
    }

    /// Does `verb` with a connection, within the deadline for reading. One that has no harm in it: it may be
    /// done again on another connection.
    pub(crate) async fn read<T, F>(&self, verb: impl Fn(Lease<D>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let again = |failure: &Failure| failure.is_undone() || failure.is_connection();
        self.tried(self.deadlines.read, verb, again).await
    }

    /// Does `verb` with a connection, within the deadline for writing; again only if nothing has happened.
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
            let mut result = unpanicked(verb(lease)).await;
            for pause in PAUSES {
                match result {
                    Err(failure) if again(&failure) => sleep(pause).await,
                    done => return done,
                }
                result = unpanicked(verb(self.lease().await?)).await;
            }
            result
        };
        Ok(within(budget, work).await?)
    }

    pub(crate) async fn lease(&self) -> Result<Lease<D>, Failure> {
        unpanicked(Lease::of(&self.pool, self.deadlines.connect)).await
    }
}

/// sqlx panics where a reply is shorter than it says. The connection goes with the lease, as after every error.
async fn unpanicked<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
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
