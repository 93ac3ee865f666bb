//! Waits until replicas have a revocation, so that a fail-over does not bring the session back.
//!
//! `WAIT` blocks its connection until the replicas have everything that was written *through that
//! connection*. Verbs that revoke sessions therefore use a connection that no other request uses at
//! the same time (`wait`). Before the `WAIT` they write a short-lived key, for a call that is
//! repeated after the session was already revoked.

use std::{ops::Deref, sync::Arc};

use carafe_core::store::{StoreError, StoreKey};
use futures_util::future::try_join_all;

use crate::{RedisStore, error::store_error, wait::PendingWait};

/// The store for one verb that revokes sessions: the store itself, or a copy of it with a
/// connection of its own if the verb waits for replicas.
pub(crate) struct Revoker<'a> {
    store: &'a RedisStore,
    own: Option<RedisStore>,
}

impl Deref for Revoker<'_> {
    type Target = RedisStore;

    fn deref(&self) -> &RedisStore {
        self.own.as_ref().unwrap_or(self.store)
    }
}

impl Revoker<'_> {
    /// Runs `verb`, which must be one of this store, within the deadline of writes plus the timeout
    /// of the `WAIT`.
    pub(crate) async fn run<T>(
        &self,
        verb: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let Some(pending) = &self.pending_wait else {
            return self.with_deadline(self.deadlines.write, verb).await;
        };
        let deadline = self.deadlines.write + pending.wait.timeout;
        let verb = async {
            pending.begin(&self.connection).await?;
            verb.await
        };
        let result = self.with_deadline(deadline, verb).await;
        // After an error the connection may still be blocked by a `WAIT`.
        if let (Ok(_), Some(own), Some(replication)) = (&result, &self.own, &self.store.replication)
        {
            replication.give_back(Arc::clone(&own.connection));
        }
        result
    }
}

impl RedisStore {
    /// Returns the store on which to run a verb that revokes sessions.
    pub(crate) fn revoker(&self) -> Revoker<'_> {
        let own = self.replication.as_ref().map(|replication| {
            let sibling = || Arc::new(self.connection.sibling(replication.wait.timeout));
            let connection = replication.take().unwrap_or_else(sibling);
            self.on(connection, PendingWait::new(replication.wait))
        });
        Revoker { store: self, own }
    }

    /// Waits, if this store is configured to, until the replicas have what was done to `keys`.
    pub(crate) async fn confirm(
        &self,
        keys: impl IntoIterator<Item = StoreKey>,
    ) -> Result<(), StoreError> {
        let Some(PendingWait { wait, generation }) = &self.pending_wait else {
            return Ok(());
        };
        self.write_beside(keys).await?;
        let mut command = redis::cmd("WAIT");
        command.arg(wait.replicas);
        command.arg(u64::try_from(wait.timeout.as_millis()).unwrap_or(u64::MAX));
        let reached = self.connection.send(|| command.clone()).await;
        let reached = redis::from_redis_value(reached.map_err(store_error)?);
        let reached: u32 = reached.map_err(StoreError::corrupt)?;
        if generation.get() != Some(&self.connection.generation()) {
            return Err(StoreError::unavailable(
                "the connection was lost before a replica had the change",
            ));
        }
        if reached < wait.replicas {
            return Err(StoreError::Timeout(wait.timeout));
        }
        Ok(())
    }

    /// Writes a key for `WAIT` to wait for: in a cluster, one in the slot of each of `keys`.
    async fn write_beside(
        &self,
        keys: impl IntoIterator<Item = StoreKey>,
    ) -> Result<(), StoreError> {
        let beside = |key| format!("{{{}}}:waited", self.names.session(&key));
        let mut names: Vec<_> = keys.into_iter().map(beside).collect();
        if names.is_empty() {
            // All sessions were revoked before, and in a cluster it is unknown on which nodes. The
            // slots of the index are spread over all of them.
            names.extend(self.names.indices().map(|index| format!("{index}:waited")));
        }
        if !self.connection.is_cluster() {
            names.truncate(1);
        }
        let writes = names.iter().map(|name| async move {
            let mut command = redis::cmd("SET");
            command.arg(name).arg("").arg("PX").arg(1000);
            let written = self.connection.send(|| command.clone()).await;
            written.map_err(store_error)
        });
        try_join_all(writes).await.map(drop)
    }
}
