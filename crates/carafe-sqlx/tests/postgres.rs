//! The store on Postgres, against a private server.

mod suite;
mod support;

use std::sync::OnceLock;

use carafe_sqlx::{Deadlines, PostgresStore};
use sqlx::postgres::PgPoolOptions;
use support::{
    Kit, PATIENT, block_on,
    server::{Server, postgres_program},
};

struct Postgres;

impl Postgres {
    fn url(server: &Server) -> String {
        // Each connection writes down its statements in the server's log.
        format!(
            "postgres://postgres@127.0.0.1:{}/postgres?options[log_statement]=all",
            server.port
        )
    }
}

impl Kit for Postgres {
    type Store = PostgresStore;

    fn start() -> Server {
        let (initdb, postgres) = (postgres_program("initdb"), postgres_program("postgres"));
        let client = "postgres://postgres@127.0.0.1:{port}/postgres";
        Server::start(
            &[
                &initdb,
                "-D",
                "{dir}/data",
                "-U",
                "postgres",
                "-A",
                "trust",
                "-N",
            ],
            &[
                &postgres,
                "-D",
                "{dir}/data",
                "-p",
                "{port}",
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories={dir}",
                "-c",
                "max_connections=300",
                "-c",
                "fsync=off",
            ],
            &[
                "psql",
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                client,
                "-c",
            ],
        )
    }

    fn shared() -> &'static Server {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    async fn store(
        server: &Server,
        table: &str,
        connections: u32,
        deadlines: Deadlines,
    ) -> PostgresStore {
        let options = PgPoolOptions::new()
            .max_connections(connections)
            .test_before_acquire(false);
        let pool = options
            .connect_lazy(&Self::url(server))
            .expect("a good URL");
        let store = PostgresStore::new(pool).table(table).expect("a good name");
        let store = store.deadlines(PATIENT);
        store.migrate().await.expect("migrate works");
        store.deadlines(deadlines)
    }

    async fn connected(server: &Server) -> PostgresStore {
        let store = PostgresStore::connect(&Self::url(server))
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

    const BREAK: &'static str = "UPDATE carafe_sessions SET data = '{broken'";

    fn plan(server: &Server, query: &str) -> String {
        let sql = format!("ANALYZE; EXPLAIN {query}");
        server.sql(&sql)
    }

    fn is_key(hex: &str) -> String {
        format!(r"store_key = '\x{hex}'")
    }
}

async fn conforming() -> PostgresStore {
    Postgres::store(Postgres::shared(), "carafe_sessions", 16, PATIENT).await
}

mod conformance {
    carafe_core::session_store_conformance!(super::block_on, super::conforming());
}

suite::suite!(super::Postgres);
