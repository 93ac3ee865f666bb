//! Acquires a pooled connection, and reports at once why a server refuses connections.
//!
//! A pool of sqlx retries until its timeout, and then reports only the timeout. A caller that waits
//! for a connection therefore probes the server for the cause.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use sqlx::{ConnectOptions as _, Connection, Database, Error, Pool, pool::PoolConnection};
use tokio::{sync::Mutex, time::sleep};

/// The driver's connection options for a database.
pub(crate) type Options<D> = <<D as Database>::Connection as Connection>::Options;

/// Time to wait for a pooled connection before probing for the cause.
const SUSPICION: Duration = Duration::from_millis(50);
/// Postgres `cannot_connect_now`: starting up or shutting down.
///
/// This takes longer than a request waits.
const STARTS_UP: &str = "57P03";

/// Acquires a connection of `pool`, or returns the reason why the server refuses a new one.
///
/// `turn` limits the connections made to find the reason: an exhausted pool does not provide a
/// connection either, and its server is already busy.
pub(crate) async fn acquire<D: Database>(
    pool: &Pool<D>,
    turn: &Mutex<()>,
) -> Result<PoolConnection<D>, Error> {
    let acquiring = pin!(pool.acquire());
    let refusal = pin!(async {
        sleep(SUSPICION).await;
        let _turn = turn.lock().await;
        refusal::<D>(&pool.connect_options()).await
    });
    match select(acquiring, refusal).await {
        Either::Left((acquired, _)) => acquired,
        Either::Right((Some(error), _)) => Err(error),
        Either::Right((None, acquiring)) => acquiring.await,
    }
}

/// Returns the error with which the server refuses any connection.
async fn refusal<D: Database>(options: &Options<D>) -> Option<Error> {
    match options.connect().await {
        Ok(connection) => {
            let _ = connection.close().await;
            None
        }
        Err(error) => is_refusal(&error).then_some(error),
    }
}

fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Io(_) => true,
        Error::Database(error) => error.code().is_some_and(|code| code == STARTS_UP),
        _ => false,
    }
}
