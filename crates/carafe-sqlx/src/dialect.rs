//! What differs between the databases, and the few calls for which sqlx needs to know which one it is.

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

    /// How many rows a statement has touched.
    #[doc(hidden)]
    fn execute<'c>(
        connection: &'c mut Self::Connection,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<u64, Error>>;

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

        fn rows<'c>(
            connection: &'c mut Self::Connection,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Vec<Columns>, Error>> {
            Box::pin(async move {
                let query = sqlx::query_with::<Self, _>(sql.clone(), arguments(values)?);
                let rows = query.fetch_all(connection).await?;
                rows.iter().map(columns).collect()
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
                let query = sqlx::query_with::<Self, _>(sql.clone(), arguments(values)?);
                let text = |row: &Self::Row, at| {
                    let bytes: Vec<u8> = row.try_get::<$text, usize>(at)?.into();
                    String::from_utf8(bytes).map_err(|error| Error::Decode(error.into()))
                };
                let rows = query.fetch_all(connection).await?;
                rows.iter()
                    .map(|row| Ok((text(row, 0)?, text(row, 1)?)))
                    .collect()
            })
        }

        #[cfg(feature = "flask-session")]
        fn stored<'c>(
            connection: &'c mut Self::Connection,
            sql: &'c SqlStr,
            values: &'c [Value<'c>],
        ) -> BoxFuture<'c, Result<Vec<$crate::dialect::Stored>, Error>> {
            use sqlx::Row;
            Box::pin(async move {
                let query = sqlx::query_with::<Self, _>(sql.clone(), arguments(values)?);
                let rows = query.fetch_all(connection).await?;
                let stored = |row: &Self::Row| {
                    Ok($crate::dialect::Stored {
                        name: row.try_get(0)?,
                        value: row.try_get(1)?,
                        expires: row.try_get(2)?,
                        number: row.try_get(3)?,
                    })
                };
                rows.iter().map(stored).collect()
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
        fn arguments(
            values: &[Value<'_>],
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

        fn columns(row: &<$database as sqlx::Database>::Row) -> Result<Columns, Error> {
            use sqlx::Row;
            let bytes = |text: $text| -> Vec<u8> { text.into() };
            Ok(Columns {
                key: row.try_get(0)?,
                target: row.try_get(1)?,
                data: bytes(row.try_get(2)?),
                user: row.try_get::<Option<$text>, _>(3)?.map(bytes),
                handle: row.try_get(4)?,
                device: row.try_get::<Option<$text>, _>(5)?.map(bytes),
                created: row.try_get(6)?,
                renewed: row.try_get(7)?,
                last_seen: row.try_get(8)?,
                expires: row.try_get(9)?,
                authenticated: row.try_get(10)?,
                version: row.try_get(11)?,
            })
        }
    };
}

pub(crate) use {calls, conversions};
