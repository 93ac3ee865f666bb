//! What is Postgres's own.

use carafe_core::store::BoxFuture;
use sqlx::{Error, Postgres, SqlStr};

use crate::{
    dialect::{Dialect, Value, calls, conversions},
    row::Columns,
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

    fn placeholders(sql: String) -> String {
        sql
    }

    calls!(String);
}

conversions!(Postgres, String);
