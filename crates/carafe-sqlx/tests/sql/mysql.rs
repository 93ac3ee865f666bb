//! Tests of the store on a private MariaDB server.

use carafe_sqlx::MySqlStore;

use crate::{
    suite,
    support::{self, Kit, PATIENT, Server},
};

struct MariaDb;

/// The numbers from 1 to a million, in SQL that both MariaDB and MySQL accept.
macro_rules! numbers {
    () => {
        "(WITH digit AS (SELECT 0 n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 \
         UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9) \
         SELECT 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n + 100000 * f.n AS seq \
         FROM digit a, digit b, digit c, digit d, digit e, digit f) numbers"
    };
}

impl Kit for MariaDb {
    support::kit!(MySqlStore, sqlx::MySql, mariadb, mariadb_with_tls);

    fn url(port: u16) -> String {
        format!("mysql://root@127.0.0.1:{port}/carafe")
    }

    fn other_host(port: u16, parameters: &str) -> String {
        format!("mysql://root@0.0.0.0:{port}/carafe?{parameters}")
    }

    const AUTHORITY: &'static str = "ssl-ca";
    const WITHOUT_TLS: &'static str = "ssl-mode=disabled";
    const REQUIRED: &'static str = "ssl-mode=required";

    fn statements(server: &Server, table: &str) -> Vec<String> {
        server.sql("SET GLOBAL general_log = ON");
        let log = server.sql(&format!(
            "SELECT argument FROM mysql.general_log WHERE command_type = 'Execute' \
             AND argument LIKE '%{table}%'"
        ));
        log.lines().map(str::to_owned).collect()
    }

    const PLACE: &'static str = "USE carafe;";
    const FILL: &'static str = concat!(
        "INSERT INTO TABLE SELECT UNHEX(SHA2(seq, 256)), NULL, '{}', \
         CONCAT('user', seq % 500), '123456789012', NULL, seq, seq, seq, seq, NULL, NULL, 0 FROM ",
        numbers!(),
        " WHERE seq <= 5000"
    );

    async fn rows_read(store: &MySqlStore, _: &str) -> i64 {
        let sql = "SHOW SESSION STATUS LIKE 'Handler_read%'";
        let rows = sqlx::query_as::<_, (String, String)>(sql).fetch_all(store.pool());
        let counts = rows.await.expect("it counts");
        let number = |(_, count): (String, String)| count.parse::<i64>().expect("a number");
        counts.into_iter().map(number).sum()
    }

    const SAMPLE: i64 = 512 + 2 * 4_097 + 200;

    const FILL_MANY: &'static str = concat!(
        "INSERT INTO SESSIONS SELECT UNHEX(SHA2(seq, 256)), NULL, '{}', NULL, \
         UNHEX(LEFT(MD5(seq), 24)), NULL, seq, seq DIV 3, seq, 1000000 + seq % 10, NULL, NULL, 0 FROM ",
        numbers!(),
        " WHERE seq <= 200000"
    );
    const ANALYZE: &'static str = "ANALYZE TABLE SESSIONS";
    const KEEP_STATISTICS: &'static str =
        "ALTER TABLE SESSIONS STATS_PERSISTENT = 1, STATS_AUTO_RECALC = 0";
    const VERSION_1: &'static str = include_str!("version_1/mysql.sql");
    const UNCHECKED: &'static str = "";
    const INDICES: &'static str = "SELECT index_name, seq_in_index, column_name \
        FROM information_schema.statistics WHERE table_name = 'SESSIONS' ORDER BY 1, 2";
    const DROP_INDICES: &'static str = "ALTER TABLE SESSIONS DROP KEY SESSIONS_renewed, DROP KEY SESSIONS_handle, \
        DROP KEY SESSIONS_created";

    #[cfg(feature = "flask-session")]
    const FLASK_TABLE: &'static str = "CREATE TABLE TABLE (id INTEGER NOT NULL AUTO_INCREMENT, session_id VARCHAR(255), data MEDIUMBLOB, \
         expiry DATETIME, \
         PRIMARY KEY (id), UNIQUE (session_id))";

    fn bytes(hex: &str) -> String {
        format!("x'{hex}'")
    }
}

suite::tests!("needs mariadb: cargo xtask test", MariaDb);

#[test]
fn a_parameter_that_does_not_exist_is_refused() {
    support::block_on(suite::connecting::a_parameter_that_does_not_exist_is_refused::<MariaDb>());
}

/// A table that was created with room for a renewal only gets room for more fields.
#[test]
#[ignore = "needs mariadb: cargo xtask test"]
fn a_narrow_column_is_widened() {
    const TABLE: &str = "narrow_sessions";
    let sql = |text: &str| MariaDb::shared().sql(&format!("USE carafe; {text}"));
    let width = || {
        sql(
            "SELECT character_maximum_length FROM information_schema.columns \
             WHERE table_name = 'narrow_sessions' AND column_name = 'renewal'",
        )
    };
    support::block_on(async {
        drop(MariaDb::store(MariaDb::shared().port, TABLE, 1, PATIENT).await);
        assert_eq!(width().trim(), "255");
        sql("ALTER TABLE narrow_sessions MODIFY renewal VARBINARY(75)");
        assert_eq!(width().trim(), "75");
        // Runs the migration.
        drop(MariaDb::store(MariaDb::shared().port, TABLE, 1, PATIENT).await);
        assert_eq!(width().trim(), "255");
    });
}
