//! What is Postgres's own.

use carafe_core::store::BoxFuture;
use sqlx::{Error, Postgres, Row as _, SqlStr};

use crate::{
    dialect::{Dialect, Value, calls, conversions, number},
    row::{Columns, Keys},
    store::SqlStore,
};

/// Sessions in Postgres.
pub type PostgresStore = SqlStore<Postgres>;

impl Dialect for Postgres {
    const SCHEMA: &'static str = include_str!("schema/postgres.sql");
    // A lock of the transaction: all of a migration happens, or nothing.
    const LOCK: &'static str = "BEGIN; SELECT pg_advisory_xact_lock(hashtext('carafe_sessions'))";
    const UNLOCK: &'static str = "COMMIT";
    // Above this level a row that somebody else has changed is an error instead of a wait.
    const BEGIN: &'static str = "BEGIN ISOLATION LEVEL READ COMMITTED";
    const UNLESS_TAKEN: &'static str = " ON CONFLICT DO NOTHING";
    // Sweepers pass each other by; ARRAY, because a subquery in IN may run more than once.
    const SWEEP: &'static str = "DELETE FROM carafe_sessions WHERE store_key = ANY (ARRAY(\
        SELECT store_key FROM carafe_sessions WHERE expires <= $1 ORDER BY expires LIMIT $2 \
        FOR UPDATE SKIP LOCKED))";
    const BEHIND: &'static str = "renewed <= $2 AND (renewed, handle) < ($3, $4)";
    // By handle, which a renewal keeps: a row that got another key while we waited for its lock is found by the
    // key that it had, and deleted where it is.
    const DELETE_BEGUN: &'static str = "DELETE FROM carafe_sessions WHERE created <= $1 AND target IS NULL \
        AND handle = ANY (ARRAY(SELECT handle FROM carafe_sessions \
        WHERE created <= $2 AND target IS NULL ORDER BY created LIMIT $3))";
    // Hidden from the planner: where it knows that few keys lie behind this one, it reads them all and sorts them. Few
    // were up to 14,000 of 200,000, for a look at 4,097.
    const START: &'static str = "(SELECT $1::bytea)";
    // There is a max(bytea) from Postgres 18 on only.
    const LARGEST: &'static str = "decode(max(encode(store_key, 'hex') COLLATE \"C\"), 'hex')";
    const CALL: &'static str = "$1::bigint";
    // Not those that a failed CREATE INDEX CONCURRENTLY has left.
    const INDICES: &'static str = "SELECT c.relname::text, c.relname::text FROM pg_index i \
        JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass($1) AND i.indisvalid";
    const KIND: &'static str = "SELECT relname::text, CASE relpersistence WHEN 'p' THEN 'permanent' \
        WHEN 'u' THEN 'unlogged' ELSE 'temporary' END FROM pg_class WHERE oid = to_regclass($1)";
    const SETTINGS: &'static [&'static str] = &["server_version", "synchronous_commit", "fsync"];
    const ASK_SETTINGS: &'static str = "SELECT name, setting FROM pg_settings \
        WHERE name IN ('server_version', 'synchronous_commit', 'fsync')";

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

    // What an outer join may lack cannot be locked from without.
    fn locked(condition: &str) -> String {
        format!("(SELECT * FROM carafe_sessions WHERE {condition} FOR UPDATE) r ON TRUE")
    }

    fn counted(statement: String) -> String {
        let next = statement.matches('$').count() + 1;
        format!("WITH done AS ({statement} RETURNING 1) SELECT ${next}::bigint, COUNT(*) FROM done")
    }

    fn changed<'c>(
        connection: &'c mut Self::Connection,
        sql: &'c SqlStr,
        values: &'c [Value<'c>],
    ) -> BoxFuture<'c, Result<u64, Error>> {
        Box::pin(async move {
            let number = number();
            let last = [Value::Number(Some(number))];
            let values = values.iter().chain(&last);
            let row = own(connection, sql, number, values).await?;
            Ok(row.try_get::<i64, _>(1)?.cast_unsigned())
        })
    }

    fn placeholders(sql: String) -> String {
        sql
    }

    calls!(String);
}

conversions!(Postgres, String);
