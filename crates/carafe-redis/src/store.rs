//! [`RedisStore`]: the contract, each verb within its deadline. What they do is in `verbs` and `rotate`.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{
        BoxFuture, Created, ExpiredSweep, Inventory, Patched, Record, SessionStore, StoreError,
        StoreKey, UserSessions,
    },
};

use crate::{
    Deadlines, RedisOptions,
    error::typed,
    link::Link,
    listing::Listing,
    names::Names,
    turns::Turns,
    wait::{Owed, Wait, Waiting},
};

/// Sessions in Redis or Valkey.
///
/// ```no_run
/// # async fn example() -> Result<(), carafe_core::store::StoreError> {
/// let store = carafe_redis::RedisStore::connect("redis://127.0.0.1").await?;
/// # Ok(()) }
/// ```
pub struct RedisStore {
    pub(crate) link: Arc<Link>,
    pub(crate) names: Names,
    pub(crate) deadlines: Deadlines,
    pub(crate) listing: Listing,
    pub(crate) turns: Arc<Turns>,
    /// For a store that waits for replicas: the connections on which it does.
    pub(crate) waiting: Option<Arc<Waiting>>,
    /// For a store that is on one of those.
    pub(crate) owed: Option<Owed>,
}

impl RedisStore {
    /// Connects to one server, with the default [`RedisOptions`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the URL is wrong or the server does not answer.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        RedisOptions::new().connect(url).await
    }

    /// A store on a client of your own, with the default [`RedisOptions`].
    #[must_use]
    pub fn from_client(client: redis::Client) -> Self {
        RedisOptions::new().client(client)
    }

    pub(crate) fn new(
        link: Link,
        names: Names,
        deadlines: Deadlines,
        inventory: bool,
        wait: Option<Wait>,
    ) -> Self {
        let listing = match (inventory, link.is_cluster()) {
            (false, _) => Listing::Off,
            (true, false) => Listing::Inside,
            (true, true) => Listing::Apart,
        };
        Self {
            link: Arc::new(link),
            names,
            deadlines,
            listing,
            turns: Arc::default(),
            waiting: wait.map(|wait| Arc::new(Waiting::new(wait))),
            owed: None,
        }
    }

    /// This store on a connection of its own.
    pub(crate) fn on(&self, link: Arc<Link>, owed: Owed) -> Self {
        Self {
            link,
            names: self.names.clone(),
            deadlines: self.deadlines,
            listing: self.listing,
            turns: Arc::clone(&self.turns),
            waiting: None,
            owed: Some(owed),
        }
    }

    pub(crate) async fn ready(self) -> Result<Self, StoreError> {
        self.link.connect().await.map_err(typed)?;
        Ok(self)
    }
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the client: its URL may hold a password.
        write!(f, "RedisStore({:?})", self.names)
    }
}

impl SessionStore for RedisStore {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        Box::pin(self.within(self.deadlines.write, self.create_it(key, record, now)))
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.within(self.deadlines.read, self.load_it(key, now)))
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        Box::pin(self.within(self.deadlines.write, self.patch_it(key, base, patch, now)))
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        Box::pin(async move {
            if alias_until.is_some() {
                let rotation = self.rotate_it(from, to, base, patch, alias_until, now);
                return self.within(self.deadlines.write, rotation).await;
            }
            let ender = self.ender();
            let rotation = ender.rotate_it(from, to, base, patch, None, now);
            ender.run(rotation).await
        })
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.within(self.deadlines.write, self.touch_it(key, expires, now)))
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let ender = self.ender();
            ender.run(ender.delete_it(key)).await
        })
    }

    fn users(&self) -> Option<&dyn UserSessions> {
        Some(self)
    }

    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        (self.listing != Listing::Off).then_some(self as &dyn ExpiredSweep)
    }

    fn inventory(&self) -> Option<&dyn Inventory> {
        (self.listing != Listing::Off).then_some(self as &dyn Inventory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use carafe_core::{session::SessionData, store::Handle};

    /// Each is an allocation of every request that reads or writes, and glibc takes a longer way for more than 1032 bytes.
    /// What is rare stands in boxes of its own, and so does what the driver needs where it is the connection.
    #[test]
    fn the_futures_of_a_request_are_small() {
        let client = redis::Client::open("redis://127.0.0.1").expect("a URL");
        let store = RedisStore::from_client(client);
        let (key, now, patch) = (
            StoreKey::of_id("a"),
            Timestamp::from_unix(1),
            Patch::default(),
        );
        let record = Record {
            data: SessionData::default(),
            user: None,
            handle: Handle::from_bytes([0; 12]),
            device: None,
            created: now,
            renewed: now,
            last_seen: now,
            expires: now,
            authenticated: None,
            version: 0,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let _context = runtime.as_ref().expect("a runtime").enter();
        let [load, patch, touch] = [
            size_of_val(&*store.load(&key, now)),
            size_of_val(&*store.patch(&key, &record, &patch, now)),
            size_of_val(&*store.touch(&key, now, now)),
        ];
        assert!(load <= 704, "{load}");
        assert!(patch <= 1032, "{patch}");
        assert!(touch <= 864, "{touch}");
    }
}
