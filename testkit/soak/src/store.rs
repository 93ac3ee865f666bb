//! The stores: each on a server of its own, gone at the end.

use std::{path::Path, sync::Arc};

use anyhow::{Result, bail};
use carafe_core::store::{Deadlines, MemoryStore, SessionStore};
use carafe_redis::RedisOptions;
use carafe_sqlite::{SqliteOptions, SqliteStore};
use carafe_sqlx::{MySqlStore, PostgresStore};
use carafe_test_servers::{Redis, Sql};
use clap::ValueEnum;
use std::time::Duration;

/// A store that a campaign can run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
    Redis,
    Postgres,
    Mariadb,
}

/// A store, and what keeps it running.
pub(crate) struct Running {
    pub(crate) store: Arc<dyn SessionStore>,
    /// By which another process reaches it; none for memory.
    pub(crate) url: String,
    _server: Server,
}

#[expect(dead_code, reason = "held until the campaign is over")]
enum Server {
    None,
    Dir(tempfile::TempDir),
    Redis(Redis),
    Sql(Sql),
}

/// A campaign loads the machine as no service would; what it looks for is not slowness.
const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(60),
    read: Duration::from_secs(60),
    write: Duration::from_secs(60),
};

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Memory,
        Self::Sqlite,
        Self::Redis,
        Self::Postgres,
        Self::Mariadb,
    ];

    pub(crate) async fn start(self) -> Result<Running> {
        let (url, server) = match self {
            Self::Memory => (String::new(), Server::None),
            Self::Sqlite => {
                let dir = tempfile::tempdir()?;
                let file = dir.path().join("soak.db");
                SqliteStore::migrate(&file)?;
                (format!("sqlite:{}", file.display()), Server::Dir(dir))
            }
            Self::Redis => {
                let redis = Redis::start();
                (redis.tcp_url(), Server::Redis(redis))
            }
            Self::Postgres => of(Sql::postgres()),
            Self::Mariadb => of(Sql::mariadb()),
        };
        Ok(Running {
            store: open(&url).await?,
            url,
            _server: server,
        })
    }
}

fn of(server: Sql) -> (String, Server) {
    (server.url().to_owned(), Server::Sql(server))
}

/// The store behind a URL of [`Running`].
pub(crate) async fn open(url: &str) -> Result<Arc<dyn SessionStore>> {
    Ok(match url.split_once(':') {
        None => Arc::new(MemoryStore::new()),
        Some(("sqlite", file)) => {
            let options = SqliteOptions::default().deadline(PATIENT.write);
            Arc::new(SqliteStore::open(Path::new(file), options)?)
        }
        Some(("redis", _)) => {
            let options = RedisOptions::default().deadlines(PATIENT);
            Arc::new(options.connect(url).await?)
        }
        Some(("postgres" | "postgresql", _)) => {
            let store = PostgresStore::connect(url).await?.deadlines(PATIENT);
            store.migrate().await?;
            Arc::new(store)
        }
        Some(("mysql", _)) => {
            let store = MySqlStore::connect(url).await?.deadlines(PATIENT);
            store.migrate().await?;
            Arc::new(store)
        }
        Some(_) => bail!("{url} is no store's"),
    })
}
