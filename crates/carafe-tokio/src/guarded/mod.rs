//! [`Guarded`], a store with deadlines, a circuit breaker, a concurrency limit and remembered
//! revocations.
//!
//! | file | contents |
//! |---|---|
//! | `options` | [`GuardOptions`]: each limit with its default |
//! | `shared` | one call of the store: concurrency limit, circuit, deadline |
//! | `contract`, `powers` | the methods of the store traits, each as one such call |
//! | `delivery` | the delivery of revocations to the store, and its task |
//! | `journal` | the file that keeps undelivered revocations beyond a crash |
//! | `status` | [`GuardStatus`]: the counters for a health page |
//! | `circuit`, `window` | the circuit breaker, and its sliding window of call results |
//! | `failure` | which errors count as failures of the store |
//! | `pending_revocation`, `pending_revocations` | one revocation; the queue of those the store has not received |
//!
//! The files from `circuit` on are pure state machines: they call no store and read no clock. The
//! others need tokio's runtime with its timers, as axum does.

mod circuit;
mod contract;
mod delivery;
mod failure;
mod journal;
mod options;
mod pending_revocation;
mod pending_revocations;
mod powers;
mod shared;
mod status;
mod window;

use std::{fmt, sync::Arc, time::Duration};

use carafe_core::store::{ErasedStore, SessionStore};

pub use circuit::CircuitRules;
pub use options::GuardOptions;
pub use pending_revocations::RevocationRules;
use shared::Shared;
pub use status::GuardStatus;

/// A store with a guard in front of it.
///
/// * Each call has a deadline, whatever the store does. A panic in the store is a failure like
///   others.
/// * After five consecutive failures, calls fail at once for a second. Then one call probes the
///   store. A request does not wait for a store that is known to fail, and a recovering store is
///   not overloaded.
/// * The number of concurrent calls is limited. Further calls fail at once.
/// * A log-out that did not reach the store is remembered, be it of one session, of a user's
///   sessions or of all. This node rejects these sessions from then on, and delivers the revocation
///   as soon as the store answers. Sessions that were authenticated after the request stay. The
///   client still gets a 503, because other nodes accept the sessions until then. A process that
///   exits before the delivery loses it, unless it has a journal
///   ([`GuardOptions::guard_with_journal`]); [`Guarded::shutdown`] returns how many are
///   undelivered.
///
/// Failures are [`StoreError::Unavailable`](carafe_core::store::StoreError::Unavailable) and
/// `Timeout`. An unreadable record, a conflict and a full store are answers.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use carafe_core::{session::ServerSide, store::MemoryStore};
/// use carafe_tokio::Guarded;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let store = Arc::new(Guarded::new(MemoryStore::new()));
/// let backend = ServerSide::shared(store.clone()); // for the session layer
/// // For a health page:
/// assert!(store.is_ready());
/// // When the server has stopped:
/// let undelivered = store.shutdown(Duration::from_secs(5)).await;
/// assert_eq!(undelivered, 0);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Guarded<S: ErasedStore + ?Sized>(Arc<Shared<S>>);

impl<S: SessionStore> Guarded<S> {
    /// Puts a guard with [`GuardOptions::default`] in front of `store`.
    #[must_use]
    pub fn new(store: S) -> Self {
        GuardOptions::default().guard(store)
    }
}

impl<S: ErasedStore + ?Sized> Guarded<S> {
    /// Returns the store behind the guard, for its own methods. Calls of this store are not
    /// guarded.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.0.store
    }

    /// Whether calls reach the store: its circuit is closed. Does not call the store, so a health
    /// check costs nothing and creates no session.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.circuit().is_closed()
    }

    /// Returns the counters since the start.
    #[must_use]
    pub fn status(&self) -> GuardStatus {
        self.0.status()
    }

    /// Delivers the remembered revocations for at most `grace`. Returns how many are undelivered;
    /// they are lost with this process unless it has a journal. Call it when the server has
    /// stopped.
    pub async fn shutdown(&self, grace: Duration) -> usize {
        self.0.finish_delivery(grace).await
    }
}

impl<S: ErasedStore + ?Sized> Drop for Guarded<S> {
    fn drop(&mut self) {
        self.0.abort_delivery();
    }
}

impl<S: ErasedStore + ?Sized> fmt::Debug for Guarded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guarded").field(&self.status()).finish()
    }
}
