//! The dialect of MySQL and MariaDB.

use carafe_core::store::{BoxFuture, StoreUrl, TlsMode};
use sqlx::{
    Error, MySql, SqlStr,
    mysql::{MySqlConnectOptions, MySqlSslMode},
};

use crate::{
    connect_error::ConnectError,
    dialect::{Dialect, calls, conversions},
    lease::Lease,
    row::{Columns, Keys},
    statements::retired,
    store::SqlStore,
    value::Value,
};

/// Sessions in MySQL or MariaDB.
///
/// Requires InnoDB and its default isolation level: its gap locks prevent a session from escaping
/// a log-out of all sessions while it is being renewed. MySQL 8's default authentication requires
/// TLS (`tls-rustls`), because the alternative, an RSA exchange, is not compiled in
/// (RUSTSEC-2023-0071).
///
/// [`SqlStore::connect`] accepts the usual URL parameters and two of Carafe's: `table` and
/// `tls=unverified`. A server on another host must present a valid certificate
/// (`ssl-mode=verify_identity`; `preferred` and `required` are treated as such), unless the URL has
/// `ssl-mode=disabled` or `tls=unverified`. `ssl-ca=FILE` sets a custom certificate authority.
pub type MySqlStore = SqlStore<MySql>;

impl Dialect for MySql {
    const SCHEMA: &'static str = include_str!("schema/mysql.sql");
    const UPGRADE: &'static str = include_str!("schema/mysql_2.sql");
    const WIDEN: &'static str = include_str!("schema/mysql_wide.sql");
    const LOCK: &'static str = "DO GET_LOCK('carafe_sessions', 10)";
    const UNLOCK: &'static str = "DO RELEASE_LOCK('carafe_sessions')";
    const BEGIN: &'static str = "START TRANSACTION";
    // INSERT IGNORE would hide other errors; an existing key is recognized by its error.
    const UNLESS_TAKEN: &'static str = "";
    const SWEEP: &'static str =
        "DELETE FROM carafe_sessions WHERE expires <= $1 ORDER BY expires LIMIT $2";
    // MySQL plans this as ranges of one index in its order, but not a comparison of tuples.
    const BEHIND: &'static str = "(renewed < $2 OR (renewed = $3 AND handle < $4))";
    const PAGE: &'static str = "$5";
    // For `user_id = $1`, MariaDB begins each page with the user's newest session.
    const BEHIND_OF_USER: &'static str = "user_id >= $1 AND user_id <= $2 \
        AND (renewed < $3 OR (renewed = $4 AND handle < $5)) AND expires > $6 \
        ORDER BY user_id DESC, renewed DESC, handle DESC LIMIT $7";
    const OLDEST_OF_USER: &'static str =
        "user_id = $1 AND user_id = $2 AND expires > $3 ORDER BY renewed, handle LIMIT $4";
    // A subquery selects the rows: an UPDATE with its own LIMIT would sort all rows that it may
    // change, because it changes the columns of the order. The join is by public id, which a
    // renewal keeps. COALESCE hides the condition from the planner: with statistics of a smaller
    // table, the planner would read all sessions created up to `$2` for each selected row.
    const RETIRE_BEGUN: &'static str = concat!(
        "UPDATE (SELECT CAST($1 AS SIGNED) AS ends, handle AS picked FROM carafe_sessions \
        WHERE created <= $2 AND target IS NULL ORDER BY created LIMIT $3) p \
        STRAIGHT_JOIN carafe_sessions ON handle = picked SET ",
        retired!("ends"),
        " WHERE COALESCE(created <= $4, FALSE) AND target IS NULL"
    );
    const RETIRE_OF_USER: &'static str = concat!(
        "UPDATE (SELECT CAST($1 AS SIGNED) AS ends, handle AS picked FROM carafe_sessions \
        WHERE user_id = $2 AND user_id = $3 AND handle <> $4 \
        ORDER BY renewed DESC, handle DESC LIMIT $5) p \
        STRAIGHT_JOIN carafe_sessions ON handle = picked SET ",
        retired!("ends"),
        " WHERE COALESCE(user_id = $6, FALSE) AND target IS NULL"
    );
    const RETIRE_OLDEST_OF_USER: &'static str = concat!(
        "UPDATE (SELECT CAST($1 AS SIGNED) AS ends, handle AS picked FROM carafe_sessions \
        WHERE user_id = $2 AND user_id = $3 AND handle <> $4 AND expires > $5 \
        ORDER BY renewed, handle LIMIT $6) p \
        STRAIGHT_JOIN carafe_sessions ON handle = picked SET ",
        retired!("ends"),
        " WHERE COALESCE(user_id = $7, FALSE) AND target IS NULL"
    );
    const START: &'static str = "$1";
    const LARGEST: &'static str = "MAX(store_key)";
    const CALL: &'static str = "CAST($1 AS SIGNED)";
    const INDICES: &'static str = "SELECT DISTINCT index_name, index_name \
        FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = $1";
    const KIND: &'static str = "SELECT table_name, engine FROM information_schema.tables \
        WHERE table_schema = DATABASE() AND table_name = $1";
    // In MariaDB, the third setting has the name of the last one.
    const SETTINGS: &'static [&'static str] = &[
        "version",
        "innodb_flush_log_at_trx_commit",
        "transaction_isolation",
        "tx_isolation",
    ];
    const ASK_SETTINGS: &'static str = "SHOW VARIABLES WHERE Variable_name IN ('version', \
        'innodb_flush_log_at_trx_commit', 'transaction_isolation', 'tx_isolation')";

    const SCHEMES: &'static [&'static str] = &["mysql", "mariadb"];
    const PARAMETERS: &'static [&'static str] = &[
        "table",
        "tls",
        "statement-cache-capacity",
        "ssl-mode",
        "sslmode",
        "ssl-ca",
        "sslca",
        "ssl-cert",
        "sslcert",
        "ssl-key",
        "sslkey",
        "socket",
        "charset",
        "collation",
        "time-zone",
        "timezone",
    ];
    const TLS_OPTIONS: &'static str = "name its authority with ssl-ca=FILE, accept any certificate with \
        tls=unverified, or do without TLS with ssl-mode=disabled";
    const ASK_TLS: &'static str = "SHOW STATUS LIKE 'Ssl_cipher'";

    fn options(url: &StoreUrl, unverified: bool) -> Result<MySqlConnectOptions, ConnectError> {
        let options: MySqlConnectOptions = url.for_driver().parse()?;
        if options.get_socket().is_some() {
            return Ok(options);
        }
        let mode = mode(options.get_ssl_mode()).for_host(options.get_host(), unverified);
        Ok(options.ssl_mode(match mode {
            TlsMode::Off => MySqlSslMode::Disabled,
            TlsMode::Preferred => MySqlSslMode::Preferred,
            TlsMode::Required => MySqlSslMode::Required,
            TlsMode::VerifyAuthority => MySqlSslMode::VerifyCa,
            _ => MySqlSslMode::VerifyIdentity,
        }))
    }

    fn tls_mode(options: &MySqlConnectOptions) -> Option<TlsMode> {
        match options.get_socket() {
            Some(_) => None,
            None => Some(mode(options.get_ssl_mode())),
        }
    }

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

// Text is decoded as bytes, because sqlx refuses to decode a binary column as text.
conversions!(MySql, Vec<u8>);

fn mode(mode: MySqlSslMode) -> TlsMode {
    match mode {
        MySqlSslMode::Disabled => TlsMode::Off,
        MySqlSslMode::Preferred => TlsMode::Preferred,
        MySqlSslMode::Required => TlsMode::Required,
        MySqlSslMode::VerifyCa => TlsMode::VerifyAuthority,
        MySqlSslMode::VerifyIdentity => TlsMode::VerifyFull,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_host_is_verified_and_a_socket_is_left_alone() {
        let mode = |url: &str| {
            let url = StoreUrl::parse(url).expect("a URL");
            MySql::tls_mode(&MySql::options(&url, false).expect("options"))
        };
        for url in [
            "mysql://db/x",
            "mysql://db/x?ssl-mode=preferred",
            "mysql://db/x?sslmode=required",
        ] {
            assert_eq!(mode(url), Some(TlsMode::VerifyFull), "{url}");
        }
        assert_eq!(mode("mysql://db/x?ssl-mode=disabled"), Some(TlsMode::Off));
        assert_eq!(mode("mysql://localhost/x"), Some(TlsMode::Preferred));
        assert_eq!(mode("mysql://db/x?socket=/run/mysqld/mysqld.sock"), None);
    }
}
