//! The store on Postgres, against a private server.

#![allow(clippy::print_stdout, reason = "a seed that is not said is of no use")]

mod suite;
mod support;

use std::sync::OnceLock;

use carafe_sqlx::{Deadlines, PostgresStore};
use sqlx::postgres::PgPoolOptions;
use support::{Kit, PATIENT, Server};

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
