//! A sliding window of call results, in ten slots.

use std::time::{Duration, Instant};

const SLOTS: usize = 10;

/// Counts the calls of the last `length`, with a resolution of a tenth of `length`.
#[derive(Clone, Debug)]
pub(super) struct Window {
    start: Instant,
    slot_length: Duration,
    slots: [Slot; SLOTS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The index of this slot's interval since `start`.
    number: u128,
    successes: u32,
    failures: u32,
}

impl Window {
    pub(super) fn new(length: Duration, now: Instant) -> Self {
        Self {
            start: now,
            // `number` divides by `slot_length`.
            slot_length: (length / 10).max(Duration::from_nanos(1)),
            slots: [Slot::default(); SLOTS],
        }
    }

    pub(super) fn record(&mut self, success: bool, now: Instant) {
        let number = self.number(now);
        // The remainder is below ten, so the cast loses nothing.
        let slot = &mut self.slots[(number % SLOTS as u128) as usize];
        if slot.number != number {
            *slot = Slot {
                number,
                ..Slot::default()
            };
        }
        let count = match success {
            true => &mut slot.successes,
            false => &mut slot.failures,
        };
        *count = count.saturating_add(1);
    }

    /// Returns the number of all calls and of failed calls.
    pub(super) fn totals(&self, now: Instant) -> (u64, u64) {
        let number = self.number(now);
        let recent = self
            .slots
            .iter()
            .filter(|slot| slot.number + SLOTS as u128 > number);
        recent.fold((0, 0), |(all, failed), slot| {
            let (successes, failures) = (u64::from(slot.successes), u64::from(slot.failures));
            (all + successes + failures, failed + failures)
        })
    }

    fn number(&self, now: Instant) -> u128 {
        now.saturating_duration_since(self.start).as_nanos() / self.slot_length.as_nanos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_older_than_the_length_are_not_counted() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut window = Window::new(Duration::from_secs(10), start);
        for second in 0..10 {
            window.record(second % 2 == 0, at(second * 1_000));
        }
        assert_eq!(window.totals(at(9_999)), (10, 5));
        assert_eq!(window.totals(at(10_000)), (9, 5));
        assert_eq!(window.totals(at(14_500)), (5, 3));
        assert_eq!(window.totals(at(60_000)), (0, 0));
        window.record(false, at(60_000));
        assert_eq!(window.totals(at(60_000)), (1, 1));
    }

    #[test]
    fn a_length_of_zero_does_not_panic() {
        let now = Instant::now();
        let mut window = Window::new(Duration::ZERO, now);
        window.record(false, now);
        assert_eq!(window.totals(now), (1, 1));
    }
}
