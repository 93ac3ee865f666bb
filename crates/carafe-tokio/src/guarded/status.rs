//! The counters of a guard, for a health page.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// The counters of a guarded store since its start. All except `revocations_pending` only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuardStatus {
    /// Whether calls reach the store, because the circuit is closed.
    pub ready: bool,
    /// Calls of the store.
    pub calls: u64,
    /// Calls that failed: the store was unavailable or exceeded the deadline.
    pub failures: u64,
    /// Failures that exceeded the deadline of the guard.
    pub timeouts: u64,
    /// Calls that were rejected because the circuit was open.
    pub rejected_by_circuit: u64,
    /// Calls that were rejected because of the concurrency limit.
    pub rejected_by_limit: u64,
    /// Number of times that the circuit has opened.
    pub opened: u64,
    /// Records that could not be read, which indicates damage or an attack.
    pub corrupt: u64,
    /// Revocations that the store has not received yet.
    pub revocations_pending: usize,
    /// Revocations that the store received later than they were requested.
    pub revocations_delivered: u64,
    /// Revocations that failed and were not remembered, because too many were pending.
    pub revocations_rejected: u64,
    /// Pending revocations that could not be written to the journal. They are lost if the process
    /// exits before their delivery.
    pub revocations_not_journaled: u64,
}

/// Relaxed, because the counters order no other memory access.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) calls: Counter,
    pub(super) failures: Counter,
    pub(super) timeouts: Counter,
    pub(super) rejected_by_circuit: Counter,
    pub(super) rejected_by_limit: Counter,
    pub(super) opened: Counter,
    pub(super) corrupt: Counter,
    pub(super) revocations_delivered: Counter,
    pub(super) revocations_rejected: Counter,
    pub(super) revocations_not_journaled: Counter,
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(super) fn status(&self, ready: bool, revocations_pending: usize) -> GuardStatus {
        GuardStatus {
            ready,
            calls: self.calls.value(),
            failures: self.failures.value(),
            timeouts: self.timeouts.value(),
            rejected_by_circuit: self.rejected_by_circuit.value(),
            rejected_by_limit: self.rejected_by_limit.value(),
            opened: self.opened.value(),
            corrupt: self.corrupt.value(),
            revocations_pending,
            revocations_delivered: self.revocations_delivered.value(),
            revocations_rejected: self.revocations_rejected.value(),
            revocations_not_journaled: self.revocations_not_journaled.value(),
        }
    }
}

impl fmt::Display for GuardStatus {
    /// Writes one line per field, for a health page.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "ready: {}", self.ready)?;
        for (name, value) in [
            ("calls", self.calls),
            ("failures", self.failures),
            ("timeouts", self.timeouts),
            ("rejected by the circuit", self.rejected_by_circuit),
            ("rejected by the concurrency limit", self.rejected_by_limit),
            ("circuit opened", self.opened),
            ("corrupt records", self.corrupt),
            ("revocations pending", self.revocations_pending as u64),
            ("revocations delivered later", self.revocations_delivered),
            ("revocations rejected", self.revocations_rejected),
            (
                "revocations not in the journal",
                self.revocations_not_journaled,
            ),
        ] {
            writeln!(f, "{name}: {value}")?;
        }
        Ok(())
    }
}
