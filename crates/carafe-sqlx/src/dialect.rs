//! What differs between the databases, and the few calls for which sqlx needs to know which one it is.
//!
//! A reply that is not the one to this call must never pass for "nothing there" or "done": a pooler may mix up two
//! connections, a reply may come one too late. So each call has a number ([`number`]). A query about a key gives it back
//! beside what it has found, in one row that is always there; in Postgres a statement gives it back beside its count.
//! Neither protocol would notice.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use carafe_core::store::BoxFuture;
use sqlx::{Database, Error, SqlStr};

use crate::row::{Columns, Keys};

/// A database that sessions can be kept in.
///
/// Cannot be implemented outside this crate: the module is private.
pub trait Dialect: Database {
    /// The tables and indices, for the default name of the table.
    #[doc(hidden)]
    const SCHEMA: &'static str;
    /// One at a time may pass here until [`Dialect::UNLOCK`].
    #[doc(hidden)]
    const LOCK: &'static str;
    #[doc(hidden)]
    const UNLOCK: &'static str;
    /// Begins a transaction in which a locking read sees the newest state.
    #[doc(hidden)]
    const BEGIN: &'static str;
    /// What an `INSERT` ends in so that a key in use is no error, if there is such a thing.
    #[doc(hidden)]
    const UNLESS_TAKEN: &'static str;
    /// Deletes the first `$2` rows that have expired at `$1`.
    #[doc(hidden)]
    const SWEEP: &'static str;
    /// Whether a row comes behind the handle `$4` of the second `$2`, which is `$3`, too, in a form that this
    /// database's planner turns into one range of an index.
    #[doc(hidden)]
    const BEHIND: &'static str;
    /// Deletes sessions that began by `$1`, which is `$2`, too; at most `$3`.
    #[doc(hidden)]
    const DELETE_BEGUN: &'static str;
    /// `$1`, the key that a look begins at, in a form that keeps this database's planner to the order of the keys.
    #[doc(hidden)]
    const START: &'static str;
    /// The largest `store_key` of several.
    #[doc(hidden)]
    const LARGEST: &'static str;
    /// The indices of the table `$1` that can be used, each name twice.
    #[doc(hidden)]
    const INDICES: &'static str;
    /// The name and the kind of the table `$1`.
    #[doc(hidden)]
    const KIND: &'static str;
    /// The server's settings that matter, the version first.
    #[doc(hidden)]
    const SETTINGS: &'static [&'static str];
    /// Their names and values.
    #[doc(hidden)]
    const ASK_SETTINGS: &'static str;

    /// What is wrong with a setting of this value, or with a table of the kind that is called `kind`.
    #[doc(hidden)]
    fn objection(setting: &str, value: &str) -> Option<&'static str>;

    /// `sql` with this database's placeholders.
    #[doc(hidden)]
    fn placeholders(sql: String) -> String;

    /// `$1`, the number of a call, as the first column of its answer.
    #[doc(hidden)]
    const CALL: &'static str;

    /// Joins `r`, the row of the table of which this holds, and locks it.
    #[doc(hidden)]
    fn locked(condition: &str) -> String;

    /// `statement` so that [`Dialect::changed`] hears from its reply whose it is, if there is such a thing.
    #[doc(hidden)]
    fn counted(statement: String) -> String {
        statement
    }

    /// How many rows a [`Dialect::counted`] statement has touched.
    #[doc(hidden)]
    fn changed<'c>(
        connection: &'c mut Self::Connection,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<u64, Error>> {
        Self::execute(connection, sql, values)
    }

    /// How many rows a statement has touched, if the reply is its own: for where a wrong number does no harm.
    #[doc(hidden)]
    fn execute<'c>(
        connection: &'c mut Self::Connection,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<u64, Error>>;

    /// What a query has found that begins with `Dialect::CALL`.
    #[doc(hidden)]
    fn asked<'c>(
        connection: &'c mut Self::Connection,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<Option<Columns>, Error>>;

    /// The rows that a query gives.
    #[doc(hidden)]
    fn rows<'c>(
        connection: &'c mut Self::Connection,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<Vec<Columns>, Error>>;

    /// How many keys a query has met, and the last of them.
    #[doc(hidden)]
    fn keys<'c>(
        connection: &'c mut Self::Connection,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<Keys, Error>>;

    /// The rows of a query for two texts.
    #[doc(hidden)]
    fn pairs<'c>(
        connection: &'c mut Self::Connection,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<Vec<(String, String)>, Error>>;

    /// What a query for one of Flask-Session's rows has found that begins with `Dialect::CALL`.
    #[cfg(feature = "flask-session")]
    #[doc(hidden)]
    fn asked_stored<'c>(
        connection: &'c mut Self::Connection,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<Option<Stored>, Error>>;

    /// The rows of a query for two columns of bytes and two numbers.
    #[cfg(feature = "flask-session")]
    #[doc(hidden)]
    fn stored<'c>(
        connection: &'c mut Self::Connection,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<Vec<Stored>, Error>>;

    /// Statements without values or results, in one go.
    #[doc(hidden)]
    fn batch<'c>(
        connection: &'c mut Self::Connection,
        sql: &'c SqlStr,
    ) -> BoxFuture<'c, Result<(), Error>>;
}

/// A row of Flask-Session's table.
#[cfg(feature = "flask-session")]
pub struct Stored {
    pub(crate) name: Vec<u8>,
    pub(crate) value: Vec<u8>,
    /// The first second without it.
    pub(crate) expires: i64,
    pub(crate) number: i64,
}

/// The value of a placeholder.
#[derive(Clone, Copy)]
pub enum Value<'v> {
    #[doc(hidden)]
    Bytes(Option<&'v [u8]>),
    #[doc(hidden)]
    Text(Option<&'v str>),
    #[doc(hidden)]
    Number(Option<i64>),
}

/// Of a call, to be given back: no other call has it, of no process. A random beginning, counted on.
pub(crate) fn number() -> i64 {
    // No lock: whatever the order, each value is given once.
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one("a beginning")));
    NEXT.fetch_add(1, Ordering::Relaxed).cast_signed()
}

/// A reply to something else. The connection is of no use any more, and what was asked for may be asked on another one.
pub(crate) fn foreign() -> Error {
    Error::Protocol("a reply that is not the one to this call".to_owned())
}

/// The calls of a [`Dialect`], which are the same text for each but not the same code. `$text` is what a
/// column of text is read as.
macro_rules! calls {
    ($text:ty) => {
        fn execute<'c>(
            connection: &'c mut Self::Connection,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<u64, Error>> {
            Box::pin(async move {
                let query = sqlx::query_with::<Self, _>(sql.clone(), arguments(values)?);
                Ok(query.execute(connection).await?.rows_affected())
            })
        }

        fn asked<'c>(
            connection: &'c mut Self::Connection,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Option<Columns>, Error>> {
            Box::pin(async move {
                let row = answer(connection, sql, values).await?;
                row.map(|row| columns(&row, 1)).transpose()
            })
        }

        fn rows<'c>(
            connection: &'c mut Self::Connection,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Vec<Columns>, Error>> {
            Box::pin(async move {
                let rows = fetched(connection, sql, values).await?;
                rows.iter().map(|row| columns(row, 0)).collect()
            })
        }

        fn keys<'c>(
            connection: &'c mut Self::Connection,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Keys, Error>> {
            Box::pin(async move {
                use sqlx::Row;
                let query = sqlx::query_with::<Self, _>(sql.clone(), arguments(values)?);
                let row = query.fetch_one(connection).await?;
                Ok($crate::row::Keys {
                    count: row.try_get(0)?,
                    last: row.try_get(1)?,
                })
            })
        }

        fn pairs<'c>(
            connection: &'c mut Self::Connection,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Vec<(String, String)>, Error>> {
            Box::pin(async move {
                use sqlx::Row;
                let rows = fetched(connection, sql, values).await?;
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
            connection: &'c mut Self::Connection,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Option<$crate::dialect::Stored>, Error>> {
            Box::pin(async move {
                let row = answer(connection, sql, values).await?;
                row.map(|row| stored(&row, 1)).transpose()
            })
        }

        #[cfg(feature = "flask-session")]
        fn stored<'c>(
            connection: &'c mut Self::Connection,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Vec<$crate::dialect::Stored>, Error>> {
            Box::pin(async move {
                let rows = fetched(connection, sql, values).await?;
                rows.iter().map(|row| stored(row, 0)).collect()
            })
        }

        fn batch<'c>(
            connection: &'c mut Self::Connection,
            sql: &'c SqlStr,
        ) -> BoxFuture<'c, Result<(), Error>> {
            Box::pin(async move {
                sqlx::raw_sql(sql.clone()).execute(connection).await?;
                Ok(())
            })
        }
    };
}

/// What `calls` needs beside the trait.
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

        async fn fetched<'v>(
            connection: &mut <$database as sqlx::Database>::Connection,
            sql: &SqlStr,
            values: impl IntoIterator<Item = &'v Value<'v>>,
        ) -> Result<Vec<<$database as sqlx::Database>::Row>, Error> {
            let query = sqlx::query_with::<$database, _>(sql.clone(), arguments(values)?);
            query.fetch_all(connection).await
        }

        /// The one row of the reply to the call of this number.
        async fn own<'v>(
            connection: &mut <$database as sqlx::Database>::Connection,
            sql: &SqlStr,
            number: i64,
            values: impl IntoIterator<Item = &'v Value<'v>>,
        ) -> Result<<$database as sqlx::Database>::Row, Error> {
            use futures_util::TryStreamExt;
            use sqlx::Row;
            let query = sqlx::query_with::<$database, _>(sql.clone(), arguments(values)?);
            // One by one: a server that goes on and on is not listened to.
            let (mut rows, mut own) = (query.fetch(connection), None);
            while let Some(row) = rows.try_next().await? {
                if own.is_some() || row.try_get::<i64, _>(0).ok() != Some(number) {
                    return Err($crate::dialect::foreign());
                }
                own = Some(row);
            }
            own.ok_or_else($crate::dialect::foreign)
        }

        /// What a query has found; `None` if its row holds nothing but the call's number. What a row of the table never
        /// lacks stands in the last column.
        async fn answer(
            connection: &mut <$database as sqlx::Database>::Connection,
            sql: &SqlStr,
            values: &[Value<'_>],
        ) -> Result<Option<<$database as sqlx::Database>::Row>, Error> {
            use sqlx::Row;
            let number = $crate::dialect::number();
            let first = [Value::Number(Some(number))];
            let row = own(connection, sql, number, first.iter().chain(values)).await?;
            let last: Option<i64> = row.try_get(row.len() - 1)?;
            Ok(last.map(|_| row))
        }

        /// Those of a row from the one at `first` on.
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
                handle: row.try_get(first + 4)?,
                device: row.try_get::<Option<$text>, _>(first + 5)?.map(bytes),
                created: row.try_get(first + 6)?,
                renewed: row.try_get(first + 7)?,
                last_seen: row.try_get(first + 8)?,
                expires: row.try_get(first + 9)?,
                authenticated: row.try_get(first + 10)?,
                version: row.try_get(first + 11)?,
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
