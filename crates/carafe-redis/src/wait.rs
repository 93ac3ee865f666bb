//! The connections of verbs that wait for replicas, and the state of such a verb. `replication`
//! uses them.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use carafe_core::store::StoreError;

use crate::{connection::Connection, error::store_error};

/// The arguments of `WAIT`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitOptions {
    pub(crate) replicas: u32,
    pub(crate) timeout: Duration,
}

/// The connections of verbs that wait for replicas.
pub(crate) struct Replication {
    pub(crate) wait: WaitOptions,
    /// A lock of the standard library, held to push or pop.
    idle: Mutex<Vec<Arc<Connection>>>,
}

/// The `WAIT` that a verb on a connection of its own must end with.
#[derive(Debug)]
pub(crate) struct PendingWait {
    pub(crate) wait: WaitOptions,
    /// Generation of the connection when the verb began. `WAIT` says nothing about writes that went
    /// through another one.
    pub(crate) generation: OnceLock<u64>,
}

impl Replication {
    pub(crate) const fn new(wait: WaitOptions) -> Self {
        Self {
            wait,
            idle: Mutex::new(Vec::new()),
        }
    }

    // A push or pop leaves the list valid after a panic elsewhere.
    pub(crate) fn take(&self) -> Option<Arc<Connection>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop()
    }

    pub(crate) fn give_back(&self, connection: Arc<Connection>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(connection);
    }
}

impl PendingWait {
    pub(crate) const fn new(wait: WaitOptions) -> Self {
        Self {
            wait,
            generation: OnceLock::new(),
        }
    }

    /// Notes which connection the verb begins on. The `PING` replaces a pooled connection that the
    /// server has closed, which would otherwise fail the verb.
    pub(crate) async fn begin(&self, connection: &Connection) -> Result<(), StoreError> {
        // The connection to a cluster stays the same; the driver replaces those to its nodes.
        if !connection.is_cluster() {
            // An error is only a reason to connect again: a reply may be an error, too.
            let _ = connection.send(|| redis::cmd("PING")).await;
        }
        connection.connect().await.map_err(store_error)?;
        let _ = self.generation.set(connection.generation());
        Ok(())
    }
}
