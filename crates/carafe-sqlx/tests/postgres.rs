//! The store on Postgres, against a private server.

#![allow(clippy::print_stdout, reason = "a seed that is not said is of no use")]

mod suite;
mod support;

use carafe_core::store::SessionStore;
use carafe_sqlx::PostgresStore;
use support::{Kit, PATIENT, Server, fixtures::*};

struct Postgres;

impl Kit for Postgres {
    support::kit!(PostgresStore, sqlx::Postgres, postgres);

    fn url(port: u16) -> String {
        // Each connection writes down its statements in the server's log.
        format!("postgres://postgres@127.0.0.1:{port}/postgres?options[log_statement]=all")
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

    fn bytes(hex: &str) -> String {
        format!(r"'\x{hex}'")
    }
}

suite::tests!("needs postgres: cargo xtask test", Postgres);

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
