//! Any store from its URL.

use std::{sync::Arc, time::Duration};

use carafe_core::{
    error::ErrorChain,
    flask::stored::FlaskSession,
    store::{ErasedStore, MemoryStore, StoreError, StoreUrl},
};
use carafe_redis::{RedisOptions, RedisStore};
use carafe_sqlite::{FlaskSessionStore, SqliteOptions, SqliteStore};
use carafe_sqlx::{MySqlStore, PostgresStore};
use carafe_tokio::GuardOptions;

use crate::settings::Options;

/// Flask-Session's `SESSION_SQLALCHEMY_TABLE` and `SESSION_KEY_PREFIX`, if they are not set.
const TABLE: &str = "sessions";
const KEY_PREFIX: &str = "session:";
/// Parameter of a cluster and of sentinels, whose URLs are not the driver's.
const PREFIX: &str = "prefix";

/// Why a store cannot be opened.
pub(crate) enum OpenError {
    /// The URL or a setting is wrong.
    Settings(String),
    /// The store does not answer.
    Store(StoreError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Opens the store of `options`, whose sessions live for `lifetime` in Flask-Session's layout.
pub(crate) async fn open(
    url: &str,
    options: &Options,
    lifetime: Duration,
) -> Result<Arc<dyn ErasedStore>, OpenError> {
    if matches!(url, "memory" | "memory:" | "memory://") {
        return Ok(Arc::new(MemoryStore::new()));
    }
    let url = StoreUrl::parse(url).map_err(|error| OpenError::Settings(error.to_string()))?;
    let layout = options.flask_session.then(|| {
        let prefix = options.key_prefix.as_deref().unwrap_or(KEY_PREFIX);
        FlaskSession::new(options.record_format())
            .with_prefix(prefix)
            .with_lifetime(lifetime)
    });
    let table = options.table.as_deref();
    let store: Arc<dyn ErasedStore> = match (url.scheme(), layout) {
        ("sqlite", Some(layout)) => {
            let file = url.place().strip_prefix("//").unwrap_or(url.place());
            let store = FlaskSessionStore::open(
                file,
                table.unwrap_or(TABLE),
                layout,
                SqliteOptions::default(),
            );
            Arc::new(
                store
                    .map_err(|error| StoreError::unavailable(ErrorChain::of(&error).to_string()))?,
            )
        }
        ("sqlite", None) => {
            let sqlite = SqliteOptions::default().migrate(options.migrate);
            let store = SqliteStore::from_url(&url.for_driver(), sqlite);
            Arc::new(
                store
                    .map_err(|error| StoreError::unavailable(ErrorChain::of(&error).to_string()))?,
            )
        }
        ("postgres" | "postgresql", layout) => {
            let store = PostgresStore::connect(&url.for_driver()).await?;
            match layout {
                Some(layout) => {
                    let store = store.flask_session(layout).table(table.unwrap_or(TABLE));
                    Arc::new(store.map_err(|error| OpenError::Settings(error.to_string()))?)
                }
                None => {
                    let store = named(store, table, PostgresStore::table)?;
                    if options.migrate {
                        store.migrate().await?;
                    }
                    Arc::new(store)
                }
            }
        }
        ("mysql" | "mariadb", layout) => {
            let store = MySqlStore::connect(&url.for_driver()).await?;
            match layout {
                Some(layout) => {
                    let store = store.flask_session(layout).table(table.unwrap_or(TABLE));
                    Arc::new(store.map_err(|error| OpenError::Settings(error.to_string()))?)
                }
                None => {
                    let store = named(store, table, MySqlStore::table)?;
                    if options.migrate {
                        store.migrate().await?;
                    }
                    Arc::new(store)
                }
            }
        }
        (_, layout) => {
            let store = redis(&url, options).await?;
            match layout {
                Some(layout) => Arc::new(store.flask_session(layout)),
                None => Arc::new(store),
            }
        }
    };
    Ok(Arc::new(GuardOptions::default().guard_shared(store)))
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

async fn redis(url: &StoreUrl, options: &Options) -> Result<RedisStore, OpenError> {
    let mut redis = RedisOptions::new();
    let prefix = match options.flask_session {
        true => None,
        false => options.key_prefix.clone(),
    };
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
