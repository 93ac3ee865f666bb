//! The bounds of a guard.

use std::{io, path::Path, sync::Arc, time::Duration};

use carafe_core::store::{
    Deadlines, SessionStore,
    guard::{CircuitRules, StaleRules, TombstoneRules},
};

use tokio::runtime::Handle;

use super::{Guarded, Shared, journal::Journal};

/// The longest deadline: there is no way to say "never".
const LONGEST: Duration = Duration::from_secs(3_600);

/// How a [`Guarded`] store is guarded. Every bound has a default, and none can be taken away.
///
/// ```
/// use carafe_core::store::MemoryStore;
/// use carafe_tokio::GuardOptions;
///
/// // 16 connections at work and as many calls again waiting for one.
/// let store = GuardOptions::default().with_calls_at_once(32).guard(MemoryStore::new());
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct GuardOptions {
    pub(super) deadlines: Deadlines,
    pub(super) budget: Duration,
    pub(super) circuit: CircuitRules,
    pub(super) calls_at_once: usize,
    pub(super) log_outs: TombstoneRules,
    pub(super) stale_reads: Option<StaleRules>,
}

impl GuardOptions {
    /// How long a call may take: `connect` and `read` together for what changes nothing, `connect` and
    /// `write` for the rest. 500 ms and 750 ms unless set, an hour at most. Not shorter than the store's own
    /// deadlines, which know better what to close when they pass. Longer ones want a longer
    /// [budget](Self::with_budget), too.
    pub const fn with_deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// How long the calls may take together that one request needs in a row: to open its session, where it has more than
    /// one cookie of the name, and to commit it, where there is a limit per user. 1 s each unless set, an hour at most; no
    /// load and no change has a longer deadline. What is cut off may have happened, as with a deadline. A log-out is not
    /// cut off: it has the deadline of a write, and is remembered then.
    pub const fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = if budget.as_secs() < LONGEST.as_secs() {
            budget
        } else {
            LONGEST
        };
        self
    }

    /// When to leave the store alone, and for how long.
    pub const fn with_circuit(mut self, rules: CircuitRules) -> Self {
        self.circuit = rules;
        self
    }

    /// How many calls may be under way, those that wait for a connection included. 256 unless set, 1 at
    /// least. For a store with a pool, three times its size: one at work, two waiting.
    pub const fn with_calls_at_once(mut self, calls: usize) -> Self {
        self.calls_at_once = calls;
        self
    }

    /// How many log-outs are remembered for a store that cannot be told, and how often it is tried.
    pub const fn with_log_outs(mut self, rules: TombstoneRules) -> Self {
        self.log_outs = rules;
        self
    }

    /// Answers a load with what the store answered a moment ago while it fails, if this node has read the session
    /// then: [`StaleRules`]. Off unless called. Such a session says so
    /// ([`Session::is_stale`](carafe_core::session::Session::is_stale)), has no time of its last log-in, and cannot be changed: a
    /// request that does gets a 503. What has ended on this node is never answered; what has ended on another may be,
    /// for as long as the rules say.
    ///
    /// ```
    /// use carafe_core::store::{MemoryStore, guard::StaleRules};
    /// use carafe_tokio::GuardOptions;
    ///
    /// let store = GuardOptions::default().with_stale_reads(StaleRules::default()).guard(MemoryStore::new());
    /// assert_eq!(store.status().stale_reads, 0);
    /// ```
    pub const fn with_stale_reads(mut self, rules: StaleRules) -> Self {
        self.stale_reads = Some(rules);
        self
    }

    /// The guard before `store`.
    pub fn guard<S: SessionStore>(self, store: S) -> Guarded<S> {
        self.guard_shared(Arc::new(store))
    }

    /// [`GuardOptions::guard`] for a store that others use too, or whose type is not known:
    /// `Arc<dyn SessionStore>`.
    pub fn guard_shared<S: SessionStore + ?Sized>(self, store: Arc<S>) -> Guarded<S> {
        Guarded(Arc::new(Shared::new(store, self, None)))
    }

    /// [`GuardOptions::guard_shared`] with a journal at `path`: what the store was not told of is on the disk
    /// before its caller hears that it failed, and the next process that opens the file refuses these sessions from
    /// its start and tells the store. Each process needs a file of its own, on a disk that outlives it. Only its owner
    /// can read it; it holds names of users and the keys that stores have, which are no ids (but for layouts of
    /// others: [`Naming::Plain`](carafe_core::store::Naming::Plain)).
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
    /// assert_eq!(store.status().log_outs_waiting, 0, "nothing was left by an earlier process");
    /// # for end in ["", ".lock"] { std::fs::remove_file(format!("{}{end}", path.display()))?; }
    /// # Ok::<(), std::io::Error>(())
    /// # })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the file cannot be read or written, is no journal or of an unknown version, or if another process has
    /// it; and outside of tokio's runtime, where nobody could be told.
    pub fn guard_with_journal<S: SessionStore + ?Sized>(
        self,
        store: Arc<S>,
        path: impl AsRef<Path>,
    ) -> io::Result<Guarded<S>> {
        Handle::try_current().map_err(io::Error::other)?;
        let (journal, orders) = Journal::open(path.as_ref())?;
        let shared = Arc::new(Shared::new(store, self, Some(journal)));
        shared.restore_log_outs(&orders);
        Ok(Guarded(shared))
    }

    /// For a load that a request waits for: what the budget cuts off tells the circuit nothing and reads nothing stale,
    /// so a call of its own ends before.
    pub(super) fn to_load(self) -> Duration {
        self.to_read().min(self.budget)
    }

    /// [`GuardOptions::to_load`] for changes. Log-outs have no budget, and [`GuardOptions::to_write`].
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
    connect.saturating_add(work).min(LONGEST)
}

impl Default for GuardOptions {
    fn default() -> Self {
        Self {
            deadlines: Deadlines::default(),
            budget: Duration::from_secs(1),
            circuit: CircuitRules::default(),
            calls_at_once: 256,
            log_outs: TombstoneRules::default(),
            stale_reads: None,
        }
    }
}
