//! The stores, each on a private server.

use std::{path::Path, sync::Arc};

use anyhow::{Result, bail};
use carafe_core::store::{Deadlines, ErasedStore, MemoryStore};
use carafe_redis::RedisOptions;
use carafe_sqlite::{SqliteOptions, SqliteStore};
use carafe_sqlx::{MySqlStore, PostgresStore};
use carafe_test_servers::{Redis, Sql};
use clap::ValueEnum;
use std::time::Duration;

/// A store that a campaign can test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
    Redis,
    Postgres,
    Mariadb,
}

/// A store and its server.
pub(crate) struct Running {
    pub(crate) store: Arc<dyn ErasedStore>,
    /// The URL for another process; empty for memory.
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

/// Deadlines for campaigns that do not measure time: a campaign loads the machine more than a
/// service.
pub(crate) const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(60),
    read: Duration::from_secs(60),
    write: Duration::from_secs(60),
};

impl Kind {
    /// Returns the default deadlines of a service.
    pub(crate) fn deadlines(self) -> Deadlines {
        match self {
            Self::Sqlite => Deadlines {
                write: Duration::from_secs(1),
                ..Deadlines::default()
            },
            _ => Deadlines::default(),
        }
    }

    /// Returns the name on the command line of a second process.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::Mariadb => "mariadb",
        }
    }

    pub(crate) const ALL: [Self; 5] = [
        Self::Memory,
        Self::Sqlite,
        Self::Redis,
        Self::Postgres,
        Self::Mariadb,
    ];

    /// Starts the store.
    ///
    /// With `measured`, the number of sessions that a measurement creates, the store survives a
    /// power failure, at the cost of slower writes.
    pub(crate) async fn start(self, measured: Option<u64>) -> Result<Running> {
        let (url, server) = match self {
            Self::Memory => (String::new(), Server::None),
            Self::Sqlite => {
                let dir = tempfile::tempdir()?;
                let file = dir.path().join("soak.db");
                SqliteStore::migrate(&file)?;
                (format!("sqlite:{}", file.display()), Server::Dir(dir))
            }
            Self::Redis => {
                let redis = match measured {
                    Some(_) => Redis::with(&["--appendonly", "yes"]),
                    None => Redis::start(),
                };
                (redis.tcp_url(), Server::Redis(redis))
            }
            Self::Postgres => of(match measured {
                Some(_) => Sql::postgres_with("-c fsync=on"),
                None => Sql::postgres(),
            }),
            Self::Mariadb => of(match measured {
                Some(sessions) => Sql::mariadb_with(&durable_mariadb(sessions)),
                None => Sql::mariadb(),
            }),
        };
        Ok(Running {
            store: open(&url, PATIENT).await?,
            url,
            _server: server,
        })
    }
}

impl Running {
    /// Opens the store like a service, with these deadlines.
    pub(crate) async fn with(&self, deadlines: Deadlines) -> Result<Arc<dyn ErasedStore>> {
        match self.url.is_empty() {
            true => Ok(Arc::clone(&self.store)),
            false => open(&self.url, deadlines).await,
        }
    }
}

/// Returns the arguments of a durable MariaDB for this number of sessions.
///
/// The redo log has at least 2 KiB per session, as much as a revocation writes. While it is full,
/// all writes wait for InnoDB to flush older changes, which may take longer than their deadlines.
/// The server allocates the whole file, so that a small campaign must not have a large one.
fn durable_mariadb(sessions: u64) -> String {
    let mebibytes = (sessions / 500).next_power_of_two().max(96);
    format!(
        "--innodb-flush-log-at-trx-commit=1 --innodb-buffer-pool-size=2G \
         --innodb-log-file-size={mebibytes}M"
    )
}

fn of(server: Sql) -> (String, Server) {
    (server.url().to_owned(), Server::Sql(server))
}

/// Opens the store at a URL of [`Running`].
pub(crate) async fn open(url: &str, deadlines: Deadlines) -> Result<Arc<dyn ErasedStore>> {
    Ok(match url.split_once(':') {
        None => Arc::new(MemoryStore::new()),
        Some(("sqlite", file)) => {
            let options = SqliteOptions::default().deadline(deadlines.write);
            Arc::new(SqliteStore::open(Path::new(file), options)?)
        }
        Some(("redis", _)) => {
            let options = RedisOptions::default().deadlines(deadlines);
            Arc::new(options.connect(url).await?)
        }
        Some(("postgres" | "postgresql", _)) => {
            let store = PostgresStore::connect(url).await?.deadlines(deadlines);
            store.migrate().await?;
            Arc::new(store)
        }
        Some(("mysql", _)) => {
            let store = MySqlStore::connect(url).await?.deadlines(deadlines);
            store.migrate().await?;
            Arc::new(store)
        }
        Some(_) => bail!("{url} is no store's"),
    })
}
