//! A store that cannot hang, drown or forget: [`Guarded`].
//!
//! | file | holds |
//! |---|---|
//! | `options` | [`GuardOptions`]: every bound with its default |
//! | `shared` | one call of the store: room, circuit, deadline |
//! | `contract`, `powers` | the verbs of the contract, each as one such call |
//! | `log_outs` | the task that tells the store of log-outs that it has missed |
//! | `journal` | the file that keeps them over a crash, if there is to be one |
//! | `stale` | reads while the store fails, if they are wanted |
//! | `status` | [`GuardStatus`]: what a health page shows |
//!
//! The decisions are state machines in `carafe_core::store::guard`; here are the clock, the timers and the
//! tasks. Needs tokio's runtime with its timers, as axum does.

mod contract;
mod journal;
mod log_outs;
mod options;
mod powers;
mod shared;
mod stale;
mod status;

use std::{fmt, sync::Arc, time::Duration};

use carafe_core::store::SessionStore;

pub use options::GuardOptions;
use shared::Shared;
pub use status::GuardStatus;

/// A store with a guard before it.
///
/// * Each call has a deadline, whatever the store itself does, and a panic in it is a failure like others.
/// * After five failures in a row, calls fail at once for a second, then one of them tries again: a request
///   does not wait for a store that is known to be dead, and that store is left in peace.
/// * No more than so many calls run at once; one more fails at once.
/// * A log-out that the store could not be told is remembered, be it of one session, of a user's or of all: this
///   node refuses these sessions from now on, and the store is told as soon as it answers. Who has logged in since
///   stays. The client still gets a 503, because other nodes do not know yet. A node that ends before forgets,
///   unless it has a journal ([`GuardOptions::guard_with_journal`]); [`Guarded::shutdown`] says how many.
///
/// Failures are [`StoreError::Unavailable`](carafe_core::store::StoreError::Unavailable) and `Timeout`; a
/// record that cannot be read, a race that was lost and a full store are answers.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use carafe_core::{session::ServerSide, store::MemoryStore};
/// use carafe_tokio::Guarded;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let store = Arc::new(Guarded::new(MemoryStore::new()));
/// let side = ServerSide::shared(store.clone()); // for the session layer
/// // For a health page:
/// assert!(store.is_ready());
/// // When the server has stopped:
/// let forgotten = store.shutdown(Duration::from_secs(5)).await;
/// assert_eq!(forgotten, 0);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Guarded<S: SessionStore + ?Sized>(Arc<Shared<S>>);

impl<S: SessionStore> Guarded<S> {
    /// A guard with [`GuardOptions::default`] before `store`.
    #[must_use]
    pub fn new(store: S) -> Self {
        GuardOptions::default().guard(store)
    }
}

impl<S: SessionStore + ?Sized> Guarded<S> {
    /// The store behind the guard, for what only it can do. Calls through this are not guarded.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.0.store
    }

    /// Whether calls get through to the store: its circuit is closed. Asks nobody, so that a health check
    /// costs nothing and leaves no session behind.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.circuit().is_closed()
    }

    /// What has happened since the start.
    #[must_use]
    pub fn status(&self) -> GuardStatus {
        self.0.status()
    }

    /// Tells the store of the log-outs that it has missed, for at most `grace`; how many are left, which are
    /// forgotten with this process unless it has a journal. Call it when no request is served any more.
    pub async fn shutdown(&self, grace: Duration) -> usize {
        self.0.finish_log_outs(grace).await
    }
}

impl<S: SessionStore + ?Sized> Drop for Guarded<S> {
    fn drop(&mut self) {
        self.0.abandon_log_outs();
    }
}

impl<S: SessionStore + ?Sized> fmt::Debug for Guarded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guarded").field(&self.status()).finish()
    }
}
