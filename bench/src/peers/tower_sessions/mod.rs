//! tower-sessions: an id in the cookie, the session in a store.
//!
//! The newest Redis store requires the previous version, which has other types. The handlers are
//! therefore in a file that is compiled once for each version.

use axum::Router;
use tower_sessions_redis_store::{
    RedisStore,
    fred::prelude::{ClientLike, Config, Pool},
};

use crate::harness::Outcome;

/// With the newest version.
mod newest {
    use ::tower_sessions as version;

    include!("handlers.rs");
}

/// With the version that the Redis store requires.
mod before {
    use tower_sessions_014 as version;

    include!("handlers.rs");
}

/// Returns a site with the memory store.
pub(crate) fn in_memory() -> Router {
    newest::site(::tower_sessions::MemoryStore::default())
}

/// Returns the races' site with the memory store.
pub(crate) fn racing_in_memory() -> Router {
    newest::racing(::tower_sessions::MemoryStore::default())
}

/// Returns a site with Redis and the given number of connections.
pub(crate) async fn in_redis(url: &str, connections: usize) -> Outcome<Router> {
    Ok(before::site(redis(url, connections).await?))
}

/// Returns the races' site with Redis.
pub(crate) async fn racing_in_redis(url: &str, connections: usize) -> Outcome<Router> {
    Ok(before::racing(redis(url, connections).await?))
}

async fn redis(url: &str, connections: usize) -> Outcome<RedisStore<Pool>> {
    let pool = Pool::new(Config::from_url(url)?, None, None, None, connections)?;
    pool.connect();
    pool.wait_for_connect().await?;
    Ok(RedisStore::new(pool))
}
