//! A session store in memcached: an example of a third-party store.
//!
//! ```no_run
//! use carafe_core::session::ServerSide;
//!
//! let store = memcached_store::connect("tcp://127.0.0.1:11211");
//! let side = ServerSide::new(store);
//! ```
//!
//! [`Memcached`] compares and swaps single keys with memcached's meta commands; `CasStore` does the
//! rest. Needs memcached 1.6 or newer. memcached is a cache, with these consequences:
//!
//! * **It persists nothing.** A restart or a failure of the server loses all sessions.
//! * **It evicts.** When its memory is full, memcached drops the least recently used values, which
//!   logs their visitors out. It may also drop a marker, so that a request with a retired id counts
//!   as one with an unknown id. Watch `evictions` in `stats`.
//! * **A session has at most 1,047,552 bytes**, 1 KiB less than the default size of an item (`-I`).
//!   The limit is checked here, because memcached drops the current value of a key when it refuses
//!   a larger one. Do not configure a smaller `-I`.
//! * **It lists nothing**: no list of a user's sessions, no "log out everywhere", no limit of
//!   sessions per user, and no pages for operators. A log-out that a concurrent renewal by a
//!   handler overtakes does not revoke the session under its new id.
//! * **A time to live over 30 days is an absolute time** in memcached, which this store always
//!   sends. It must be before 2038-01-19: memcached reads 32 bits. A value that expires later is
//!   stored without expiry, and evicted at some time after Carafe has stopped accepting it.
//! * **There is no replication and no authentication here.** With several servers, each key belongs
//!   to one: use a proxy that distributes keys by a stable hash. Only services may reach the
//!   server.
//!
//! A call has no deadline: wrap the store in `carafe_tokio::Guarded`.

use std::{
    fmt::Write,
    sync::{Mutex, PoisonError},
};

use async_memcached::{Client, Error, ErrorKind, MetaProtocol, Status};
use carafe_core::{
    clock::Timestamp,
    store::{CasStore, CompareAndSwap, StoreError, StoreKey},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Maximum number of connections.
const CONNECTIONS: usize = 16;
/// Maximum size of a value: memcached also counts its header and the key.
const LARGEST: usize = (1 << 20) - 1024;
/// memcached interprets a smaller number of seconds as a duration.
const DURATIONS: i32 = 60 * 60 * 24 * 30;

/// A memcached server, with a pool of connections.
pub struct Memcached {
    url: String,
    /// A plain mutex: held for a push or a pop, never across an await.
    idle: Mutex<Vec<Client>>,
    permits: Semaphore,
}

/// Returns a store in the server at this URL, such as `tcp://127.0.0.1:11211` or `unix:///path`.
///
/// Connects when the first session is used.
pub fn connect(url: impl Into<String>) -> CasStore<Memcached> {
    CasStore::new(Memcached {
        url: url.into(),
        idle: Mutex::default(),
        permits: Semaphore::new(CONNECTIONS),
    })
}

impl Memcached {
    async fn client(&self) -> Result<(Client, SemaphorePermit<'_>), StoreError> {
        let permit = self.permits.acquire().await;
        let permit = permit.map_err(StoreError::unavailable)?;
        let idle = self.idle().pop();
        let client = match idle {
            Some(client) => client,
            None => Client::new(&self.url).await.map_err(failure)?,
        };
        Ok((client, permit))
    }

    /// Keeps the connection for the next call, unless the server has closed it.
    fn keep(&self, client: Client) {
        let mut idle = self.idle();
        match client.is_closed() {
            false => idle.push(client),
            // The server closes all connections when it stops.
            true => idle.clear(),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Client>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn set(
        &self,
        key: &StoreKey,
        value: &[u8],
        expires: Timestamp,
        condition: &str,
    ) -> Result<bool, StoreError> {
        if value.len() > LARGEST {
            let (size, limit) = (value.len(), LARGEST);
            return Err(StoreError::TooLarge { size, limit });
        }
        let flags = [&*format!("T{}", lifetime(expires)), condition];
        let (mut client, _permit) = self.client().await?;
        let stored = client.meta_set(name(key), value, false, None, Some(&flags));
        let stored = stored.await.map(drop);
        self.keep(client);
        done(stored)
    }
}

// [shown]
impl CompareAndSwap for Memcached {
    type Version = u64;

    async fn read(&self, key: &StoreKey) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        let (mut client, _permit) = self.client().await?;
        let flags = ["v", "c"];
        let found = client.meta_get(name(key), false, None, Some(&flags)).await;
        self.keep(client);
        let Some(found) = found.map_err(failure)? else {
            return Ok(None);
        };
        match (found.data, found.cas) {
            (Some(value), Some(version)) => Ok(Some((value, version))),
            _ => Err(StoreError::unavailable("a reply without value or version")),
        }
    }

    async fn insert(
        &self,
        key: &StoreKey,
        value: &[u8],
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        self.set(key, value, expires, "ME").await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        version: &u64,
        value: &[u8],
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        self.set(key, value, expires, &format!("C{version}")).await
    }

    async fn remove(&self, key: &StoreKey, version: &u64) -> Result<bool, StoreError> {
        let (mut client, _permit) = self.client().await?;
        let flags = [&*format!("C{version}")];
        let removed = client.meta_delete(name(key), false, None, Some(&flags));
        let removed = removed.await.map(drop);
        self.keep(client);
        done(removed)
    }
}
// [/shown]

/// Returns the name of a key: the hexadecimal digits of the hash.
fn name(key: &StoreKey) -> String {
    let mut name = "session:".to_owned();
    for byte in key.as_bytes() {
        // Writing to a string does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// Returns the time to live as memcached reads it: a time, 0 for none, or -1 for the past.
fn lifetime(expires: Timestamp) -> i32 {
    match i32::try_from(expires.unix()) {
        Ok(at) if at > DURATIONS => at,
        Err(_) if expires.unix() > 0 => 0,
        _ => -1,
    }
}

/// Returns whether the condition of a write held.
fn done(result: Result<(), Error>) -> Result<bool, StoreError> {
    match result {
        Ok(()) => Ok(true),
        Err(Error::Protocol(Status::NotStored | Status::Exists | Status::NotFound)) => Ok(false),
        Err(error) => Err(failure(error)),
    }
}

fn failure(error: Error) -> StoreError {
    match error {
        Error::Protocol(Status::Error(ErrorKind::Server(why))) if why.contains("out of memory") => {
            StoreError::Full
        }
        error => StoreError::unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_time_that_memcached_reads() {
        let of = |seconds| lifetime(Timestamp::from_unix(seconds));
        assert_eq!(of(1_700_000_000), 1_700_000_000);
        assert_eq!(of(i64::from(i32::MAX)), i32::MAX);
        assert_eq!([of(i64::from(i32::MAX) + 1), of(i64::MAX)], [0, 0]);
        assert_eq!([of(2_592_000), of(0), of(-7), of(i64::MIN)], [-1; 4]);
    }
}
