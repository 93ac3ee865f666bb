//! What is MySQL's and MariaDB's own.

use carafe_core::store::BoxFuture;
use sqlx::{Error, MySql, SqlStr};

use crate::{
    dialect::{Dialect, Value, calls, conversions},
    row::Columns,
    store::SqlStore,
};

/// Sessions in MySQL or MariaDB.
///
/// Wants InnoDB and the isolation level it has by default: its gap locks are what keeps a session that is
/// being renewed from escaping a log-out of all. MySQL 8's own passwords travel over TLS only (`tls-rustls`):
/// the RSA exchange that would replace it is left out (RUSTSEC-2023-0071).
pub type MySqlStore = SqlStore<MySql>;

impl Dialect for MySql {
    const SCHEMA: &'static str = include_str!("schema/mysql.sql");
    const LOCK: &'static str = "DO GET_LOCK('carafe_sessions', 10)";
    const UNLOCK: &'static str = "DO RELEASE_LOCK('carafe_sessions')";
    const BEGIN: &'static str = "START TRANSACTION";
    // INSERT IGNORE would hide other errors too: a key in use is recognised by its error.
    const UNLESS_TAKEN: &'static str = "";
    const SWEEP: &'static str =
        "DELETE FROM carafe_sessions WHERE expires <= $1 ORDER BY expires LIMIT $2";

    fn placeholders(sql: String) -> String {
        (1..20)
            .rev()
            .fold(sql, |sql, n| sql.replace(&format!("${n}"), "?"))
    }

    calls!(Vec<u8>);
}

// Text as bytes: a column of bytes is not text to sqlx, whatever it holds.
conversions!(MySql, Vec<u8>);
