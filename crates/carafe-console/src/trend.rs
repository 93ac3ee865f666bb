//! The number of sessions over time, since the console started, because stores keep no history.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use carafe_core::clock::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// Number of slots of the plot, each one step long. The longest step is reached after half a day.
const SLOTS: i64 = 30;
const STEPS: [i64; 4] = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR];

/// One number per minute, for the length of the plot.
#[derive(Default)]
pub(super) struct Trend {
    // A plain lock, never held across an await.
    minutes: Mutex<VecDeque<Minute>>,
}

#[derive(Clone, Copy)]
struct Minute {
    /// Minutes since 1970.
    at: i64,
    total: u64,
}

/// The slots of the plot.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slots {
    /// Seconds per slot.
    pub(super) step: i64,
    /// The start of each slot, and the number of sessions at its end if it is known.
    pub(super) slots: Vec<(Timestamp, Option<u64>)>,
}

impl Trend {
    /// Records the number of sessions at `now`.
    pub(super) fn note(&self, total: u64, now: Timestamp) {
        let at = now.unix().div_euclid(MINUTE);
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        if minutes.back().is_some_and(|last| last.at == at) {
            minutes.pop_back();
        }
        minutes.push_back(Minute { at, total });
        let first = at - SLOTS * HOUR / MINUTE;
        minutes.retain(|minute| minute.at > first);
    }

    /// Returns the last slots, with the shortest step that shows all known numbers.
    pub(super) fn slots(&self, now: Timestamp) -> Slots {
        let minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = minutes
            .front()
            .map_or(now.unix(), |first| first.at * MINUTE);
        let fits = |step: &i64| oldest.div_euclid(*step) > now.unix().div_euclid(*step) - SLOTS;
        let step = STEPS.into_iter().find(fits).unwrap_or(HOUR);
        let first = now.unix().div_euclid(step) - SLOTS + 1;
        let total = |slot: i64| {
            let mut found = minutes.iter().rev();
            let last = found.find(|minute| (minute.at * MINUTE).div_euclid(step) == slot);
            last.map(|minute| minute.total)
        };
        let slot = |slot: i64| (Timestamp::from_unix(slot * step), total(slot));
        Slots {
            step,
            slots: (first..first + SLOTS).map(slot).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_700_000_000 / HOUR * HOUR;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix(START + minute * MINUTE + 7)
    }

    #[test]
    fn slots_grow_with_what_is_known() {
        let trend = Trend::default();
        for minute in 0..3_000_i64 {
            trend.note(u64::try_from(minute).unwrap(), at(minute));
            let shown = trend.slots(at(minute));
            let step = match minute {
                0..30 => MINUTE,
                30..150 => 5 * MINUTE,
                150..450 => 15 * MINUTE,
                _ => HOUR,
            };
            assert_eq!((shown.step, shown.slots.len()), (step, 30), "{minute}");
            let newest = shown.slots.last().copied().and_then(|(_, total)| total);
            assert_eq!(newest, Some(u64::try_from(minute).unwrap()));
        }
        assert!(trend.minutes.lock().unwrap().len() <= 1_800);
    }

    #[test]
    fn what_is_not_known_is_a_gap() {
        let trend = Trend::default();
        assert!(
            trend
                .slots(at(0))
                .slots
                .iter()
                .all(|(_, total)| total.is_none())
        );
        trend.note(5, at(0));
        trend.note(6, at(0));
        trend.note(7, at(2));
        let shown = trend.slots(at(3));
        let last: Vec<_> = shown.slots[26..].iter().map(|(_, total)| *total).collect();
        assert_eq!(last, [Some(6), None, Some(7), None]);
        assert_eq!(shown.slots[26].0, Timestamp::from_unix(START));
    }
}
