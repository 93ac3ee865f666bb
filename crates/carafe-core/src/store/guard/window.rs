//! How many calls of the last seconds went well and how many did not, in ten slots that are used in turn.

use std::time::{Duration, Instant};

const SLOTS: usize = 10;

/// Calls of the last `length`, to a tenth of it.
#[derive(Clone, Debug)]
pub(super) struct Window {
    began: Instant,
    slot: Duration,
    slots: [Slot; SLOTS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Which tenth since `began` it counts for.
    number: u128,
    good: u32,
    bad: u32,
}

impl Window {
    pub(super) fn new(length: Duration, now: Instant) -> Self {
        Self {
            began: now,
            // A slot of no length would be divided by.
            slot: (length / 10).max(Duration::from_nanos(1)),
            slots: [Slot::default(); SLOTS],
        }
    }

    pub(super) fn note(&mut self, good: bool, now: Instant) {
        let number = self.number(now);
        // Modulo ten, so it is an index.
        let slot = &mut self.slots[(number % SLOTS as u128) as usize];
        if slot.number != number {
            *slot = Slot {
                number,
                ..Slot::default()
            };
        }
        let count = if good { &mut slot.good } else { &mut slot.bad };
        *count = count.saturating_add(1);
    }

    /// All calls and those that failed.
    pub(super) fn totals(&self, now: Instant) -> (u64, u64) {
        let number = self.number(now);
        let recent = self
            .slots
            .iter()
            .filter(|slot| slot.number + SLOTS as u128 > number);
        recent.fold((0, 0), |(all, failed), slot| {
            let (good, bad) = (u64::from(slot.good), u64::from(slot.bad));
            (all + good + bad, failed + bad)
        })
    }

    fn number(&self, now: Instant) -> u128 {
        now.saturating_duration_since(self.began).as_nanos() / self.slot.as_nanos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_what_is_older_than_its_length() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut window = Window::new(Duration::from_secs(10), start);
        for second in 0..10 {
            window.note(second % 2 == 0, at(second * 1_000));
        }
        assert_eq!(window.totals(at(9_999)), (10, 5));
        assert_eq!(window.totals(at(10_000)), (9, 5));
        assert_eq!(window.totals(at(14_500)), (5, 3));
        assert_eq!(window.totals(at(60_000)), (0, 0));
        window.note(false, at(60_000));
        assert_eq!(window.totals(at(60_000)), (1, 1));
    }

    #[test]
    fn no_length_is_no_panic() {
        let now = Instant::now();
        let mut window = Window::new(Duration::ZERO, now);
        window.note(false, now);
        assert_eq!(window.totals(now), (1, 1));
    }
}
