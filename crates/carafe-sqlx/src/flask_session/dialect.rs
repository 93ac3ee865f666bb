//! The differences between the databases for Flask-Session's table, which SQLAlchemy creates.

use crate::dialect::Dialect;

/// A database with a Flask-Session table.
///
/// Cannot be implemented outside this crate, because the module is private.
pub trait FlaskDialect: Dialect {
    /// The row's name as bytes, independent of collations.
    #[doc(hidden)]
    const NAME_BYTES: &'static str;
    /// `session_id` for a bytewise comparison, in addition to a comparison that can use the index.
    #[doc(hidden)]
    const EXACT: &'static str;
    /// The first second after `expiry`, as a Unix timestamp.
    #[doc(hidden)]
    const EXPIRES: &'static str;
    /// `id` as a 64-bit number.
    #[doc(hidden)]
    const NUMBER: &'static str;
    /// Converts the Unix timestamp `@` to a value of `expiry`, a UTC time without a time zone.
    #[doc(hidden)]
    const MOMENT: &'static str;
    /// Deletes a limited number of expired rows.
    #[doc(hidden)]
    const SWEEP_ROWS: &'static str;
    /// Capacity of SQLAlchemy's `LargeBinary` column, in bytes.
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
    // SKIP LOCKED lets sweepers run concurrently; ARRAY, because a subquery in IN may run more than
    // once.
    const SWEEP_ROWS: &'static str = "DELETE FROM carafe_sessions WHERE id = ANY (ARRAY(\
        SELECT id FROM carafe_sessions WHERE expiry <= {1} ORDER BY expiry LIMIT $2 \
        FOR UPDATE SKIP LOCKED))";
    const LARGEST_RECORD: usize = 1 << 20;
}

#[cfg(feature = "mysql")]
impl FlaskDialect for sqlx::MySql {
    const NAME_BYTES: &'static str = "CAST(session_id AS BINARY)";
    // MySQL's default collations are case-insensitive, but ids are case-sensitive.
    const EXACT: &'static str = "CAST(session_id AS BINARY)";
    const EXPIRES: &'static str = "CAST(CEIL(TIMESTAMPDIFF(MICROSECOND, \
        TIMESTAMP'1970-01-01 00:00:00', expiry) / 1000000) AS SIGNED)";
    const NUMBER: &'static str = "CAST(id AS SIGNED)";
    const MOMENT: &'static str = "TIMESTAMPADD(SECOND, @, TIMESTAMP'1970-01-01 00:00:00')";
    const SWEEP_ROWS: &'static str =
        "DELETE FROM carafe_sessions WHERE expiry <= {1} ORDER BY expiry LIMIT $2";
    // A BLOB. Outside of strict mode, MySQL truncates longer values.
    const LARGEST_RECORD: usize = 65_535;
}
