//! A circuit breaker: after many failures it lets nothing through for a while, then one call to see whether
//! the store is back.
//!
//! Closed, all calls pass. Five failures in a row, or more than half of at least 20 calls within ten
//! seconds, open it. Open, it lets one call through after each pause; the first that goes well closes it.

use std::time::{Duration, Instant};

use super::{Backoff, window::Window};

/// When a circuit opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitRules {
    /// So many failures in a row open it. 5 unless set.
    pub failures_in_a_row: u32,
    /// So does more than half of the calls within this time. 10 s unless set.
    pub window: Duration,
    /// But only if there were so many. 20 unless set.
    pub least_calls: u32,
    /// The pauses while it is open: 1 s and then twice as long, at most 2 s, unless set. The longest is
    /// also what a recovery waits to be noticed at worst, and one call in it costs a dead store nothing.
    pub pauses: Backoff,
}

impl Default for CircuitRules {
    fn default() -> Self {
        Self {
            failures_in_a_row: 5,
            window: Duration::from_secs(10),
            least_calls: 20,
            pauses: Backoff {
                first: Duration::from_secs(1),
                longest: Duration::from_secs(2),
            },
        }
    }
}

/// The state of a circuit.
#[derive(Clone, Debug)]
pub struct Circuit {
    rules: CircuitRules,
    state: State,
    /// Counts openings, closings and calls let through in between: what began before one of them says
    /// nothing about after it.
    generation: u64,
}

#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one circuit a store, and a box would be opened at each call"
)]
enum State {
    Closed {
        in_a_row: u32,
        window: Window,
    },
    Open {
        /// When the next call may pass.
        until: Instant,
        /// How many failed in a row since it opened, the opening one included.
        failures: u32,
    },
}

/// The right to make a call, to be handed back with what became of it.
#[derive(Debug)]
#[must_use = "a call that is let through has to be reported"]
pub struct Ticket {
    generation: u64,
    /// Whether its failure lengthens the pause.
    probe: bool,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The store has answered.
    Good,
    /// The store is in trouble: [`is_failure`](super::is_failure).
    Bad,
    /// Nobody knows: whoever made the call has gone.
    Unknown,
}

impl Circuit {
    /// A closed one.
    #[must_use]
    pub fn new(rules: CircuitRules, now: Instant) -> Self {
        Self {
            state: closed(&rules, now),
            rules,
            generation: 0,
        }
    }

    /// Whether all calls pass.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// Lets a call through, or not. While it is open, one passes after each pause.
    pub fn admit(&mut self, now: Instant) -> Option<Ticket> {
        if let State::Open { until, failures } = &mut self.state {
            if now < *until {
                return None;
            }
            // Should this call never be reported, the next one passes after a pause.
            *until = now + self.rules.pauses.after(*failures, 0);
            self.generation += 1;
        }
        Some(self.ticket(true))
    }

    /// Lets a call through that comes at intervals of its own whatever the store does, as a retry. Its
    /// success closes the circuit, its failure changes nothing while it is open.
    pub const fn admit_retry(&self) -> Ticket {
        self.ticket(self.is_closed())
    }

    /// Notes what became of a call; `jitter` as for [`Backoff::after`]. Whether the circuit has opened or
    /// closed by it.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a ticket is good for one report"
    )]
    pub fn report(&mut self, ticket: Ticket, report: Report, now: Instant, jitter: u32) -> bool {
        let Ticket { generation, probe } = ticket;
        if generation != self.generation {
            return false;
        }
        match (&mut self.state, report) {
            (State::Closed { .. }, Report::Unknown) => false,
            (State::Closed { in_a_row, window }, _) => {
                let good = report == Report::Good;
                *in_a_row = if good { 0 } else { in_a_row.saturating_add(1) };
                window.note(good, now);
                let trips = trips(&self.rules, *in_a_row, window.totals(now));
                if trips {
                    self.open(1, now, jitter);
                }
                trips
            }
            (State::Open { .. }, Report::Good) => {
                self.generation += 1;
                self.state = closed(&self.rules, now);
                true
            }
            (State::Open { failures, .. }, Report::Bad) if probe => {
                let failures = failures.saturating_add(1);
                self.open(failures, now, jitter);
                false
            }
            (State::Open { until, .. }, Report::Unknown) if probe => {
                *until = now;
                false
            }
            (State::Open { .. }, _) => false,
        }
    }

    fn open(&mut self, failures: u32, now: Instant, jitter: u32) {
        self.generation += 1;
        self.state = State::Open {
            until: now + self.rules.pauses.after(failures, jitter),
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
        in_a_row: 0,
        window: Window::new(rules.window, now),
    }
}

fn trips(rules: &CircuitRules, in_a_row: u32, (all, failed): (u64, u64)) -> bool {
    let many = all >= u64::from(rules.least_calls) && failed * 2 > all;
    in_a_row > 0 && (in_a_row >= rules.failures_in_a_row || many)
}

#[cfg(test)]
mod tests;
