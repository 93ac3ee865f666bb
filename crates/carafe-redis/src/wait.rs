//! Waiting until replicas know that a session has ended, so that no fail-over brings it back.
//!
//! `WAIT` stops its connection until replicas have everything that was written *through this connection*. So whatever
//! ends sessions takes a connection that nobody else uses meanwhile. Before it waits it writes something small, for
//! where the session had ended already and only the waiting is to be repeated.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use carafe_core::store::{StoreError, StoreKey};
use futures_util::future::try_join_all;

use crate::{RedisStore, error::typed, link::Link};

/// How many replicas are waited for, and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(crate) replicas: u32,
    pub(crate) timeout: Duration,
}

/// The connections of those who wait.
pub(crate) struct Waiting {
    pub(crate) wait: Wait,
    /// A plain lock: held to push or pop.
    idle: Mutex<Vec<Arc<Link>>>,
}

/// A wait that a store with a connection of its own owes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owed {
    wait: Wait,
    /// How often the connection has been opened if it is still the same one.
    opened: u64,
}

/// A store for one verb that ends sessions: the store itself, or one with a connection of its own if it waits.
pub(crate) struct Ender<'a> {
    store: &'a RedisStore,
    own: Option<RedisStore>,
}

impl Waiting {
    pub(crate) const fn new(wait: Wait) -> Self {
        Self {
            wait,
            idle: Mutex::new(Vec::new()),
        }
    }

    // A list that is pushed to and popped from is good after a panic elsewhere.
    fn take(&self) -> Option<Arc<Link>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop()
    }

    fn give_back(&self, link: Arc<Link>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(link);
    }
}

impl Deref for Ender<'_> {
    type Target = RedisStore;

    fn deref(&self) -> &RedisStore {
        self.own.as_ref().unwrap_or(self.store)
    }
}

impl Ender<'_> {
    /// What `verb`, one of this store, comes to within the deadline of writes and the time for waiting.
    pub(crate) async fn run<T>(
        &self,
        verb: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let waits = self.owed.map_or(Duration::ZERO, |owed| owed.wait.timeout);
        let result = self.within(self.deadlines.write + waits, verb).await;
        // After an error a wait may still stop the connection.
        if let (Ok(_), Some(own), Some(waiting)) = (&result, &self.own, &self.store.waiting) {
            waiting.give_back(Arc::clone(&own.link));
        }
        result
    }
}

impl RedisStore {
    /// The store that ends sessions for this one.
    pub(crate) fn ender(&self) -> Ender<'_> {
        let own = self.waiting.as_ref().map(|waiting| {
            let sibling = || Arc::new(self.link.sibling(waiting.wait.timeout));
            let link = waiting.take().unwrap_or_else(sibling);
            let owed = Owed {
                wait: waiting.wait,
                opened: link.opened(),
            };
            self.on(link, owed)
        });
        Ender { store: self, own }
    }

    /// Waits, if this store is to, until the replicas have what was done to `keys`.
    pub(crate) async fn confirm(
        &self,
        keys: impl IntoIterator<Item = StoreKey>,
    ) -> Result<(), StoreError> {
        let Some(Owed { wait, opened }) = self.owed else {
            return Ok(());
        };
        self.write_beside(keys).await?;
        let mut command = redis::cmd("WAIT");
        command.arg(wait.replicas);
        command.arg(u64::try_from(wait.timeout.as_millis()).unwrap_or(u64::MAX));
        let reached = self.link.send(|| command.clone()).await.map_err(typed)?;
        let reached: u32 = redis::from_redis_value(reached).map_err(StoreError::corrupt)?;
        if self.link.opened() != opened {
            return Err(StoreError::unavailable(
                "the connection was lost before a replica had the change",
            ));
        }
        if reached < wait.replicas {
            return Err(StoreError::Timeout(wait.timeout));
        }
        Ok(())
    }

    /// A write for `WAIT` to wait for: in a cluster one in the slot of each key.
    async fn write_beside(
        &self,
        keys: impl IntoIterator<Item = StoreKey>,
    ) -> Result<(), StoreError> {
        let beside = |key| format!("{{{}}}:waited", self.names.session(&key));
        let mut names: Vec<_> = keys.into_iter().map(beside).collect();
        if names.is_empty() {
            // All had ended already. In a cluster nobody knows any more where: sixteen slots stand for all nodes.
            names.extend(self.names.indices().map(|index| format!("{index}:waited")));
        }
        if !self.link.is_cluster() {
            names.truncate(1);
        }
        let writes = names.iter().map(|name| async move {
            let mut command = redis::cmd("SET");
            command.arg(name).arg("").arg("PX").arg(1000);
            self.link.send(|| command.clone()).await.map_err(typed)
        });
        try_join_all(writes).await.map(drop)
    }
}
