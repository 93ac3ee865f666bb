//! What is MySQL's and MariaDB's own.

use carafe_core::store::BoxFuture;
use sqlx::{Error, MySql, SqlStr};

use crate::{
    dialect::{Dialect, Value, calls, conversions},
    row::{Columns, Keys},
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
    // The ranges of one index in its order. A comparison of pairs is none to MySQL.
    const BEHIND: &'static str = "(renewed < $2 OR (renewed = $3 AND handle < $4))";
    // Sees the newest state; a gap lock keeps what it has passed from being renewed behind it.
    const DELETE_BEGUN: &'static str = "DELETE FROM carafe_sessions WHERE created <= LEAST($1, $2) \
        AND target IS NULL ORDER BY created LIMIT $3";
    const START: &'static str = "$1";
    const LARGEST: &'static str = "MAX(store_key)";
    const CALL: &'static str = "CAST($1 AS SIGNED)";
    const INDICES: &'static str = "SELECT DISTINCT index_name, index_name \
        FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = $1";
    const KIND: &'static str = "SELECT table_name, engine FROM information_schema.tables \
        WHERE table_schema = DATABASE() AND table_name = $1";
    // MariaDB calls the third one by the name of the last.
    const SETTINGS: &'static [&'static str] = &[
        "version",
        "innodb_flush_log_at_trx_commit",
        "transaction_isolation",
        "tx_isolation",
    ];
    const ASK_SETTINGS: &'static str = "SHOW VARIABLES WHERE Variable_name IN ('version', \
        'innodb_flush_log_at_trx_commit', 'transaction_isolation', 'tx_isolation')";

    fn objection(setting: &str, value: &str) -> Option<&'static str> {
        match (setting, value) {
            ("transaction_isolation" | "tx_isolation", "READ-COMMITTED" | "READ-UNCOMMITTED") => {
                Some(
                    "the isolation level is below REPEATABLE-READ: a session that is being renewed may \
                 escape a log-out of all",
                )
            }
            ("kind", engine) if engine != "InnoDB" => Some(
                "the table's engine is not InnoDB: a crash may damage it; ALTER TABLE … ENGINE = InnoDB",
            ),
            _ => None,
        }
    }

    fn locked(condition: &str) -> String {
        format!("carafe_sessions r ON {condition} FOR UPDATE")
    }

    fn placeholders(sql: String) -> String {
        (1..20)
            .rev()
            .fold(sql, |sql, n| sql.replace(&format!("${n}"), "?"))
    }

    calls!(Vec<u8>);
}

// Text as bytes: a column of bytes is not text to sqlx, whatever it holds.
conversions!(MySql, Vec<u8>);
