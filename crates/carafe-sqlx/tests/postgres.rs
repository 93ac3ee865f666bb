//! The store on Postgres, against a private server.

#![allow(clippy::print_stdout, reason = "a seed that is not said is of no use")]

mod suite;
mod support;

use std::sync::OnceLock;

use carafe_core::store::{Health, SessionStore};
use carafe_sqlx::{Deadlines, PostgresStore};
use sqlx::postgres::PgPoolOptions;
use support::{Kit, PATIENT, Server, fixtures::*};

struct Postgres;

impl Postgres {
    fn url(port: u16) -> String {
        // Each connection writes down its statements in the server's log.
        format!("postgres://postgres@127.0.0.1:{port}/postgres?options[log_statement]=all")
    }
}

impl Kit for Postgres {
    type Store = PostgresStore;

    fn start() -> Server {
        Server::postgres()
    }

    fn shared() -> &'static Server {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    async fn store(
        port: u16,
        table: &str,
        connections: u32,
        deadlines: Deadlines,
    ) -> PostgresStore {
        let options = PgPoolOptions::new()
            .max_connections(connections)
            .test_before_acquire(false);
        let pool = options.connect_lazy(&Self::url(port)).expect("a good URL");
        let store = PostgresStore::new(pool).table(table).expect("a good name");
        let store = store.deadlines(PATIENT);
        store.migrate().await.expect("migrate works");
        store.deadlines(deadlines)
    }

    async fn connected(server: &Server) -> PostgresStore {
        let store = PostgresStore::connect(&Self::url(server.port))
            .await
            .expect("connect works");
        store.migrate().await.expect("migrate works");
        store
    }

    fn statements(server: &Server, table: &str) -> Vec<String> {
        let log = std::fs::read_to_string(server.dir.join("log")).expect("there is a log");
        let executed = log
            .lines()
            .filter_map(|line| Some(line.split_once("LOG:  execute ")?.1));
        executed
            .filter(|line| line.contains(table))
            .map(str::to_owned)
            .collect()
    }

    const PLACE: &'static str = "";
    const FILL: &'static str = "INSERT INTO TABLE SELECT sha256(i::text::bytea), NULL, '{}', \
        'user' || i % 500, '123456789012', NULL, i, i, i, i, NULL, 0 FROM generate_series(1, 5000) i; \
        ANALYZE TABLE";

    async fn health(store: &PostgresStore) -> Health {
        store.health().await.expect("health works")
    }

    async fn rows_read(store: &PostgresStore, table: &str) -> i64 {
        // What a connection has counted is published when it likes, or by force.
        let publish = sqlx::query("SELECT pg_stat_force_next_flush()").execute(store.pool());
        publish.await.expect("it publishes");
        let sql = "SELECT (t.seq_tup_read + (SELECT sum(i.idx_tup_read) FROM pg_stat_user_indexes i \
            WHERE i.relid = t.relid))::bigint FROM pg_stat_user_tables t WHERE t.relname = $1";
        let count = sqlx::query_scalar(sql).bind(table).fetch_one(store.pool());
        count.await.expect("it counts")
    }

    const SAMPLE: i64 = 512 + 4_097 + 100;

    const FILL_MANY: &'static str = "INSERT INTO SESSIONS SELECT sha256(i::text::bytea), NULL, '{}', NULL, \
        decode(substr(md5(i::text), 1, 24), 'hex'), NULL, i, i / 3, i, 1000000 + i % 10, NULL, 0 \
        FROM generate_series(1, 200000) i; ANALYZE SESSIONS";
    const UNCHECKED: &'static str = "ALTER TABLE SESSIONS DROP CONSTRAINT SESSIONS_version_check";
    const INDICES: &'static str =
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'SESSIONS' ORDER BY 1";
    const DROP_INDICES: &'static str =
        "DROP INDEX SESSIONS_renewed, SESSIONS_handle, SESSIONS_created";

    #[cfg(feature = "flask-session")]
    const FLASK_TABLE: &'static str = "CREATE TABLE TABLE (id SERIAL NOT NULL, session_id VARCHAR(255), data BYTEA, \
         expiry TIMESTAMP WITHOUT TIME ZONE, \
         PRIMARY KEY (id), UNIQUE (session_id))";

    #[cfg(feature = "flask-session")]
    type FlaskStore = carafe_sqlx::FlaskSessionStore<sqlx::Postgres>;

    #[cfg(feature = "flask-session")]
    async fn flask_session(
        port: u16,
        layout: carafe_core::flask::stored::FlaskSession,
    ) -> Self::FlaskStore {
        let options = PgPoolOptions::new()
            .max_connections(16)
            .test_before_acquire(false);
        let pool = options.connect_lazy(&Self::url(port)).expect("a good URL");
        let store = PostgresStore::new(pool)
            .deadlines(PATIENT)
            .flask_session(layout);
        let store = store
            .table(suite::flask_session::TABLE)
            .expect("a good name");
        store.largest_record(1 << 20)
    }

    fn bytes(hex: &str) -> String {
        format!(r"'\x{hex}'")
    }
}

async fn conforming() -> PostgresStore {
    Postgres::store(Postgres::shared().port, "carafe_sessions", 16, PATIENT).await
}

mod conformance {
    carafe_core::session_store_conformance!(
        #[ignore = "needs postgres: cargo xtask test"];
        super::support::block_on,
        super::conforming()
    );
    carafe_core::session_life_conformance!(
        #[ignore = "needs postgres: cargo xtask test"];
        super::support::block_on,
        super::conforming()
    );
}
suite::suite!("needs postgres: cargo xtask test", super::Postgres);

/// A change of data writes no index: the new row stays on its page (a "heap-only tuple").
#[test]
#[ignore = "needs postgres: cargo xtask test"]
fn a_change_of_data_is_heap_only() {
    support::block_on(async {
        const TABLE: &str = "hot_sessions";
        let store = Postgres::store(Postgres::shared().port, TABLE, 1, PATIENT).await;
        let key = filed(&store, &record("{}")).await;
        let mut base = loaded(&store, &key).await;
        for turn in 0..20 {
            let patch = set("a", &turn.to_string());
            let patched = store.patch(&key, &base, &patch, NOW).await;
            base = applied(patched.expect("patch works"));
        }
        Postgres::rows_read(&store, TABLE).await;
        let sql = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = $1";
        let counts: (i64, i64) = sqlx::query_as(sql)
            .bind(TABLE)
            .fetch_one(store.pool())
            .await
            .expect("it counts");
        assert_eq!(counts, (20, 20));
    });
}

#[cfg(feature = "flask-session")]
mod flask_session {
    use super::{Postgres, suite::flask_session};

    mod msgpack {
        carafe_core::session_store_conformance!(
            #[ignore = "needs postgres: cargo xtask test"];
            crate::support::block_on,
            super::flask_session::msgpack::<super::Postgres>()
        );
    }

    mod json {
        carafe_core::session_store_conformance!(
            #[ignore = "needs postgres: cargo xtask test"];
            crate::support::block_on,
            super::flask_session::json::<super::Postgres>()
        );
    }

    crate::suite::flask_session::checks!("needs postgres: cargo xtask test", Postgres);
}
