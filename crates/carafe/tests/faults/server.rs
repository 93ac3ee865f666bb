//! The database servers, with their test-specific properties.

use std::{fmt::Write as _, sync::Arc, sync::OnceLock};

use carafe::{
    ErasedStore,
    store::{Deadlines, StoreKey},
};
use carafe_redis::RedisOptions;
use carafe_sqlx::{MySqlStore, PostgresStore};
use carafe_test_servers::Sql;

pub(crate) trait Server: Sized + Send + Sync + 'static {
    /// The name passed to a child process.
    const NAME: &'static str;

    /// Starts a private server, to be killed or stopped.
    fn start() -> Self;

    /// Starts a server that writes acknowledged changes to disk.
    fn start_durable() -> Self;

    /// Returns the shared server, for rows that only break connections.
    fn shared() -> &'static Self;

    fn port(&self) -> u16;

    /// Connects a store to the server at `port`.
    fn store(port: u16, deadlines: Deadlines) -> impl Future<Output = Arc<dyn ErasedStore>> + Send;

    fn kill(&self);

    /// Restarts the server with its data on disk.
    fn restart(&self);

    /// Restarts the server without sessions.
    fn restart_empty(&self);

    fn signal(&self, name: &str);

    /// Makes the record of `key` unreadable.
    fn damage(&self, key: &StoreKey);

    /// Returns all data of `key` on the server.
    fn raw(&self, key: &StoreKey) -> String;
}

pub(crate) struct Redis(carafe_test_servers::Redis);
pub(crate) struct Postgres(Sql);
pub(crate) struct MariaDb(Sql);

impl Redis {
    fn name(key: &StoreKey) -> String {
        let key = base64(key.as_bytes());
        format!("carafe:{key}")
    }
}

/// Encodes as base64url without padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = word(0) << 16 | word(1) << 8 | word(2);
        for letter in 0..=chunk.len() {
            let index = bits >> (18 - 6 * letter) & 63;
            text.push(char::from(LETTERS[index as usize]));
        }
    }
    text
}

fn hex(key: &StoreKey) -> String {
    key.as_bytes().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

impl Server for Redis {
    const NAME: &'static str = "redis";

    fn start() -> Self {
        Self(carafe_test_servers::Redis::start())
    }

    fn start_durable() -> Self {
        let settings = ["--appendonly", "yes", "--appendfsync", "always"];
        Self(carafe_test_servers::Redis::with(&settings))
    }

    fn shared() -> &'static Self {
        static SERVER: OnceLock<Redis> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    fn port(&self) -> u16 {
        self.0.port()
    }

    async fn store(port: u16, deadlines: Deadlines) -> Arc<dyn ErasedStore> {
        let options = RedisOptions::new().deadlines(deadlines);
        let store = options.connect(format!("redis://127.0.0.1:{port}")).await;
        Arc::new(store.unwrap())
    }

    fn kill(&self) {
        self.0.kill();
    }

    fn restart(&self) {
        self.0.restart();
    }

    fn restart_empty(&self) {
        self.0.restart();
    }

    fn signal(&self, name: &str) {
        self.0.signal(name);
    }

    fn damage(&self, key: &StoreKey) {
        // Overwrites the first digit of the second field, a timestamp.
        let length = self.0.cli(&["SETRANGE", &Self::name(key), "2", "x"]);
        assert_ne!(length, "3", "there was a record");
    }

    fn raw(&self, key: &StoreKey) -> String {
        self.0.cli(&["GET", &Self::name(key)])
    }
}

macro_rules! sql_server {
    ($server:ident, $start:ident, $store:ident, $url:literal, $place:literal, $bytes:literal) => {
        impl $server {
            fn row(key: &StoreKey) -> String {
                format!(concat!("store_key = ", $bytes), hex(key))
            }

            fn sql(&self, sql: &str) -> String {
                self.0.sql(&format!(concat!($place, "{}"), sql))
            }
        }

        impl Server for $server {
            const NAME: &'static str = stringify!($start);

            fn start() -> Self {
                Self(Sql::$start())
            }

            fn start_durable() -> Self {
                Self::start()
            }

            fn shared() -> &'static Self {
                static SERVER: OnceLock<$server> = OnceLock::new();
                SERVER.get_or_init(Self::start)
            }

            fn port(&self) -> u16 {
                self.0.port
            }

            async fn store(port: u16, deadlines: Deadlines) -> Arc<dyn ErasedStore> {
                let store = $store::connect(&format!($url, port)).await.unwrap();
                store.migrate().await.unwrap();
                Arc::new(store.deadlines(deadlines))
            }

            fn kill(&self) {
                self.0.kill();
            }

            fn restart(&self) {
                self.0.restart();
            }

            fn restart_empty(&self) {
                self.0.restart();
                self.sql("DELETE FROM carafe_sessions");
            }

            fn signal(&self, name: &str) {
                self.0.signal(name);
            }

            fn damage(&self, key: &StoreKey) {
                let row = Self::row(key);
                self.sql(&format!(
                    "UPDATE carafe_sessions SET data = '{{\"a\":' WHERE {row}"
                ));
            }

            fn raw(&self, key: &StoreKey) -> String {
                let row = Self::row(key);
                self.sql(&format!("SELECT * FROM carafe_sessions WHERE {row}"))
            }
        }
    };
}

sql_server!(
    Postgres,
    postgres,
    PostgresStore,
    "postgres://postgres@127.0.0.1:{}/postgres",
    "",
    r"'\x{}'"
);
sql_server!(
    MariaDb,
    mariadb,
    MySqlStore,
    "mysql://root@127.0.0.1:{}/carafe",
    "USE carafe; ",
    "x'{}'"
);
