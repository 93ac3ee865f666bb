//! The dialect of Postgres.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use carafe_core::store::{BoxFuture, InvalidStoreUrl, StoreUrl, TlsMode};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Error, PgConnection, Postgres, Row as _,
    SqlStr,
    postgres::{PgConnectOptions, PgSslMode},
};

use crate::{
    connect::CACHE,
    connect_error::ConnectError,
    dialect::{Dialect, calls, conversions, number},
    lease::Lease,
    row::{Columns, Keys},
    statements::{parked, retired},
    store::SqlStore,
    value::Value,
};

/// Not prepared: a pooler may lose prepared statements.
const PROCESS: &str = "SELECT pid, (EXTRACT(EPOCH FROM clock_timestamp() - backend_start) * 1000)::bigint \
    FROM pg_stat_activity WHERE pid = pg_backend_pid()";
/// Tolerance between the server's clock and the local one, which may run at different speeds.
const TOLERANCE: Duration = Duration::from_secs(1);
/// Number of attempts: a pooler shared with other clients may assign the same process twice.
const ROUNDS: u32 = 4;

/// Sessions in Postgres.
///
/// [`SqlStore::connect`] accepts the usual URL parameters and three of Carafe's: `table`,
/// `statement_cache` and `tls=unverified`. A server on another host must present a valid
/// certificate (`sslmode=verify-full`; `prefer` and `require` are treated as such), unless the URL
/// has `sslmode=disable` or `tls=unverified`. `sslrootcert=FILE` sets a custom certificate
/// authority.
///
/// A pooler in transaction mode, such as PgBouncer, assigns a server connection to another client
/// between two statements, together with its prepared statements. `connect` detects such a pooler
/// and sends each statement with its values inlined, in one round trip. `statement_cache=0` selects
/// this mode explicitly; for a pool of the application, use
/// [`SqlStore::without_prepared_statements`]. A pooler in statement mode is not supported.
pub type PostgresStore = SqlStore<Postgres>;

impl Dialect for Postgres {
    const SCHEMA: &'static str = include_str!("schema/postgres.sql");
    const UPGRADE: &'static str = include_str!("schema/postgres_2.sql");
    const WIDEN: &'static str = "";
    // The lock is held until the transaction commits, so a migration is atomic.
    const LOCK: &'static str = "BEGIN; SELECT pg_advisory_xact_lock(hashtext('carafe_sessions'))";
    const UNLOCK: &'static str = "COMMIT";
    // At higher levels, a row changed by another transaction causes an error instead of a wait.
    const BEGIN: &'static str = "BEGIN ISOLATION LEVEL READ COMMITTED";
    const UNLESS_TAKEN: &'static str = " ON CONFLICT DO NOTHING";
    // SKIP LOCKED lets sweepers run concurrently; ARRAY, because a subquery in IN may run more than
    // once.
    const SWEEP: &'static str = "DELETE FROM carafe_sessions WHERE store_key = ANY (ARRAY(\
        SELECT store_key FROM carafe_sessions WHERE expires <= $1 ORDER BY expires LIMIT $2 \
        FOR UPDATE SKIP LOCKED))";
    const BEHIND: &'static str = "renewed <= $2 AND (renewed, handle) < ($3, $4)";
    // Hidden from the planner, which then expects to return a tenth of the rows, and reads them in
    // the order of the index. Without statistics, it assumes that `target IS NULL` is rare, expects
    // fewer rows than a page has, and reads all of them to sort them. The same holds for each other
    // limit here.
    const PAGE: &'static str = "(SELECT $5::bigint)";
    // A range of the index of a user's sessions, in its order. For `user_id = $1`, a planner whose
    // statistics do not include this user expects few rows, and may read all of them to sort them.
    const BEHIND_OF_USER: &'static str = "user_id >= $1 AND (user_id, renewed) <= ($2, $3) \
        AND (renewed, handle) < ($4, $5) AND expires > $6 \
        ORDER BY user_id DESC, renewed DESC, handle DESC LIMIT (SELECT $7::bigint)";
    const OLDEST_OF_USER: &'static str = concat!(
        "user_id >= $1 AND (user_id, renewed) <= ($2, ",
        parked!(),
        ") AND expires > $3 ORDER BY user_id, renewed, handle LIMIT (SELECT $4::bigint)"
    );
    // Rows are selected by public id, which a renewal keeps: a row that moves to another key while
    // this statement waits for its lock is retired under its new key. COALESCE hides the other
    // conditions from the planner, which would otherwise scan an index that was small when its
    // statistics were made and is large now.
    const RETIRE_BEGUN: &'static str = concat!(
        "UPDATE carafe_sessions SET ",
        retired!("$1"),
        " WHERE handle = ANY (ARRAY(SELECT handle FROM carafe_sessions \
        WHERE created <= $2 AND target IS NULL ORDER BY created LIMIT (SELECT $3::bigint))) \
        AND COALESCE(created <= $4 AND target IS NULL, FALSE)"
    );
    const RETIRE_OF_USER: &'static str = concat!(
        "UPDATE carafe_sessions SET ",
        retired!("$1"),
        " WHERE handle = ANY (ARRAY(SELECT handle FROM carafe_sessions \
        WHERE user_id >= $2 AND (user_id, renewed) <= ($3, ",
        parked!(),
        ") AND handle <> $4 ORDER BY user_id DESC, renewed DESC, handle DESC \
        LIMIT (SELECT $5::bigint))) \
        AND COALESCE(user_id = $6 AND target IS NULL, FALSE)"
    );
    const RETIRE_OLDEST_OF_USER: &'static str = concat!(
        "UPDATE carafe_sessions SET ",
        retired!("$1"),
        " WHERE handle = ANY (ARRAY(SELECT handle FROM carafe_sessions \
        WHERE user_id >= $2 AND (user_id, renewed) <= ($3, ",
        parked!(),
        ") AND handle <> $4 AND expires > $5 ORDER BY user_id, renewed, handle \
        LIMIT (SELECT $6::bigint))) \
        AND COALESCE(user_id = $7 AND target IS NULL, FALSE)"
    );
    // Hidden from the planner: if it knows that few keys follow this one, it reads and sorts them
    // all. Up to 14,000 of 200,000 were "few", for a scan of 4,097.
    const START: &'static str = "(SELECT $1::bytea)";
    // `max(bytea)` exists only since Postgres 18.
    const LARGEST: &'static str = "decode(max(encode(store_key, 'hex') COLLATE \"C\"), 'hex')";
    const CALL: &'static str = "$1::bigint";
    // Without the invalid indices left by a failed CREATE INDEX CONCURRENTLY.
    const INDICES: &'static str = "SELECT c.relname::text, c.relname::text FROM pg_index i \
        JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass($1) AND i.indisvalid";
    const KIND: &'static str = "SELECT relname::text, CASE relpersistence WHEN 'p' THEN 'permanent' \
        WHEN 'u' THEN 'unlogged' ELSE 'temporary' END FROM pg_class WHERE oid = to_regclass($1)";
    const SETTINGS: &'static [&'static str] = &["server_version", "synchronous_commit", "fsync"];
    const ASK_SETTINGS: &'static str = "SELECT name, setting FROM pg_settings \
        WHERE name IN ('server_version', 'synchronous_commit', 'fsync')";

    const SCHEMES: &'static [&'static str] = &["postgres", "postgresql"];
    const PARAMETERS: &'static [&'static str] = &[
        "table",
        "tls",
        "statement_cache",
        "statement-cache-capacity",
        "sslmode",
        "ssl-mode",
        "sslrootcert",
        "ssl-root-cert",
        "ssl-ca",
        "sslcert",
        "ssl-cert",
        "sslkey",
        "ssl-key",
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "password",
        "application_name",
        "options",
        "options[",
    ];
    const TLS_OPTIONS: &'static str = "name its authority with sslrootcert=FILE, accept any certificate with \
        tls=unverified, or do without TLS with sslmode=disable";
    const ASK_TLS: &'static str = "SELECT 'tls', CASE WHEN ssl THEN cipher ELSE '' END FROM pg_stat_ssl \
        WHERE pid = pg_backend_pid()";
    fn options(url: &StoreUrl, unverified: bool) -> Result<PgConnectOptions, ConnectError> {
        let mut url = url.clone();
        let cache = CACHE.map(|name| url.take(name));
        // Carafe uses no floats, and PgBouncer rejects unknown startup parameters.
        let options: PgConnectOptions = url.for_driver().parse()?;
        let mut options = options.extra_float_digits(None);
        if let Some(number) = cache.into_iter().flatten().next() {
            let number = number.parse().map_err(|_| InvalidStoreUrl::Value {
                name: CACHE[0],
                expected: "a number of statements, 0 for none",
            })?;
            options = options.statement_cache_capacity(number);
        }
        if is_socket(&options) {
            return Ok(options);
        }
        let mode = mode(options.get_ssl_mode()).for_host(options.get_host(), unverified);
        Ok(options.ssl_mode(match mode {
            TlsMode::Off => PgSslMode::Disable,
            TlsMode::Preferred => PgSslMode::Prefer,
            TlsMode::Required => PgSslMode::Require,
            TlsMode::VerifyAuthority => PgSslMode::VerifyCa,
            _ => PgSslMode::VerifyFull,
        }))
    }

    fn tls_mode(options: &PgConnectOptions) -> Option<TlsMode> {
        (!is_socket(options)).then(|| mode(options.get_ssl_mode()))
    }

    /// A server process that is older than the connection to it has served other clients.
    ///
    /// Without a pooler, a process serves exactly one connection for its lifetime.
    fn is_pooled<'c>(
        connection: &'c mut Self::Connection,
        options: &'c PgConnectOptions,
        since: Instant,
    ) -> BoxFuture<'c, Result<bool, Error>> {
        Box::pin(async move {
            let (before, age) = process(connection).await?;
            if age > since.elapsed() + TOLERANCE {
                return Ok(true);
            }
            // If only one connection is allowed, there is no pooler.
            let Ok(mut other) = options.connect().await else {
                return Ok(false);
            };
            let is_pooled = meet(connection, &mut other, before).await?;
            other.close().await?;
            Ok(is_pooled)
        })
    }

    /// Each placeholder occurs once and in order.
    ///
    /// Values are inlined as digits or hexadecimal only, so no value can be parsed as SQL,
    /// regardless of the server's settings.
    fn inlined(
        lease: &Lease<Self>,
        sql: &SqlStr,
        values: &[Value<'_>],
    ) -> Option<AssertSqlSafe<String>> {
        if lease.is_prepared() {
            return None;
        }
        let mut text = String::new();
        let mut parts = sql.as_str().split('$');
        text.push_str(parts.next().unwrap_or_default());
        for (part, value) in parts.zip(values) {
            literal(&mut text, value);
            text.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
        Some(AssertSqlSafe(text))
    }

    fn objection(setting: &str, value: &str) -> Option<&'static str> {
        match (setting, value) {
            ("fsync", "off") => Some("fsync is off: a power cut can destroy the database"),
            ("kind", "unlogged") => {
                Some("the table is unlogged: a crash empties it; ALTER TABLE … SET LOGGED")
            }
            ("kind", "temporary") => Some("the table is temporary: each connection has its own"),
            _ => None,
        }
    }

    // FOR UPDATE is not allowed on the nullable side of an outer join, so the subquery locks.
    fn locked(condition: &str) -> String {
        format!("(SELECT * FROM carafe_sessions WHERE {condition} FOR UPDATE) r ON TRUE")
    }

    fn counted(statement: String) -> String {
        let next = statement.matches('$').count() + 1;
        format!("WITH done AS ({statement} RETURNING 1) SELECT ${next}::bigint, COUNT(*) FROM done")
    }

    fn changed<'c>(
        lease: &'c mut Lease<Self>,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<u64, Error>> {
        Box::pin(async move {
            let number = number();
            let values = [values, &[Value::Number(Some(number))]].concat();
            let row = own(lease, sql, number, &values).await?;
            Ok(row.try_get::<i64, _>(1)?.cast_unsigned())
        })
    }

    fn placeholders(sql: String) -> String {
        sql
    }

    calls!(String);
}

conversions!(Postgres, String);

/// A host that is a directory contains the Unix socket.
fn is_socket(options: &PgConnectOptions) -> bool {
    options.get_socket().is_some() || options.get_host().starts_with('/')
}

fn mode(mode: PgSslMode) -> TlsMode {
    match mode {
        PgSslMode::Disable => TlsMode::Off,
        // sqlx does not use TLS for `allow`.
        PgSslMode::Allow | PgSslMode::Prefer => TlsMode::Preferred,
        PgSslMode::Require => TlsMode::Required,
        PgSslMode::VerifyCa => TlsMode::VerifyAuthority,
        PgSslMode::VerifyFull => TlsMode::VerifyFull,
    }
}

/// Returns whether two connections share a server process, or one changes its process.
async fn meet(
    one: &mut PgConnection,
    other: &mut PgConnection,
    before: i32,
) -> Result<bool, Error> {
    let other_before = process(other).await?.0;
    for _ in 0..ROUNDS {
        // The open transaction keeps the process from being assigned to the first connection.
        sqlx::raw_sql("BEGIN").execute(&mut *other).await?;
        let held = process(other).await?.0;
        sqlx::raw_sql("ROLLBACK").execute(&mut *other).await?;
        if held == before || held != other_before || process(one).await?.0 != before {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the server process of the connection and its age.
async fn process(connection: &mut PgConnection) -> Result<(i32, Duration), Error> {
    let rows = sqlx::raw_sql(PROCESS).fetch_all(connection).await?;
    let row = rows.first().ok_or(Error::RowNotFound)?;
    let age = u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or(0);
    Ok((row.try_get(0)?, Duration::from_millis(age)))
}

fn literal(text: &mut String, value: &Value<'_>) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Number(Some(number)) => write!(text, "'{number}'::bigint"),
        Value::Number(None) => write!(text, "NULL::bigint"),
        Value::Bytes(Some(bytes)) => write!(text, "decode('{}', 'hex')", hex(bytes)),
        Value::Bytes(None) => write!(text, "NULL::bytea"),
        Value::Text(Some(value)) => {
            let digits = hex(value.as_bytes());
            write!(text, "convert_from(decode('{digits}', 'hex'), 'UTF8')")
        }
        Value::Text(None) => write!(text, "NULL::text"),
    };
}

fn hex(bytes: &[u8]) -> String {
    let digit = |digit: u8| char::from(b"0123456789abcdef"[usize::from(digit)]);
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    digits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> PgConnectOptions {
        let url = StoreUrl::parse(url).expect("a URL");
        Postgres::options(&url, false).expect("options")
    }

    #[test]
    fn another_host_is_verified_and_a_socket_is_left_alone() {
        let mode = |url: &str| Postgres::tls_mode(&options(url));
        for url in [
            "postgres://db/x",
            "postgres://db/x?sslmode=prefer",
            "postgres://db/x?sslmode=require",
            "postgres://localhost/x?host=db",
            "postgres://localhost/x?hostaddr=10.0.0.1&sslmode=allow",
        ] {
            assert_eq!(mode(url), Some(TlsMode::VerifyFull), "{url}");
        }
        assert_eq!(mode("postgres://db/x?sslmode=disable"), Some(TlsMode::Off));
        assert_eq!(mode("postgres://127.0.0.1/x"), Some(TlsMode::Preferred));
        assert_eq!(mode("postgres://db/x?host=/run/postgresql"), None);
    }

    #[test]
    fn values_are_inlined_as_digits() {
        let mut text = String::new();
        for value in [
            Value::Text(Some("'; --")),
            Value::Bytes(Some(&[0, 255])),
            Value::Number(Some(i64::MIN)),
            Value::Text(None),
        ] {
            literal(&mut text, &value);
            text.push(' ');
        }
        assert_eq!(
            text,
            "convert_from(decode('273b202d2d', 'hex'), 'UTF8') decode('00ff', 'hex') \
             '-9223372036854775808'::bigint NULL::text "
        );
    }
}
