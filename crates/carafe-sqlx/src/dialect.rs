//! The differences between the databases, and the sqlx calls that need the concrete database type.
//!
//! A reply to another call must never be taken for "not found" or "done": a pooler may swap two
//! connections, or a reply may arrive one call late. Neither protocol detects this, so each call
//! has a number ([`number`]). A query for a key returns the number with its result, in one row
//! that is always present; in Postgres, a data-modifying statement returns it with its row count.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use carafe_core::store::{BoxFuture, StoreUrl, TlsMode};
use sqlx::{AssertSqlSafe, Database, Error, SqlStr};

use crate::{
    connect_error::ConnectError,
    lease::Lease,
    pool::Options,
    row::{Columns, Keys},
    value::Value,
};

/// A supported SQL database.
///
/// Cannot be implemented outside this crate, because the module is private.
pub trait Dialect: Database {
    /// The tables and indices, for the default table name.
    #[doc(hidden)]
    const SCHEMA: &'static str;
    /// Upgrades the tables from version 1 to version 2.
    #[doc(hidden)]
    const UPGRADE: &'static str;
    /// Makes room in a column of a table of version 2; empty if every table has it.
    #[doc(hidden)]
    const WIDEN: &'static str;
    /// Acquires an exclusive lock for migrations, held until [`Dialect::UNLOCK`].
    #[doc(hidden)]
    const LOCK: &'static str;
    #[doc(hidden)]
    const UNLOCK: &'static str;
    /// Begins a transaction in which a locking read sees the newest state.
    #[doc(hidden)]
    const BEGIN: &'static str;
    /// A suffix for `INSERT` that ignores an existing key; empty if the database has none.
    #[doc(hidden)]
    const UNLESS_TAKEN: &'static str;
    /// Deletes the first `$2` rows that are expired at `$1`.
    #[doc(hidden)]
    const SWEEP: &'static str;
    /// The condition that a row follows the public id `$4` of the second `$2`.
    ///
    /// `$3` is the same as `$2`. The condition has a form that this database plans as one index
    /// range.
    #[doc(hidden)]
    const BEHIND: &'static str;
    /// `$5`, the number of rows of a page of all sessions, in a form that makes the planner read in
    /// the order of the page.
    #[doc(hidden)]
    const PAGE: &'static str;
    /// The condition that a row is a session of the user `$1`, follows the public id `$5` of the
    /// second `$3` and expires after `$6`; and at most `$7` of these rows, newest id first.
    ///
    /// `$2` is the same as `$1`, and `$4` is the same as `$3`.
    #[doc(hidden)]
    const BEHIND_OF_USER: &'static str;
    /// The condition that a row is a session of the user `$1` and expires after `$3`; and at
    /// most `$4` of these rows, oldest id first.
    ///
    /// `$2` is the same as `$1`.
    #[doc(hidden)]
    const OLDEST_OF_USER: &'static str;
    /// Turns at most `$3` sessions created up to `$2` into markers that expire at `$1`.
    ///
    /// `$4` is the same as `$2`.
    #[doc(hidden)]
    const RETIRE_BEGUN: &'static str;
    /// Turns at most `$5` sessions of the user `$2` into markers that expire at `$1`, newest id
    /// first.
    ///
    /// Skips the session with the public id `$4`. `$3` and `$6` are the same as `$2`.
    #[doc(hidden)]
    const RETIRE_OF_USER: &'static str;
    /// Like `RETIRE_OF_USER`, for at most `$6` sessions that expire after `$5`, oldest id first.
    ///
    /// `$7` is the same as `$2`.
    #[doc(hidden)]
    const RETIRE_OLDEST_OF_USER: &'static str;
    /// `$1`, the first key of a scan, in a form that makes the planner read in key order.
    #[doc(hidden)]
    const START: &'static str;
    /// The largest `store_key` of several.
    #[doc(hidden)]
    const LARGEST: &'static str;
    /// The usable indices of the table `$1`, each name twice.
    #[doc(hidden)]
    const INDICES: &'static str;
    /// The name and the kind of the table `$1`.
    #[doc(hidden)]
    const KIND: &'static str;
    /// The server settings that matter, the version first.
    #[doc(hidden)]
    const SETTINGS: &'static [&'static str];
    /// Selects the names and values of the settings.
    #[doc(hidden)]
    const ASK_SETTINGS: &'static str;

    /// The URL schemes of this database.
    #[doc(hidden)]
    const SCHEMES: &'static [&'static str];
    /// The URL parameters that are allowed: Carafe's and the driver's.
    #[doc(hidden)]
    const PARAMETERS: &'static [&'static str];
    /// The options for a server with an unverifiable certificate, for error messages.
    #[doc(hidden)]
    const TLS_OPTIONS: &'static str;
    /// The name and the cipher of the connection's TLS; the cipher is empty without TLS.
    #[doc(hidden)]
    const ASK_TLS: &'static str;
    /// Parses the driver's options from a URL and applies [`TlsMode::for_host`].
    ///
    /// The URL's parameters must be checked.
    #[doc(hidden)]
    fn options(url: &StoreUrl, unverified: bool) -> Result<Options<Self>, ConnectError>;

    /// Returns the TLS mode of the options; `None` for a Unix socket.
    #[doc(hidden)]
    fn tls_mode(options: &Options<Self>) -> Option<TlsMode>;

    /// Returns whether a pooler shares the server process behind `connection` with other clients.
    ///
    /// The connection was opened after `since`.
    #[doc(hidden)]
    fn is_pooled<'c>(
        _connection: &'c mut Self::Connection,
        _options: &'c Options<Self>,
        _since: Instant,
    ) -> BoxFuture<'c, Result<bool, Error>> {
        Box::pin(async { Ok(false) })
    }

    /// Returns the statement with its values inlined, for a lease without prepared statements.
    #[doc(hidden)]
    fn inlined(
        _lease: &Lease<Self>,
        _sql: &SqlStr,
        _values: &[Value<'_>],
    ) -> Option<AssertSqlSafe<String>> {
        None
    }

    /// Returns the problem with the value of a setting, if any.
    ///
    /// The setting "kind" is the kind of a table.
    #[doc(hidden)]
    fn objection(setting: &str, value: &str) -> Option<&'static str>;

    /// Replaces `$n` with this database's placeholders.
    #[doc(hidden)]
    fn placeholders(sql: String) -> String;

    /// `$1`, the number of a call, as the first column of its reply.
    #[doc(hidden)]
    const CALL: &'static str;

    /// Joins `r`, the table's row that satisfies `condition`, and locks it.
    #[doc(hidden)]
    fn locked(condition: &str) -> String;

    /// Wraps `statement` so that [`Dialect::changed`] can verify its reply, if supported.
    #[doc(hidden)]
    fn counted(statement: String) -> String {
        statement
    }

    /// Runs a [`Dialect::counted`] statement and returns the number of affected rows.
    #[doc(hidden)]
    fn changed<'c>(
        lease: &'c mut Lease<Self>,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<u64, Error>> {
        Self::execute(lease, sql, values)
    }

    /// Runs a statement and returns the number of affected rows, without verifying the reply.
    ///
    /// Only for statements where a wrong number is harmless.
    #[doc(hidden)]
    fn execute<'c>(
        lease: &'c mut Lease<Self>,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<u64, Error>>;

    /// Runs a query that begins with `Dialect::CALL` and returns its row.
    #[doc(hidden)]
    fn asked<'c>(
        lease: &'c mut Lease<Self>,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<Option<Columns>, Error>>;

    /// Returns the rows of a query.
    #[doc(hidden)]
    fn rows<'c>(
        lease: &'c mut Lease<Self>,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<Vec<Columns>, Error>>;

    /// Runs a query that counts keys; returns the count and the last key.
    #[doc(hidden)]
    fn keys<'c>(
        lease: &'c mut Lease<Self>,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<Keys, Error>>;

    /// Returns the rows of a query for two text columns.
    #[doc(hidden)]
    fn pairs<'c>(
        lease: &'c mut Lease<Self>,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<Vec<(String, String)>, Error>>;

    /// Runs a query for a row of Flask-Session's table that begins with `Dialect::CALL`.
    #[cfg(feature = "flask-session")]
    #[doc(hidden)]
    fn asked_stored<'c>(
        lease: &'c mut Lease<Self>,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<Option<Stored>, Error>>;

    /// Returns the rows of a query for two byte columns and two numbers.
    #[cfg(feature = "flask-session")]
    #[doc(hidden)]
    fn stored<'c>(
        lease: &'c mut Lease<Self>,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<Vec<Stored>, Error>>;

    /// Runs several statements without values or results in one round trip.
    #[doc(hidden)]
    fn batch<'c>(lease: &'c mut Lease<Self>, sql: &'c SqlStr) -> BoxFuture<'c, Result<(), Error>>;
}

/// A row of Flask-Session's table.
#[cfg(feature = "flask-session")]
pub struct Stored {
    pub(crate) name: Vec<u8>,
    pub(crate) value: Vec<u8>,
    /// The first second in which the row is expired.
    pub(crate) expires: i64,
    pub(crate) number: i64,
}

/// Returns a number for a call that no other call of any process uses: a random start, incremented.
pub(crate) fn number() -> i64 {
    // Relaxed suffices: each value is returned once, in any order.
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one("a beginning")));
    NEXT.fetch_add(1, Ordering::Relaxed).cast_signed()
}

/// Returns the error for a reply to another call.
///
/// The connection must be closed; a read can be retried on another one.
pub(crate) fn foreign() -> Error {
    Error::Protocol("a reply that is not the one to this call".to_owned())
}

/// Implements the calls of a [`Dialect`] for a database.
///
/// The text is the same for each database, but the types differ. `$text` is the Rust type that a
/// text column is decoded to.
macro_rules! calls {
    ($text:ty) => {
        fn execute<'c>(
            lease: &'c mut Lease<Self>,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<u64, Error>> {
            Box::pin(async move {
                let done = match <Self as $crate::dialect::Dialect>::inlined(lease, sql, values) {
                    Some(text) => sqlx::raw_sql(text).execute(&mut **lease).await?,
                    None => {
                        let query = sqlx::query_with::<Self, _>(sql.clone(), arguments(values)?);
                        query.execute(&mut **lease).await?
                    }
                };
                Ok(done.rows_affected())
            })
        }

        fn asked<'c>(
            lease: &'c mut Lease<Self>,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Option<Columns>, Error>> {
            Box::pin(async move {
                let row = answer(lease, sql, values).await?;
                row.map(|row| columns(&row, 1)).transpose()
            })
        }

        fn rows<'c>(
            lease: &'c mut Lease<Self>,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Vec<Columns>, Error>> {
            Box::pin(async move {
                let rows = fetched(lease, sql, values).await?;
                rows.iter().map(|row| columns(row, 0)).collect()
            })
        }

        fn keys<'c>(
            lease: &'c mut Lease<Self>,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Keys, Error>> {
            Box::pin(async move {
                use sqlx::Row;
                let rows = fetched(lease, sql, values).await?;
                let row = rows.first().ok_or(Error::RowNotFound)?;
                Ok($crate::row::Keys {
                    count: row.try_get(0)?,
                    last: row.try_get(1)?,
                })
            })
        }

        fn pairs<'c>(
            lease: &'c mut Lease<Self>,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Vec<(String, String)>, Error>> {
            Box::pin(async move {
                use sqlx::Row;
                let rows = fetched(lease, sql, values).await?;
                let text = |row: &Self::Row, at| {
                    let bytes: Vec<u8> = row.try_get::<$text, usize>(at)?.into();
                    String::from_utf8(bytes).map_err(|error| Error::Decode(error.into()))
                };
                rows.iter()
                    .map(|row| Ok((text(row, 0)?, text(row, 1)?)))
                    .collect()
            })
        }

        #[cfg(feature = "flask-session")]
        fn asked_stored<'c>(
            lease: &'c mut Lease<Self>,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Option<$crate::dialect::Stored>, Error>> {
            Box::pin(async move {
                let row = answer(lease, sql, values).await?;
                row.map(|row| stored(&row, 1)).transpose()
            })
        }

        #[cfg(feature = "flask-session")]
        fn stored<'c>(
            lease: &'c mut Lease<Self>,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Vec<$crate::dialect::Stored>, Error>> {
            Box::pin(async move {
                let rows = fetched(lease, sql, values).await?;
                rows.iter().map(|row| stored(row, 0)).collect()
            })
        }

        fn batch<'c>(
            lease: &'c mut Lease<Self>,
            sql: &'c SqlStr,
        ) -> BoxFuture<'c, Result<(), Error>> {
            Box::pin(async move {
                sqlx::raw_sql(sql.clone()).execute(&mut **lease).await?;
                Ok(())
            })
        }
    };
}

/// The helpers that `calls` needs.
macro_rules! conversions {
    ($database:ty, $text:ty) => {
        fn arguments<'v>(
            values: impl IntoIterator<Item = &'v Value<'v>>,
        ) -> Result<<$database as sqlx::Database>::Arguments, Error> {
            use sqlx::Arguments;
            let mut arguments = <$database as sqlx::Database>::Arguments::default();
            for value in values {
                match *value {
                    Value::Bytes(bytes) => arguments.add(bytes),
                    Value::Text(text) => arguments.add(text),
                    Value::Number(number) => arguments.add(number),
                }
                .map_err(Error::Encode)?;
            }
            Ok(arguments)
        }

        /// Returns a stream of the rows of a statement.
        fn rows_of<'c>(
            lease: &'c mut Lease<$database>,
            sql: &SqlStr,
            values: &[Value<'_>],
        ) -> Result<
            futures_util::stream::BoxStream<'c, Result<<$database as sqlx::Database>::Row, Error>>,
            Error,
        > {
            Ok(match <$database as Dialect>::inlined(lease, sql, values) {
                Some(text) => sqlx::raw_sql(text).fetch(&mut **lease),
                None => {
                    let query = sqlx::query_with::<$database, _>(sql.clone(), arguments(values)?);
                    query.fetch(&mut **lease)
                }
            })
        }

        async fn fetched(
            lease: &mut Lease<$database>,
            sql: &SqlStr,
            values: &[Value<'_>],
        ) -> Result<Vec<<$database as sqlx::Database>::Row>, Error> {
            use futures_util::TryStreamExt;
            rows_of(lease, sql, values)?.try_collect().await
        }

        /// Returns the single row of the reply to the call `number`.
        async fn own(
            lease: &mut Lease<$database>,
            sql: &SqlStr,
            number: i64,
            values: &[Value<'_>],
        ) -> Result<<$database as sqlx::Database>::Row, Error> {
            use futures_util::TryStreamExt;
            use sqlx::Row;
            // Row by row, to stop reading if a server sends more rows.
            let (mut rows, mut own) = (rows_of(lease, sql, values)?, None);
            while let Some(row) = rows.try_next().await? {
                if own.is_some() || row.try_get::<i64, _>(0).ok() != Some(number) {
                    return Err($crate::dialect::foreign());
                }
                own = Some(row);
            }
            own.ok_or_else($crate::dialect::foreign)
        }

        /// Returns the row of a query; `None` if it only holds the number of the call.
        ///
        /// The last column of a query must be `NOT NULL` in the table.
        async fn answer(
            lease: &mut Lease<$database>,
            sql: &SqlStr,
            values: &[Value<'_>],
        ) -> Result<Option<<$database as sqlx::Database>::Row>, Error> {
            use sqlx::Row;
            let number = $crate::dialect::number();
            let values = [&[Value::Number(Some(number))], values].concat();
            let row = own(lease, sql, number, &values).await?;
            let last: Option<i64> = row.try_get(row.len() - 1)?;
            Ok(last.map(|_| row))
        }

        /// Reads the columns from `first` on.
        fn columns(
            row: &<$database as sqlx::Database>::Row,
            first: usize,
        ) -> Result<Columns, Error> {
            use sqlx::Row;
            let bytes = |text: $text| -> Vec<u8> { text.into() };
            Ok(Columns {
                key: row.try_get(first)?,
                target: row.try_get(first + 1)?,
                data: bytes(row.try_get(first + 2)?),
                user: row.try_get::<Option<$text>, _>(first + 3)?.map(bytes),
                public_id: row.try_get(first + 4)?,
                device: row.try_get::<Option<$text>, _>(first + 5)?.map(bytes),
                created: row.try_get(first + 6)?,
                renewed: row.try_get(first + 7)?,
                last_seen: row.try_get(first + 8)?,
                expires: row.try_get(first + 9)?,
                authenticated: row.try_get(first + 10)?,
                opaque: row.try_get::<Option<$text>, _>(first + 11)?.map(bytes),
                version: row.try_get(first + 12)?,
            })
        }

        #[cfg(feature = "flask-session")]
        fn stored(
            row: &<$database as sqlx::Database>::Row,
            first: usize,
        ) -> Result<$crate::dialect::Stored, Error> {
            use sqlx::Row;
            Ok($crate::dialect::Stored {
                name: row.try_get(first)?,
                value: row.try_get(first + 1)?,
                expires: row.try_get(first + 2)?,
                number: row.try_get(first + 3)?,
            })
        }
    };
}

pub(crate) use {calls, conversions};
