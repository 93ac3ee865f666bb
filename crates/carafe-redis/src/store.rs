//! [`RedisStore`]: the contract, each verb within its deadline. What they do is in `verbs` and `rotate`.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{
        BoxFuture, Created, Patched, Record, SessionStore, StoreError, StoreKey, UserSessions,
    },
};

use crate::{Deadlines, RedisOptions, error::typed, link::Link, names::Names, turns::Turns};

/// Sessions in Redis or Valkey.
///
/// ```no_run
/// # async fn example() -> Result<(), carafe_core::store::StoreError> {
/// let store = carafe_redis::RedisStore::connect("redis://127.0.0.1").await?;
/// # Ok(()) }
/// ```
pub struct RedisStore {
    pub(crate) link: Link,
    pub(crate) names: Names,
    pub(crate) deadlines: Deadlines,
    pub(crate) turns: Turns,
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

    pub(crate) fn new(link: Link, names: Names, deadlines: Deadlines) -> Self {
        Self {
            link,
            names,
            deadlines,
            turns: Turns::default(),
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
        let rotation = self.rotate_it(from, to, base, patch, alias_until, now);
        Box::pin(self.within(self.deadlines.write, rotation))
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
        Box::pin(self.within(self.deadlines.write, self.delete_it(key)))
    }

    fn users(&self) -> Option<&dyn UserSessions> {
        Some(self)
    }
}
