//! A connection for one verb.
//!
//! A verb may be dropped at any await: its deadline has passed, the client has hung up. Its connection is
//! then in the middle of something, and the reply that is still on its way would be the next one's. So a
//! lease only goes back to the pool when its verb says that it is done; dropped before, it is closed.
//!
//! It is cut off, not closed politely: sqlx tests a connection that comes back with a ping that has no
//! deadline, and a server that hangs would hold the pool's permits until none is left.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use carafe_core::store::StoreError;
use sqlx::{Database, Pool, pool::PoolConnection};
use tokio::time::timeout;

use crate::failure::Failure;

/// `None` only while it is dropped.
pub(crate) struct Lease<D: Database>(Option<PoolConnection<D>>);

impl<D: Database> Lease<D> {
    pub(crate) async fn of(pool: &Pool<D>, deadline: Duration) -> Result<Self, Failure> {
        match timeout(deadline, pool.acquire()).await {
            Ok(Ok(connection)) => Ok(Self(Some(connection))),
            Ok(Err(sqlx::Error::PoolTimedOut)) | Err(_) => {
                Err(StoreError::Timeout(deadline).into())
            }
            Ok(Err(error)) => Err(error.into()),
        }
    }

    /// Nothing is under way any more: back to the pool.
    pub(crate) fn done(mut self) {
        drop(self.0.take());
    }
}

impl<D: Database> Drop for Lease<D> {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

impl<D: Database> Deref for Lease<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        self.0
            .as_ref()
            .expect("only `done` and `drop` take it, and nothing comes after them")
    }
}

impl<D: Database> DerefMut for Lease<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        self.0
            .as_mut()
            .expect("only `done` and `drop` take it, and nothing comes after them")
    }
}
