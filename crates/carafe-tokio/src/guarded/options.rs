//! The options of a guard.

use std::{io, path::Path, sync::Arc, time::Duration};

use carafe_core::store::{Deadlines, ErasedStore, SessionStore};
use tokio::runtime::Handle;

use super::{
    Guarded, Shared, circuit::CircuitRules, journal::Journal, pending_revocations::RevocationRules,
};

/// The longest deadline. A call without a deadline cannot be configured.
const MAX_DEADLINE: Duration = Duration::from_secs(3_600);

/// The limits of a [`Guarded`] store. Each limit has a default, and none can be disabled.
///
/// ```
/// use carafe_core::store::MemoryStore;
/// use carafe_tokio::GuardOptions;
///
/// // For a pool of 16 connections: 16 calls at work, and as many waiting for a connection.
/// let store = GuardOptions::default().with_concurrency_limit(32).guard(MemoryStore::new());
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct GuardOptions {
    pub(super) deadlines: Deadlines,
    pub(super) budget: Duration,
    pub(super) circuit: CircuitRules,
    pub(super) concurrency_limit: usize,
    pub(super) revocations: RevocationRules,
}

impl GuardOptions {
    /// Sets the deadline of a call: `connect` plus `read` for calls that change nothing, `connect`
    /// plus `write` for the others. Default: 500 ms and 750 ms; maximum: one hour.
    ///
    /// The deadlines should not be shorter than those of the store, which closes a connection after
    /// its own deadline. Longer deadlines need a longer [budget](Self::with_budget).
    pub const fn with_deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// Sets the total time of the calls that one request makes in a row: to open its session, if it
    /// has several cookies of the name, and to commit it, if there is a limit per user. Default: 1
    /// s each; maximum: one hour. No load and no change has a longer deadline.
    ///
    /// A call that exceeds the budget may have taken effect, as with a deadline. A log-out has no
    /// budget: it has the deadline of a write, and is remembered afterwards.
    pub const fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = if budget.as_secs() < MAX_DEADLINE.as_secs() {
            budget
        } else {
            MAX_DEADLINE
        };
        self
    }

    /// Sets when the circuit opens, and how soon it probes the store.
    pub const fn with_circuit(mut self, rules: CircuitRules) -> Self {
        self.circuit = rules;
        self
    }

    /// Sets how many calls may be under way, including those that wait for a connection. Further
    /// calls fail at once. Default: 256; minimum: 1. For a store with a pool, use three times its
    /// size: one third at work, two thirds waiting.
    pub const fn with_concurrency_limit(mut self, calls: usize) -> Self {
        self.concurrency_limit = calls;
        self
    }

    /// Sets how many revocations are remembered while the store fails, and how often they are
    /// retried.
    pub const fn with_revocations(mut self, rules: RevocationRules) -> Self {
        self.revocations = rules;
        self
    }

    /// Puts a guard in front of `store`.
    pub fn guard<S: SessionStore>(self, store: S) -> Guarded<S> {
        self.guard_shared(Arc::new(store))
    }

    /// Puts a guard in front of a shared store, or of one of unknown type: `Arc<dyn ErasedStore>`.
    pub fn guard_shared<S: ErasedStore + ?Sized>(self, store: Arc<S>) -> Guarded<S> {
        Guarded(Arc::new(Shared::new(store, self, None)))
    }

    /// Puts a guard with a journal at `path` in front of a store.
    ///
    /// A revocation that the store did not receive is on the disk before its caller gets the error.
    /// The next process that opens the file rejects these sessions from its start and delivers the
    /// revocations. Each process needs a file of its own, on a disk that outlives the process.
    ///
    /// Only the file's owner can read it. It contains user names and the keys of the store, which
    /// are not session ids (except with
    /// [`KeyScheme::RawId`](carafe_core::store::KeyScheme::RawId)).
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
    /// If the file cannot be read or written, if it is not a journal or has an unknown version, or
    /// if another process has it open. Also outside of tokio's runtime, which delivers the
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

    /// Returns the deadline of a load in a request. It does not exceed the budget, because a call
    /// that the budget drops has an unknown outcome for the circuit.
    pub(super) fn to_load(self) -> Duration {
        self.to_read().min(self.budget)
    }

    /// Returns the deadline of a change in a request, at most the budget. A log-out has
    /// [`GuardOptions::to_write`].
    pub(super) fn to_change(self) -> Duration {
        self.to_write().min(self.budget)
    }

    pub(super) fn to_read(self) -> Duration {
        bounded(self.deadlines.connect, self.deadlines.read)
    }

    pub(super) fn to_write(self) -> Duration {
        bounded(self.deadlines.connect, self.deadlines.write)
    }
}

fn bounded(connect: Duration, work: Duration) -> Duration {
    connect.saturating_add(work).min(MAX_DEADLINE)
}

impl Default for GuardOptions {
    fn default() -> Self {
        Self {
            deadlines: Deadlines::default(),
            budget: Duration::from_secs(1),
            circuit: CircuitRules::default(),
            concurrency_limit: 256,
            revocations: RevocationRules::default(),
        }
    }
}
