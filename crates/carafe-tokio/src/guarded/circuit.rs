//! A circuit breaker: after repeated failures it rejects all calls for a while, then admits one as
//! a probe.
//!
//! Closed, it admits all calls. Five consecutive failures, or more than half of at least 20 calls
//! within ten seconds, open it. Open, it admits one call after each delay of its backoff, and the
//! first success closes it.

use std::time::{Duration, Instant};

use super::window::Window;
use crate::backoff::Backoff;

/// The conditions under which the circuit of a [`Guarded`](crate::Guarded) store opens, and the
/// delays between its probes.
///
/// ```
/// use carafe_core::store::MemoryStore;
/// use carafe_tokio::{CircuitRules, GuardOptions};
///
/// let rules = CircuitRules::default().with_consecutive_failures(10);
/// let store = GuardOptions::default().with_circuit(rules).guard(MemoryStore::new());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct CircuitRules {
    consecutive_failures: u32,
    window: Duration,
    min_calls: u32,
    backoff: Backoff,
}

impl CircuitRules {
    /// Sets the number of consecutive failures that open the circuit. Default: 5.
    pub const fn with_consecutive_failures(mut self, failures: u32) -> Self {
        self.consecutive_failures = failures;
        self
    }

    /// Sets the time over which the failure rate is measured. More than half of the calls within
    /// this time open the circuit. Default: 10 s.
    pub const fn with_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets the number of calls within the window below which the failure rate does not count.
    /// Default: 20.
    pub const fn with_min_calls(mut self, calls: u32) -> Self {
        self.min_calls = calls;
        self
    }

    /// Sets the delays between probes while the circuit is open. The maximum is also the upper
    /// bound on the time until a recovery is noticed. Default: 1 s, doubling up to 2 s.
    pub const fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }
}

impl Default for CircuitRules {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            window: Duration::from_secs(10),
            min_calls: 20,
            backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(2)),
        }
    }
}

/// The state machine. Callers pass the time.
#[derive(Clone, Debug)]
pub(super) struct Circuit {
    rules: CircuitRules,
    state: State,
    /// Incremented when the circuit opens, closes or admits a probe. The outcome of a call of an
    /// earlier generation is ignored.
    generation: u64,
}

#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a store has one circuit, and a box would be dereferenced at each call"
)]
enum State {
    Closed {
        consecutive_failures: u32,
        window: Window,
    },
    Open {
        /// The time of the next probe.
        until: Instant,
        /// Consecutive failures since the circuit opened, including the one that opened it.
        failures: u32,
    },
}

/// An admitted call, to be passed to [`Circuit::report`] with its outcome.
#[derive(Debug)]
#[must_use = "the outcome of an admitted call has to be reported"]
pub(super) struct Ticket {
    generation: u64,
    /// Whether a failure of this call increases the backoff.
    probe: bool,
}

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The store answered.
    Success,
    /// The store failed: [`is_failure`](super::failure::is_failure).
    Failure,
    /// The caller dropped the call.
    Unknown,
}

impl Circuit {
    /// Returns a closed circuit.
    pub(super) fn new(rules: CircuitRules, now: Instant) -> Self {
        Self {
            state: closed(&rules, now),
            rules,
            generation: 0,
        }
    }

    /// Returns whether all calls are admitted.
    pub(super) const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// Admits a call, or returns `None`. An open circuit admits one call after each delay.
    pub(super) fn admit(&mut self, now: Instant) -> Option<Ticket> {
        if let State::Open { until, failures } = &mut self.state {
            if now < *until {
                return None;
            }
            // If the outcome of this probe is never reported, the next one is admitted after a
            // delay.
            *until = now + self.rules.backoff.delay(*failures, 0);
            self.generation += 1;
        }
        Some(self.ticket(true))
    }

    /// Admits a call that has its own backoff, such as a retry in the background. Its success
    /// closes an open circuit. Its failure does not increase the circuit's backoff.
    pub(super) const fn admit_retry(&self) -> Ticket {
        self.ticket(self.is_closed())
    }

    /// Records the outcome of a call. `jitter` returns the number for [`Backoff::delay`], and is
    /// only called if the circuit opens. Returns whether the circuit opened or closed.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is reported once")]
    pub(super) fn report(
        &mut self,
        ticket: Ticket,
        outcome: Outcome,
        now: Instant,
        jitter: impl FnOnce() -> u32,
    ) -> bool {
        let Ticket { generation, probe } = ticket;
        if generation != self.generation {
            return false;
        }
        match (&mut self.state, outcome) {
            (State::Closed { .. }, Outcome::Unknown) => false,
            (
                State::Closed {
                    consecutive_failures,
                    window,
                },
                _,
            ) => {
                let success = outcome == Outcome::Success;
                *consecutive_failures = match success {
                    true => 0,
                    false => consecutive_failures.saturating_add(1),
                };
                window.record(success, now);
                let trips = trips(&self.rules, *consecutive_failures, window.totals(now));
                if trips {
                    self.open(1, now, jitter());
                }
                trips
            }
            (State::Open { .. }, Outcome::Success) => {
                self.generation += 1;
                self.state = closed(&self.rules, now);
                true
            }
            (State::Open { failures, .. }, Outcome::Failure) if probe => {
                let failures = failures.saturating_add(1);
                self.open(failures, now, jitter());
                false
            }
            (State::Open { until, .. }, Outcome::Unknown) if probe => {
                *until = now;
                false
            }
            (State::Open { .. }, _) => false,
        }
    }

    fn open(&mut self, failures: u32, now: Instant, jitter: u32) {
        self.generation += 1;
        self.state = State::Open {
            until: now + self.rules.backoff.delay(failures, jitter),
            failures,
        };
    }

    const fn ticket(&self, probe: bool) -> Ticket {
        Ticket {
            generation: self.generation,
            probe,
        }
    }
}

fn closed(rules: &CircuitRules, now: Instant) -> State {
    State::Closed {
        consecutive_failures: 0,
        window: Window::new(rules.window, now),
    }
}

fn trips(rules: &CircuitRules, consecutive_failures: u32, (all, failed): (u64, u64)) -> bool {
    let rate = all >= u64::from(rules.min_calls) && failed * 2 > all;
    consecutive_failures > 0 && (consecutive_failures >= rules.consecutive_failures || rate)
}

#[cfg(test)]
mod tests;
