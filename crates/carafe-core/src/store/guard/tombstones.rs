//! Log-outs that the store could not be told: the node refuses these sessions at once, and the store is told
//! as soon as it can be.
//!
//! Keys are told in the order in which they came. While the store fails, one key is tried after each pause,
//! whatever their number; once it answers, many at a time. It holds keys and no ids, and nothing on disk: a
//! node that ends before the store was told forgets them.

use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};

use super::Backoff;
use crate::store::StoreKey;

/// How many keys are told at a time once the store answers.
const TOGETHER: usize = 16;

/// How many log-outs are remembered, and how often the store is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TombstoneRules {
    /// How many are remembered; one more is refused, and the others are kept. 10,000 unless set, at less
    /// than 100 bytes each.
    pub most: usize,
    /// The pauses between tries: 100 ms and then twice as long, at most 1 s, unless set.
    pub pauses: Backoff,
}

impl Default for TombstoneRules {
    fn default() -> Self {
        Self {
            most: 10_000,
            pauses: Backoff {
                first: Duration::from_millis(100),
                longest: Duration::from_secs(1),
            },
        }
    }
}

/// Keys of sessions that have ended here, and perhaps not yet in the store.
#[derive(Debug)]
pub struct Tombstones {
    rules: TombstoneRules,
    keys: HashSet<StoreKey>,
    /// Those of `keys` that wait to be told, in order. The others are being told.
    waiting: VecDeque<StoreKey>,
    failures: u32,
    /// No try before.
    pause_until: Option<Instant>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Tell the store of these now, and report each: [`Tombstones::told`] or [`Tombstones::not_told`].
    Tell(Vec<StoreKey>),
    /// Nothing before.
    Wait(Instant),
    /// Nothing: no key waits.
    Nothing,
}

impl Tombstones {
    /// None yet.
    #[must_use]
    pub fn new(rules: TombstoneRules) -> Self {
        Self {
            rules,
            keys: HashSet::new(),
            waiting: VecDeque::new(),
            failures: 0,
            pause_until: None,
        }
    }

    /// Notes that the session under `key` has ended and that the store is being told; whether there was room.
    /// [`Tombstones::told`] or [`Tombstones::not_told`] must follow.
    #[must_use]
    pub fn note(&mut self, key: &StoreKey) -> bool {
        if self.keys.contains(key) {
            return true;
        }
        self.keys.len() < self.rules.most && self.keys.insert(*key)
    }

    /// The store knows.
    pub fn told(&mut self, key: &StoreKey) {
        (self.failures, self.pause_until) = (0, None);
        self.keys.remove(key);
        // Rarely there: somebody else has told the store while it waited.
        if !self.waiting.is_empty() {
            self.waiting.retain(|waiting| waiting != key);
        }
    }

    /// The store could not be told; it will be tried again after a pause. `jitter` as for [`Backoff::after`].
    pub fn not_told(&mut self, key: &StoreKey, now: Instant, jitter: u32) {
        if !self.keys.contains(key) {
            return;
        }
        if !self.waiting.contains(key) {
            self.waiting.push_back(*key);
        }
        // Failures of one moment are one failure.
        if self.pause_until.is_none_or(|until| until <= now) {
            self.failures = self.failures.saturating_add(1);
            self.pause_until = Some(now + self.rules.pauses.after(self.failures, jitter));
        }
    }

    /// What to do at `now`.
    pub fn step(&mut self, now: Instant) -> Step {
        if self.waiting.is_empty() {
            return Step::Nothing;
        }
        if let Some(until) = self.pause_until.filter(|&until| now < until) {
            return Step::Wait(until);
        }
        let count = if self.failures == 0 { TOGETHER } else { 1 };
        let count = count.min(self.waiting.len());
        Step::Tell(self.waiting.drain(..count).collect())
    }

    /// Ends the pause: the next step is a try.
    pub fn hurry(&mut self) {
        self.pause_until = None;
    }

    /// Whether the session under `key` has ended here.
    #[must_use]
    pub fn holds(&self, key: &StoreKey) -> bool {
        self.keys.contains(key)
    }

    /// How many the store may not know of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether the store knows of all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(number: usize) -> StoreKey {
        StoreKey::of_id(&number.to_string())
    }

    fn with(failed: usize, now: Instant) -> Tombstones {
        let mut stones = Tombstones::new(TombstoneRules::default());
        for number in 0..failed {
            assert!(stones.note(&key(number)));
            stones.not_told(&key(number), now, 0);
        }
        stones
    }

    #[test]
    fn a_dead_store_is_tried_with_one_key_after_each_pause() {
        let start = Instant::now();
        let (mut stones, mut now, mut tries) = (with(500, start), start, 0);
        while now < start + Duration::from_secs(60) {
            match stones.step(now) {
                Step::Tell(keys) => {
                    tries += keys.len();
                    keys.iter().for_each(|key| stones.not_told(key, now, 0));
                }
                Step::Wait(until) => now = until,
                Step::Nothing => panic!("500 wait"),
            }
        }
        assert!((60..90).contains(&tries), "{tries}");
        assert_eq!(stones.len(), 500);
    }

    #[test]
    fn a_store_that_is_back_is_told_all_without_a_pause() {
        let start = Instant::now();
        let mut stones = with(500, start);
        let Step::Wait(now) = stones.step(start) else {
            panic!("it has just failed")
        };
        let mut steps = 0;
        while let Step::Tell(keys) = stones.step(now) {
            steps += 1;
            keys.iter().for_each(|key| stones.told(key));
        }
        assert!(stones.is_empty());
        assert_eq!(steps, 1 + 499_usize.div_ceil(TOGETHER));
    }

    #[test]
    fn a_full_queue_keeps_what_it_has() {
        let mut stones = Tombstones::new(TombstoneRules {
            most: 1,
            ..TombstoneRules::default()
        });
        assert!(stones.note(&key(1)) && stones.note(&key(1)));
        assert!(!stones.note(&key(2)));
        assert!(stones.holds(&key(1)) && !stones.holds(&key(2)));
        stones.not_told(&key(2), Instant::now(), 0);
        assert_eq!(stones.len(), 1, "what was not noted does not come in later");
    }

    proptest! {
        /// Whatever order things happen in, a key is held from its log-out until the store was told of it, and
        /// no key is lost: each is being told or waits.
        #[test]
        fn no_log_out_is_lost(events in prop::collection::vec((0_usize..8, 0..4), 0..200)) {
            let mut now = Instant::now();
            let mut stones = Tombstones::new(TombstoneRules::default());
            let (mut ended, mut telling) = (HashSet::new(), HashSet::new());
            for (number, event) in events {
                let key = key(number);
                match event {
                    0 => {
                        prop_assert!(stones.note(&key));
                        ended.insert(key);
                        telling.insert(key);
                    }
                    1 if telling.contains(&key) => {
                        stones.told(&key);
                        ended.remove(&key);
                        telling.remove(&key);
                    }
                    2 if telling.remove(&key) => stones.not_told(&key, now, 0),
                    _ => match stones.step(now) {
                        Step::Tell(keys) => telling.extend(keys),
                        Step::Wait(until) => now = until,
                        Step::Nothing => prop_assert!(ended.is_subset(&telling)),
                    },
                }
                for number in 0..8 {
                    let key = self::key(number);
                    prop_assert_eq!(stones.holds(&key), ended.contains(&key));
                }
                prop_assert_eq!(stones.len(), ended.len());
            }
        }
    }
}
