//! The options of a guard.

use std::time::Duration;

use carafe_core::store::Deadlines;

use super::{circuit::CircuitRules, pending_revocations::RevocationRules};

/// The maximum deadline. Calls without a deadline are not supported.
const MAX_DEADLINE: Duration = Duration::from_secs(3_600);

/// The limits of a [`Guarded`](super::Guarded) store. Each limit has a default, and none can be
/// disabled.
///
/// ```
/// use carafe_core::store::MemoryStore;
/// use carafe_tokio::GuardOptions;
///
/// // For a pool of 16 connections: 16 active calls, and the rest waiting for a connection.
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

    /// Sets the total time of the consecutive calls of one request: to open its session, if it has
    /// several cookies of the name, and to commit it, if there is a limit per user. Default: 1 s
    /// each; maximum: one hour. No load and no change has a longer deadline.
    ///
    /// A call that exceeds the budget may have taken effect, as with a deadline. A log-out has no
    /// budget: its deadline is that of a write, and it is remembered afterwards.
    pub const fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = if budget.as_secs() < MAX_DEADLINE.as_secs() {
            budget
        } else {
            MAX_DEADLINE
        };
        self
    }

    /// Sets the conditions under which the circuit opens, and the delays between probes.
    pub const fn with_circuit(mut self, rules: CircuitRules) -> Self {
        self.circuit = rules;
        self
    }

    /// Sets the maximum number of concurrent calls, including those that wait for a connection.
    /// Further calls fail immediately. Default: 256; minimum: 1. For a store with a pool, use three
    /// times its size: one third active, two thirds waiting.
    pub const fn with_concurrency_limit(mut self, calls: usize) -> Self {
        self.concurrency_limit = calls;
        self
    }

    /// Sets how many revocations are remembered while the store fails, and the delays between their
    /// retries.
    pub const fn with_revocations(mut self, rules: RevocationRules) -> Self {
        self.revocations = rules;
        self
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
