//! What a guard has seen, for a health page.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// What has happened to a guarded store since the start. The counters only grow, but for `log_outs_waiting`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuardStatus {
    /// Whether calls get through.
    pub ready: bool,
    /// Calls that the store was asked.
    pub calls: u64,
    /// Those that the store has failed: unavailable, or no answer in time.
    pub failures: u64,
    /// Those of the failures that were ended by the guard's own deadline.
    pub cut_off: u64,
    /// Calls that were refused because the circuit was open.
    pub refused_by_circuit: u64,
    /// Calls that were refused because too many were under way.
    pub refused_by_crowd: u64,
    /// How often the circuit has opened.
    pub opened: u64,
    /// Records that could not be read. Each is a sign of damage or of an attack.
    pub corrupt: u64,
    /// Loads that were answered with what was so a moment ago, because the store failed.
    pub stale_reads: u64,
    /// Log-outs that the store does not know of yet.
    pub log_outs_waiting: usize,
    /// Log-outs that the store was told of later.
    pub log_outs_told: u64,
    /// Log-outs that failed and could not be remembered, since there were too many.
    pub log_outs_refused: u64,
    /// Log-outs that are remembered and could not be written into the journal, so that the end of this process
    /// would forget them.
    pub log_outs_unwritten: u64,
}

/// Relaxed: counts that order nothing.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) calls: Counter,
    pub(super) failures: Counter,
    pub(super) cut_off: Counter,
    pub(super) refused_by_circuit: Counter,
    pub(super) refused_by_crowd: Counter,
    pub(super) opened: Counter,
    pub(super) corrupt: Counter,
    pub(super) stale_reads: Counter,
    pub(super) log_outs_told: Counter,
    pub(super) log_outs_refused: Counter,
    pub(super) log_outs_unwritten: Counter,
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
    pub(super) fn status(&self, ready: bool, log_outs_waiting: usize) -> GuardStatus {
        GuardStatus {
            ready,
            calls: self.calls.value(),
            failures: self.failures.value(),
            cut_off: self.cut_off.value(),
            refused_by_circuit: self.refused_by_circuit.value(),
            refused_by_crowd: self.refused_by_crowd.value(),
            opened: self.opened.value(),
            corrupt: self.corrupt.value(),
            stale_reads: self.stale_reads.value(),
            log_outs_waiting,
            log_outs_told: self.log_outs_told.value(),
            log_outs_refused: self.log_outs_refused.value(),
            log_outs_unwritten: self.log_outs_unwritten.value(),
        }
    }
}

impl fmt::Display for GuardStatus {
    /// A line for each, as a health page shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "ready: {}", self.ready)?;
        for (name, value) in [
            ("calls", self.calls),
            ("failures", self.failures),
            ("cut off", self.cut_off),
            ("refused by the circuit", self.refused_by_circuit),
            ("refused by the crowd", self.refused_by_crowd),
            ("circuit opened", self.opened),
            ("records that cannot be read", self.corrupt),
            ("stale reads", self.stale_reads),
            ("log-outs waiting", self.log_outs_waiting as u64),
            ("log-outs told later", self.log_outs_told),
            ("log-outs refused", self.log_outs_refused),
            ("log-outs not in the journal", self.log_outs_unwritten),
        ] {
            writeln!(f, "{name}: {value}")?;
        }
        Ok(())
    }
}
