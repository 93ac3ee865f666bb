//! tower-sessions: an id in the cookie, the session in a store.
//!
//! Its newest store for Redis wants the version before the newest, whose types are others. So the handlers stand in a
//! file that is compiled for each of the two.

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

/// With the version that the store for Redis wants.
mod before {
    use tower_sessions_014 as version;

    include!("handlers.rs");
}

/// Sessions in the store in memory.
pub(crate) fn in_memory() -> Router {
    newest::site(::tower_sessions::MemoryStore::default())
}

/// The races' site, with the store in memory.
pub(crate) fn racing_in_memory() -> Router {
    newest::racing(::tower_sessions::MemoryStore::default())
}

/// Sessions in Redis, over so many connections.
pub(crate) async fn in_redis(url: &str, connections: usize) -> Outcome<Router> {
    Ok(before::site(redis(url, connections).await?))
}

/// The races' site, with Redis.
pub(crate) async fn racing_in_redis(url: &str, connections: usize) -> Outcome<Router> {
    Ok(before::racing(redis(url, connections).await?))
}

async fn redis(url: &str, connections: usize) -> Outcome<RedisStore<Pool>> {
    let pool = Pool::new(Config::from_url(url)?, None, None, None, connections)?;
    pool.connect();
    pool.wait_for_connect().await?;
    Ok(RedisStore::new(pool))
}
