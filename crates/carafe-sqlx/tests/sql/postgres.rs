//! Tests of the store on a private Postgres server.

use carafe_core::{
    clock::Timestamp,
    store::{Selection, SessionListing as _, SessionStore, UserSessions as _},
};
use carafe_sqlx::PostgresStore;

use crate::{
    suite,
    support::{self, Kit, PATIENT, Server, fixtures::*},
};

struct Postgres;

impl Kit for Postgres {
    support::kit!(PostgresStore, sqlx::Postgres, postgres, postgres_with_tls);

    fn url(port: u16) -> String {
        // Each connection logs its statements to the server's log.
        format!("postgres://postgres@127.0.0.1:{port}/postgres?options[log_statement]=all")
    }

    fn other_host(port: u16, parameters: &str) -> String {
        format!("postgres://postgres@0.0.0.0:{port}/postgres?{parameters}")
    }

    const AUTHORITY: &'static str = "sslrootcert";
    const WITHOUT_TLS: &'static str = "sslmode=disable";
    const REQUIRED: &'static str = "sslmode=require";

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
        'user' || i % 500, '123456789012', NULL, i, i, i, i, NULL, NULL, 0 FROM generate_series(1, 5000) i; \
        ANALYZE TABLE";

    async fn rows_read(store: &PostgresStore, table: &str) -> i64 {
        // Postgres publishes a connection's counters with a delay unless it is forced to.
        let publish = sqlx::query("SELECT pg_stat_force_next_flush()").execute(store.pool());
        publish.await.expect("it publishes");
        let sql = "SELECT (t.seq_tup_read + (SELECT sum(i.idx_tup_read) FROM pg_stat_user_indexes i \
            WHERE i.relid = t.relid))::bigint FROM pg_stat_user_tables t WHERE t.relname = $1";
        let count = sqlx::query_scalar(sql).bind(table).fetch_one(store.pool());
        count.await.expect("it counts")
    }

    const SAMPLE: i64 = 512 + 4_097 + 100;

    const FILL_MANY: &'static str = "INSERT INTO SESSIONS SELECT sha256(i::text::bytea), NULL, '{}', NULL, \
        decode(substr(md5(i::text), 1, 24), 'hex'), NULL, i, i / 3, i, 1000000 + i % 10, NULL, NULL, 0 \
        FROM generate_series(1, 200000) i";
    const ANALYZE: &'static str = "ANALYZE SESSIONS";
    const KEEP_STATISTICS: &'static str = "ALTER TABLE SESSIONS SET (autovacuum_enabled = false)";
    const VERSION_1: &'static str = include_str!("version_1/postgres.sql");
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

/// Without statistics, the planner expects about 1,000 sessions of the user.
#[test]
#[ignore = "needs postgres: cargo xtask test"]
fn a_limit_above_the_expected_rows_reads_few() {
    support::block_on(async {
        const TABLE: &str = "unexpected_sessions";
        const THEN: Timestamp = Timestamp::from_unix(1_000_000);
        let server = Postgres::shared();
        let store = Postgres::store(server.port, TABLE, 1, PATIENT).await;
        let fill = Postgres::FILL_MANY.replacen("'{}', NULL", "'{}', 'zoe'", 1);
        let fill = fill.replace("200000", "20000");
        for sql in [Postgres::KEEP_STATISTICS, &fill] {
            server.sql(&sql.replace("SESSIONS", TABLE));
        }
        let page = store.list_by_user("zoe", None, 1_000, THEN).await;
        let page = page.expect("list_by_user works");
        assert_eq!(page.len(), 1_000);
        let listed = Postgres::rows_read(&store, TABLE).await;
        assert!(listed < 2_000, "{listed}");
        let ended = store.trim("zoe", 1_000, page[0].public_id, 200, THEN).await;
        assert_eq!(ended.expect("trim works"), 200);
        let trimmed = Postgres::rows_read(&store, TABLE).await - listed;
        assert!(trimmed < 5_000, "{trimmed}");
    });
}

/// Before the first ANALYZE, the planner prefers the condition of a partial index to the public id.
#[test]
#[ignore = "needs postgres: cargo xtask test"]
fn a_public_id_is_found_by_its_index() {
    support::block_on(async {
        const TABLE: &str = "handle_index_sessions";
        const THEN: Timestamp = Timestamp::from_unix(1_000_000);
        let server = Postgres::shared();
        let store = Postgres::store(server.port, TABLE, 1, PATIENT).await;
        let fill = Postgres::FILL_MANY.replacen("'{}', NULL", "'{}', 'zoe'", 1);
        for sql in [Postgres::KEEP_STATISTICS, &fill] {
            server.sql(&sql.replace("SESSIONS", TABLE));
        }
        let page = store.list_by_user("zoe", None, 3, THEN).await;
        let page = page.expect("of_user works");
        let found = store.find(page[0].public_id, THEN).await;
        assert!(found.expect("of_handle works").is_some());
        let ended = store.delete_by_public_id(page[0].public_id, THEN).await;
        assert!(ended.expect("delete_of_handle works"));
        let only = Selection::Only(page[1].public_id);
        let ended = store.delete_by_user("zoe", only, 1, THEN).await;
        assert_eq!(ended.expect("delete_of_user works"), 1);
        let ended = store.trim("zoe", 50, page[2].public_id, 5, THEN).await;
        assert_eq!(ended.expect("trim works"), 5);
        Postgres::rows_read(&store, TABLE).await;
        let scans = server.sql(&format!(
            "SELECT indexrelname FROM pg_stat_user_indexes WHERE relname = '{TABLE}' AND idx_scan > 0 ORDER BY 1"
        ));
        let used: Vec<_> = scans.lines().collect();
        let expected = [format!("{TABLE}_handle"), format!("{TABLE}_of_user")];
        assert_eq!(used, expected);
    });
}

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

#[test]
fn a_parameter_that_does_not_exist_is_refused() {
    support::block_on(suite::connecting::a_parameter_that_does_not_exist_is_refused::<Postgres>());
}

mod behind_a_pooler {
    use std::sync::OnceLock;

    use carafe_core::store::{SessionStore, StoreError};
    use carafe_sqlx::PostgresStore;
    use carafe_test_servers::PgBouncer;
    use sqlx::Row as _;

    use super::Postgres;
    use crate::support::{Kit, PATIENT, block_on, fixtures::*};

    carafe_core::session_store_conformance!(
        #[ignore = "needs postgres and pgbouncer: cargo xtask test"];
        block_on,
        store()
    );

    const HELD: &str =
        "SELECT COUNT(*) FROM pg_prepared_statements WHERE statement LIKE '%carafe_sessions%'";

    fn pooler() -> &'static PgBouncer {
        static POOLER: OnceLock<PgBouncer> = OnceLock::new();
        POOLER.get_or_init(|| PgBouncer::before(Postgres::shared()))
    }

    async fn store() -> PostgresStore {
        let store = PostgresStore::connect(&pooler().url()).await;
        let store = store.expect("connect works").deadlines(PATIENT);
        store.migrate().await.expect("migrate works");
        store
    }

    /// Runs operations from several stores, like the processes of a service.
    ///
    /// Each store has its own pool.
    async fn share(stores: Vec<PostgresStore>) -> Result<(), StoreError> {
        let key = filed(&stores[0], &record(r#"{"n":0}"#)).await;
        let mut tasks = tokio::task::JoinSet::new();
        for store in stores {
            let store = std::sync::Arc::new(store);
            for _ in 0..8 {
                let store = std::sync::Arc::clone(&store);
                tasks.spawn(async move {
                    for _ in 0..10 {
                        let other = filed(&*store, &record("{}")).await;
                        store.delete(&other, NOW).await?;
                        let base = store
                            .load(&key, NOW)
                            .await?
                            .into_record()
                            .expect("it is there");
                        store.patch(&key, &base, &increment(&base), NOW).await?;
                    }
                    Ok::<(), StoreError>(())
                });
            }
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("no panic")?;
        }
        let store = store().await;
        assert_eq!(loaded(&store, &key).await.data.text_of("n"), Some("320"));
        Ok(())
    }

    #[test]
    #[ignore = "needs postgres and pgbouncer: cargo xtask test"]
    fn several_processes_share_its_connections() {
        block_on(async {
            let stores = [store().await, store().await, store().await, store().await];
            share(stores.into()).await.expect("nothing fails");
        });
    }

    #[test]
    #[ignore = "needs postgres and pgbouncer: cargo xtask test"]
    fn a_pool_of_the_callers_can_do_without_prepared_statements() {
        block_on(async {
            store().await;
            let options: sqlx::postgres::PgConnectOptions = pooler().url().parse().expect("a URL");
            let made = |_| {
                let pool = sqlx::pool::PoolOptions::new().max_connections(8);
                let pool = pool.connect_lazy_with(options.clone().extra_float_digits(None));
                PostgresStore::new(pool)
                    .without_prepared_statements()
                    .deadlines(PATIENT)
            };
            share((0..4).map(made).collect())
                .await
                .expect("nothing fails");
        });
    }

    /// Statements are prepared, which is faster, unless a pooler loses them.
    #[test]
    #[ignore = "needs postgres and pgbouncer: cargo xtask test"]
    fn statements_are_prepared_where_no_pooler_is_between() {
        block_on(async {
            let direct = Postgres::url(Postgres::shared().port);
            for (url, is_prepared) in [
                (direct.clone(), true),
                (format!("{direct}&statement_cache=0"), false),
                (pooler().url(), false),
            ] {
                let store = PostgresStore::connect(&url).await.expect("connect works");
                let store = store.deadlines(PATIENT);
                store.migrate().await.expect("migrate works");
                let mut held = 0;
                // Each iteration may use another connection of the pool.
                for _ in 0..20 {
                    store.load(&key(), NOW).await.expect("load works");
                    let rows = sqlx::raw_sql(HELD).fetch_all(store.pool()).await;
                    held += rows.expect("it counts")[0].get::<i64, _>(0);
                }
                assert_eq!(held > 0, is_prepared, "{url}");
            }
        });
    }
}
