//! The store on MariaDB, against a private server.

#![allow(clippy::print_stdout, reason = "a seed that is not said is of no use")]

mod suite;
mod support;

use std::sync::OnceLock;

use carafe_core::store::Health;
use carafe_sqlx::{Deadlines, MySqlStore};
use sqlx::mysql::MySqlPoolOptions;
use support::{Kit, PATIENT, Server};

struct MariaDb;

/// From 1 to a million, which both MariaDB and MySQL can say so.
macro_rules! numbers {
    () => {
        "(WITH digit AS (SELECT 0 n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 \
         UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9) \
         SELECT 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n + 100000 * f.n AS seq \
         FROM digit a, digit b, digit c, digit d, digit e, digit f) numbers"
    };
}

impl MariaDb {
    fn url(port: u16) -> String {
        format!("mysql://root@127.0.0.1:{port}/carafe")
    }
}

impl Kit for MariaDb {
    type Store = MySqlStore;

    fn start() -> Server {
        Server::mariadb()
    }

    fn shared() -> &'static Server {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    async fn store(port: u16, table: &str, connections: u32, deadlines: Deadlines) -> MySqlStore {
        let options = MySqlPoolOptions::new()
            .max_connections(connections)
            .test_before_acquire(false);
        let pool = options.connect_lazy(&Self::url(port)).expect("a good URL");
        let store = MySqlStore::new(pool).table(table).expect("a good name");
        let store = store.deadlines(PATIENT);
        store.migrate().await.expect("migrate works");
        store.deadlines(deadlines)
    }

    async fn connected(server: &Server) -> MySqlStore {
        let store = MySqlStore::connect(&Self::url(server.port))
            .await
            .expect("connect works");
        store.migrate().await.expect("migrate works");
        store
    }

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
         CONCAT('user', seq % 500), '123456789012', NULL, seq, seq, seq, seq, NULL, 0 FROM ",
        numbers!(),
        " WHERE seq <= 5000"
    );

    async fn health(store: &MySqlStore) -> Health {
        store.health().await.expect("health works")
    }

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
         UNHEX(LEFT(MD5(seq), 24)), NULL, seq, seq DIV 3, seq, 1000000 + seq % 10, NULL, 0 FROM ",
        numbers!(),
        " WHERE seq <= 200000"
    );
    const UNCHECKED: &'static str = "";
    const INDICES: &'static str = "SELECT index_name, seq_in_index, column_name \
        FROM information_schema.statistics WHERE table_name = 'SESSIONS' ORDER BY 1, 2";
    const DROP_INDICES: &'static str = "ALTER TABLE SESSIONS DROP KEY SESSIONS_renewed, DROP KEY SESSIONS_handle, \
        DROP KEY SESSIONS_created";

    #[cfg(feature = "flask-session")]
    const FLASK_TABLE: &'static str = "CREATE TABLE TABLE (id INTEGER NOT NULL AUTO_INCREMENT, session_id VARCHAR(255), data MEDIUMBLOB, \
         expiry DATETIME, \
         PRIMARY KEY (id), UNIQUE (session_id))";

    #[cfg(feature = "flask-session")]
    type FlaskStore = carafe_sqlx::FlaskSessionStore<sqlx::MySql>;

    #[cfg(feature = "flask-session")]
    async fn flask_session(
        port: u16,
        layout: carafe_core::flask::stored::FlaskSession,
    ) -> Self::FlaskStore {
        let options = MySqlPoolOptions::new()
            .max_connections(16)
            .test_before_acquire(false);
        let pool = options.connect_lazy(&Self::url(port)).expect("a good URL");
        let store = MySqlStore::new(pool)
            .deadlines(PATIENT)
            .flask_session(layout);
        let store = store
            .table(suite::flask_session::TABLE)
            .expect("a good name");
        store.largest_record(1 << 20)
    }

    fn bytes(hex: &str) -> String {
        format!("x'{hex}'")
    }
}

async fn conforming() -> MySqlStore {
    MariaDb::store(MariaDb::shared().port, "carafe_sessions", 16, PATIENT).await
}

mod conformance {
    carafe_core::session_store_conformance!(
        #[ignore = "needs mariadb: cargo xtask test"];
        super::support::block_on,
        super::conforming()
    );
    carafe_core::session_life_conformance!(
        #[ignore = "needs mariadb: cargo xtask test"];
        super::support::block_on,
        super::conforming()
    );
}
suite::suite!("needs mariadb: cargo xtask test", super::MariaDb);

#[cfg(feature = "flask-session")]
mod flask_session {
    use super::{MariaDb, suite::flask_session};

    mod msgpack {
        carafe_core::session_store_conformance!(
            #[ignore = "needs mariadb: cargo xtask test"];
            crate::support::block_on,
            super::flask_session::msgpack::<super::MariaDb>()
        );
    }

    mod json {
        carafe_core::session_store_conformance!(
            #[ignore = "needs mariadb: cargo xtask test"];
            crate::support::block_on,
            super::flask_session::json::<super::MariaDb>()
        );
    }

    crate::suite::flask_session::checks!("needs mariadb: cargo xtask test", MariaDb);
}
