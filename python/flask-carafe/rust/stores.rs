//! Opens any store from its URL.

use std::{sync::Arc, time::Duration};

use carafe_core::{
    error::ErrorChain,
    flask::stored::{FlaskSession, Format, Walk},
    store::{Deadlines, ErasedStore, MemoryStore, StoreError, StoreUrl},
};
use carafe_redis::{RedisOptions, RedisStore};
use carafe_sqlite::{FlaskSessionStore, SqliteOptions, SqliteStore};
use carafe_sqlx::{InvalidTable, MySqlStore, PostgresStore};
use carafe_tokio::GuardOptions;
use pyo3::prelude::*;

use crate::{errors, settings::Options};

/// Flask-Session's defaults of `SESSION_SQLALCHEMY_TABLE` and `SESSION_KEY_PREFIX`.
const TABLE: &str = "sessions";
const KEY_PREFIX: &str = "session:";
/// The prefix parameter of cluster and sentinel URLs, which the driver does not parse.
const PREFIX: &str = "prefix";

/// The reason why a store cannot be opened.
pub(crate) enum OpenError {
    /// The URL or a setting is invalid.
    Settings(String),
    /// The store does not answer.
    Store(StoreError),
}

impl OpenError {
    /// Returns the exception of this error.
    pub(crate) fn raised(&self, py: Python<'_>) -> PyErr {
        match self {
            Self::Settings(message) => errors::raise(py, "ConfigError", message),
            Self::Store(error) => errors::of_store(py, error),
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Opens the store of `options`. In Flask-Session's layout, `lifetime` is the lifetime of sessions.
pub(crate) async fn open(
    url: &str,
    options: &Options,
    lifetime: Duration,
) -> Result<Arc<dyn ErasedStore>, OpenError> {
    if matches!(url, "memory" | "memory:" | "memory://") {
        return Ok(Arc::new(MemoryStore::new()));
    }
    let url = parsed(url)?;
    let store: Arc<dyn ErasedStore> = match options.flask_session {
        true => {
            let prefix = options.key_prefix.as_deref().unwrap_or(KEY_PREFIX);
            let layout = FlaskSession::new(options.record_format())
                .with_prefix(prefix)
                .with_lifetime(lifetime);
            let (table, deadlines) = (options.table.as_deref(), options.deadlines());
            let opened = open_flask_session(&url, layout, table, deadlines);
            let store: Arc<dyn Walk> = Arc::from(opened.await?);
            store
        }
        false => open_own(&url, options).await?,
    };
    let guard = match options.deadlines() {
        None => GuardOptions::default(),
        // A request loads its session, changes it, and may try each of both again.
        Some(deadlines) => GuardOptions::default()
            .with_deadlines(deadlines)
            .with_budget(4 * (deadlines.connect + deadlines.write)),
    };
    Ok(Arc::new(guard.guard_shared(store)))
}

/// Opens a store that Flask-Session has made, to take its sessions from. Both of its formats are
/// read.
pub(crate) async fn open_source(
    url: &str,
    (key_prefix, table): (Option<&str>, Option<&str>),
    lifetime: Duration,
) -> Result<Box<dyn Walk>, OpenError> {
    let layout = FlaskSession::new(Format::MsgPack)
        .with_prefix(key_prefix.unwrap_or(KEY_PREFIX))
        .with_lifetime(lifetime);
    open_flask_session(&parsed(url)?, layout, table, None).await
}

fn parsed(url: &str) -> Result<StoreUrl, OpenError> {
    StoreUrl::parse(url).map_err(|error| OpenError::Settings(error.to_string()))
}

async fn open_flask_session(
    url: &StoreUrl,
    layout: FlaskSession,
    table: Option<&str>,
    deadlines: Option<Deadlines>,
) -> Result<Box<dyn Walk>, OpenError> {
    let table = table.unwrap_or(TABLE);
    let sqlite = sqlite(deadlines);
    let deadlines = deadlines.unwrap_or_default();
    let misnamed = |error: InvalidTable| OpenError::Settings(error.to_string());
    Ok(match url.scheme() {
        "sqlite" => {
            let file = url.place().strip_prefix("//").unwrap_or(url.place());
            let store = FlaskSessionStore::open(file, table, layout, sqlite);
            Box::new(store.map_err(|error| unavailable(&error))?)
        }
        "postgres" | "postgresql" => {
            let store = PostgresStore::connect(&url.for_driver()).await?;
            let store = store.deadlines(deadlines);
            Box::new(store.flask_session(layout).table(table).map_err(misnamed)?)
        }
        "mysql" | "mariadb" => {
            let store = MySqlStore::connect(&url.for_driver()).await?;
            let store = store.deadlines(deadlines);
            Box::new(store.flask_session(layout).table(table).map_err(misnamed)?)
        }
        _ => Box::new(redis(url, None, deadlines).await?.flask_session(layout)),
    })
}

async fn open_own(url: &StoreUrl, options: &Options) -> Result<Arc<dyn ErasedStore>, OpenError> {
    let table = options.table.as_deref();
    let deadlines = options.deadlines().unwrap_or_default();
    Ok(match url.scheme() {
        "sqlite" => {
            let sqlite = sqlite(options.deadlines()).migrate(options.migrate);
            let store = SqliteStore::from_url(&url.for_driver(), sqlite);
            Arc::new(store.map_err(|error| unavailable(&error))?)
        }
        "postgres" | "postgresql" => {
            let store = PostgresStore::connect(&url.for_driver()).await?;
            let store = named(store.deadlines(deadlines), table, PostgresStore::table)?;
            if options.migrate {
                store.migrate().await?;
            }
            Arc::new(store)
        }
        "mysql" | "mariadb" => {
            let store = MySqlStore::connect(&url.for_driver()).await?;
            let store = named(store.deadlines(deadlines), table, MySqlStore::table)?;
            if options.migrate {
                store.migrate().await?;
            }
            Arc::new(store)
        }
        _ => Arc::new(redis(url, options.key_prefix.as_deref(), deadlines).await?),
    })
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> StoreError {
    StoreError::unavailable(ErrorChain::of(error).to_string())
}

fn named<S, E: std::fmt::Display>(
    store: S,
    table: Option<&str>,
    set: impl FnOnce(S, &str) -> Result<S, E>,
) -> Result<S, OpenError> {
    match table {
        Some(table) => set(store, table).map_err(|error| OpenError::Settings(error.to_string())),
        None => Ok(store),
    }
}

fn sqlite(deadlines: Option<Deadlines>) -> SqliteOptions {
    let options = SqliteOptions::default();
    match deadlines {
        Some(Deadlines { write, .. }) => options.deadline(write),
        None => options,
    }
}

async fn redis(
    url: &StoreUrl,
    prefix: Option<&str>,
    deadlines: Deadlines,
) -> Result<RedisStore, OpenError> {
    let mut redis = RedisOptions::new().deadlines(deadlines);
    let prefix = prefix.map(str::to_owned);
    if let Some(prefix) = prefix.or_else(|| url.parameter(PREFIX)) {
        redis = redis.prefix(&prefix);
    }
    let nodes = |scheme: &str| -> Vec<String> {
        url.hosts()
            .map(|host| url.of_host(host).with_scheme(scheme).for_driver())
            .collect()
    };
    let several = || {
        let checked = url.check_parameters(&[PREFIX]);
        checked.map_err(|error| OpenError::Settings(error.to_string()))
    };
    Ok(match url.scheme() {
        "redis+cluster" => {
            several()?;
            redis.connect_cluster(nodes("redis")).await?
        }
        "rediss+cluster" => {
            several()?;
            redis.connect_cluster(nodes("rediss")).await?
        }
        "redis+sentinel" => {
            several()?;
            let service = url
                .place()
                .trim_start_matches('/')
                .split_once('/')
                .map(|(_, name)| name);
            let service = service.filter(|name| !name.is_empty()).ok_or_else(|| {
                OpenError::Settings(
                    "a URL of sentinels ends with the name of the service".to_owned(),
                )
            })?;
            redis.connect_sentinel(url.hosts(), service).await?
        }
        "redis" | "rediss" | "valkey" | "valkeys" | "redis+unix" | "valkey+unix" | "unix" => {
            redis.connect(url.for_driver()).await?
        }
        _ => {
            return Err(OpenError::Settings(
                "stores are named memory:, sqlite:FILE, redis://…, postgres://… or mysql://…"
                    .to_owned(),
            ));
        }
    })
}
