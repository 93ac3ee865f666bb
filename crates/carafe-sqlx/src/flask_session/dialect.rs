//! What the databases do not agree on about Flask-Session's table, which SQLAlchemy has made.

use crate::dialect::Dialect;

/// A database that Flask-Session keeps its sessions in.
///
/// Cannot be implemented outside this crate: the module is private.
pub trait FlaskDialect: Dialect {
    /// The name as bytes, so that no collation has a say in whose row it is.
    #[doc(hidden)]
    const NAME_BYTES: &'static str;
    /// `session_id` to be compared byte by byte. Beside a comparison that an index helps with.
    #[doc(hidden)]
    const EXACT: &'static str;
    /// The first second after `expiry`, as a number.
    #[doc(hidden)]
    const EXPIRES: &'static str;
    /// `id` as a number of 64 bits.
    #[doc(hidden)]
    const NUMBER: &'static str;
    /// `@` seconds since 1970 as a value of `expiry`, which is a time in UTC that does not say so.
    #[doc(hidden)]
    const MOMENT: &'static str;
    /// Deletes at most so many expired rows.
    #[doc(hidden)]
    const SWEEP_ROWS: &'static str;
    /// How many bytes SQLAlchemy's `LargeBinary` holds.
    #[doc(hidden)]
    const LARGEST_RECORD: usize;
}

#[cfg(feature = "postgres")]
impl FlaskDialect for sqlx::Postgres {
    const NAME_BYTES: &'static str = "convert_to(session_id, 'UTF8')";
    const EXACT: &'static str = "session_id";
    const EXPIRES: &'static str = "CEIL(EXTRACT(EPOCH FROM expiry))::bigint";
    const NUMBER: &'static str = "id::bigint";
    const MOMENT: &'static str = "(to_timestamp(@::bigint) AT TIME ZONE 'UTC')";
    // Sweepers pass each other by; ARRAY, because a subquery in IN may run more than once.
    const SWEEP_ROWS: &'static str = "DELETE FROM carafe_sessions WHERE id = ANY (ARRAY(\
        SELECT id FROM carafe_sessions WHERE expiry <= {1} ORDER BY expiry LIMIT $2 \
        FOR UPDATE SKIP LOCKED))";
    const LARGEST_RECORD: usize = 1 << 20;
}

#[cfg(feature = "mysql")]
impl FlaskDialect for sqlx::MySql {
    const NAME_BYTES: &'static str = "CAST(session_id AS BINARY)";
    // Its collations do not tell a from A, and half of an id is which of them it is.
    const EXACT: &'static str = "CAST(session_id AS BINARY)";
    const EXPIRES: &'static str = "CAST(CEIL(TIMESTAMPDIFF(MICROSECOND, \
        TIMESTAMP'1970-01-01 00:00:00', expiry) / 1000000) AS SIGNED)";
    const NUMBER: &'static str = "CAST(id AS SIGNED)";
    const MOMENT: &'static str = "TIMESTAMPADD(SECOND, @, TIMESTAMP'1970-01-01 00:00:00')";
    const SWEEP_ROWS: &'static str =
        "DELETE FROM carafe_sessions WHERE expiry <= {1} ORDER BY expiry LIMIT $2";
    // A BLOB. Outside of its strict mode, MySQL cuts off what is longer.
    const LARGEST_RECORD: usize = 65_535;
}
