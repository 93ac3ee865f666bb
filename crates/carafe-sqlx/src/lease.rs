//! A connection for one operation.
//!
//! An operation may be dropped at any await, for example because its deadline has passed or the
//! client has disconnected. Its connection is then in the middle of a request, and the next
//! operation would read the pending reply. A lease therefore returns its connection to the pool
//! only when the operation calls [`Lease::done`]; otherwise dropping the lease closes the
//! connection.
//!
//! The connection is closed without a handshake: sqlx pings a returned connection without a
//! timeout, so a hanging server would exhaust the pool's permits.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use carafe_core::store::StoreError;
use sqlx::{Database, Pool, pool::PoolConnection};
use tokio::{sync::Mutex, time::timeout};

use crate::{failure::Failure, pool};

/// A pooled connection. `pub` for the signatures of `Dialect`, which is private.
pub struct Lease<D: Database> {
    /// `None` only during drop.
    connection: Option<PoolConnection<D>>,
    is_prepared: bool,
}

impl<D: Database> Lease<D> {
    /// Acquires a connection of `pool` within `deadline`.
    ///
    /// Without `is_prepared`, statements are sent with their values inlined.
    pub(crate) async fn of(
        pool: &Pool<D>,
        turn: &Mutex<()>,
        deadline: Duration,
        is_prepared: bool,
    ) -> Result<Self, Failure> {
        match timeout(deadline, pool::acquire(pool, turn)).await {
            Ok(Ok(connection)) => Ok(Self {
                connection: Some(connection),
                is_prepared,
            }),
            Ok(Err(sqlx::Error::PoolTimedOut)) | Err(_) => {
                Err(StoreError::Timeout(deadline).into())
            }
            Ok(Err(error)) => Err(error.into()),
        }
    }

    pub(crate) fn is_prepared(&self) -> bool {
        self.is_prepared
    }

    /// Returns the connection to the pool. No request may be pending.
    pub(crate) fn done(mut self) {
        drop(self.connection.take());
    }
}

impl<D: Database> Drop for Lease<D> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

impl<D: Database> Deref for Lease<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        self.connection
            .as_ref()
            .expect("only `done` and `drop` take it, and nothing comes after them")
    }
}

impl<D: Database> DerefMut for Lease<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        self.connection
            .as_mut()
            .expect("only `done` and `drop` take it, and nothing comes after them")
    }
}
