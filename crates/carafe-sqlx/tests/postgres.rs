//! The store on Postgres, against a private server.

#![allow(clippy::print_stdout, reason = "a seed that is not said is of no use")]

mod suite;
mod support;

use std::sync::OnceLock;

use carafe_sqlx::{Deadlines, PostgresStore};
use sqlx::postgres::PgPoolOptions;
use support::{Kit, PATIENT, server::Server};

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
        let (initdb, postgres) = (postgres_program("initdb"), postgres_program("postgres"));
        let init = format!("{initdb} -D {{dir}}/data -U postgres -A trust -N");
        let run = format!(
            "{postgres} -D {{dir}}/data -p {{port}} -c listen_addresses=127.0.0.1 \
             -c unix_socket_directories={{dir}} -c max_connections=300 -c fsync=off"
        );
        let client = "psql -XqAt -v ON_ERROR_STOP=1 -d \
             postgres://postgres@127.0.0.1:{port}/postgres -c";
        Server::start(&init, &run, client)
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

/// The newest of the installed versions of one of Postgres's programs.
fn postgres_program(name: &str) -> String {
    let versions =
        std::fs::read_dir("/usr/lib/postgresql").expect("the package postgresql is there");
    let mut numbers: Vec<u32> = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    let newest = numbers.last().expect("there is a version");
    format!("/usr/lib/postgresql/{newest}/bin/{name}")
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
}
suite::suite!("needs postgres: cargo xtask test", super::Postgres);

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
