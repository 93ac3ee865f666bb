//! [`Guarded`], and how options put it in front of a store.

use std::{fmt, io, path::Path, sync::Arc, time::Duration};

use carafe_core::store::{ErasedStore, SessionStore};
use tokio::runtime::Handle;

use super::{GuardOptions, GuardStatus, journal::Journal, shared::Shared};

/// A store protected by deadlines, a circuit breaker and a concurrency limit.
///
/// * Each call has a deadline, independent of the store. A panic in the store counts as a failure.
/// * After five consecutive failures, calls fail immediately for one second. Then one call probes
///   the store. A request does not wait for a store that is known to fail, and a recovering store
///   is not overloaded.
/// * The number of concurrent calls is limited. Further calls fail immediately.
/// * A revocation that did not reach the store is remembered, whether of one session, of a user's
///   sessions or of all sessions. This node rejects these sessions from then on, and delivers the
///   revocation as soon as the store answers. Sessions that were authenticated after the request
///   stay. The client still gets a 503, because other nodes accept the sessions until the delivery.
///   A process that exits before the delivery loses the revocation, unless it has a journal
///   ([`GuardOptions::guard_with_journal`]). [`Guarded::shutdown`] returns the number of
///   undelivered revocations.
///
/// Failures are [`StoreError::Unavailable`](carafe_core::store::StoreError::Unavailable) and
/// `Timeout`. An unreadable record, a conflict and a full store are not failures.
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
/// // After the server has stopped:
/// let undelivered = store.shutdown(Duration::from_secs(5)).await;
/// assert_eq!(undelivered, 0);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Guarded<S: ErasedStore + ?Sized>(pub(super) Arc<Shared<S>>);

impl<S: SessionStore> Guarded<S> {
    /// Puts a guard with [`GuardOptions::default`] in front of `store`.
    #[must_use]
    pub fn new(store: S) -> Self {
        GuardOptions::default().guard(store)
    }
}

impl<S: ErasedStore + ?Sized> Guarded<S> {
    /// Returns the store behind the guard, for its own methods. Calls through this reference are
    /// not guarded.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.0.store
    }

    /// Returns whether calls reach the store, because the circuit is closed. Does not call the
    /// store, so a health check is cheap and creates no session.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.circuit().is_closed()
    }

    /// Returns the counters since the start.
    #[must_use]
    pub fn status(&self) -> GuardStatus {
        self.0.status()
    }

    /// Delivers the remembered revocations for at most `grace`. Returns the number of undelivered
    /// ones, which are lost with this process unless it has a journal. Call it after the server has
    /// stopped.
    pub async fn shutdown(&self, grace: Duration) -> usize {
        self.0.finish_delivery(grace).await
    }
}

impl GuardOptions {
    /// Puts a guard in front of `store`.
    pub fn guard<S: SessionStore>(self, store: S) -> Guarded<S> {
        self.guard_shared(Arc::new(store))
    }

    /// Puts a guard in front of a shared store, or of a store of unknown type: `Arc<dyn
    /// ErasedStore>`.
    pub fn guard_shared<S: ErasedStore + ?Sized>(self, store: Arc<S>) -> Guarded<S> {
        Guarded(Arc::new(Shared::new(store, self, None)))
    }

    /// Puts a guard with a journal at `path` in front of a store.
    ///
    /// A revocation that the store did not receive is durable in the journal before its caller gets
    /// the error. The next process that opens the file rejects these sessions from its start and
    /// delivers the revocations. Each process needs its own file, on storage that outlives the
    /// process.
    ///
    /// Only the file's owner can read it. The file contains user names and store keys, which are
    /// not session IDs (except with [`KeyScheme::RawId`](carafe_core::store::KeyScheme::RawId)).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use carafe_core::store::MemoryStore;
    /// use carafe_tokio::GuardOptions;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// # let path = std::env::temp_dir().join(format!("carafe-doc-{}", std::process::id()));
    /// let store = Arc::new(MemoryStore::new());
    /// let store = GuardOptions::default().guard_with_journal(store, &path)?;
    /// assert_eq!(store.status().revocations_pending, 0, "no earlier process left any");
    /// # for end in ["", ".lock"] { std::fs::remove_file(format!("{}{end}", path.display()))?; }
    /// # Ok::<(), std::io::Error>(())
    /// # })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the file cannot be read or written, if it is not a journal or has an unknown version, if
    /// another process has it open, or if there is no tokio runtime, which delivers the
    /// revocations.
    pub fn guard_with_journal<S: ErasedStore + ?Sized>(
        self,
        store: Arc<S>,
        path: impl AsRef<Path>,
    ) -> io::Result<Guarded<S>> {
        Handle::try_current().map_err(io::Error::other)?;
        let (journal, revocations) = Journal::open(path.as_ref())?;
        let shared = Arc::new(Shared::new(store, self, Some(journal)));
        shared.restore(&revocations);
        Ok(Guarded(shared))
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
