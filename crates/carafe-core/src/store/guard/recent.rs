//! Records that this node has read a moment ago, for reading them once more while the store fails.
//!
//! It is a memory of what was so, not a cache: it answers only who has asked the store in vain. Nothing stays in it
//! longer than its rules say, nor what has ended, changed its id or its version here.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::LogOut;
use crate::{
    clock::Timestamp,
    store::{Record, StoreKey, guard::Whose},
};

/// The longest that a record may be answered after the store was last heard of it.
const LONGEST: Duration = Duration::from_secs(30);
/// Bytes of keys and values beyond which a record is not kept, so that a number of records bounds the memory.
const LARGEST: usize = 16 << 10;

/// Which records are answered while the store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleRules {
    /// How long after the store was heard of them: 30 s unless set, and at most.
    pub within: Duration,
    /// How many are kept, each of at most 16 KiB: 10,000 unless set.
    pub most: usize,
    /// Not those whose id is younger than this, since they may have been read through the old id that a renewal
    /// leaves working. 60 s unless set; twice the grace time of the timeouts.
    pub youngest_id: Duration,
}

impl Default for StaleRules {
    fn default() -> Self {
        Self {
            within: LONGEST,
            most: 10_000,
            youngest_id: Duration::from_secs(60),
        }
    }
}

/// Records that were read a moment ago.
///
/// ```
/// use std::time::{Duration, Instant};
/// use carafe_core::{clock::Timestamp, session::SessionData};
/// use carafe_core::store::{Handle, Record, StoreKey, guard::{Recent, StaleRules}};
///
/// let (start, noon) = (Instant::now(), Timestamp::from_unix(1_700_000_000));
/// let (key, hour_ago) = (StoreKey::of_id("1"), noon.saturating_add(-3_600));
/// let record = Record {
///     data: SessionData::default(), user: None, handle: Handle::from_bytes([1; 12]), device: None, created: hour_ago,
///     renewed: hour_ago, last_seen: noon, expires: noon.saturating_add(60), authenticated: Some(noon), version: 0,
/// };
/// let mut recent = Recent::new(StaleRules::default(), start);
/// let asked = recent.ask(start);
/// recent.keep(&key, &record, asked, noon);
/// let later = recent.stale(&key, start + Duration::from_secs(29), noon).expect("it was read a moment ago");
/// assert!(later.is_stale() && later.authenticated.is_none());
/// assert!(recent.stale(&key, start + Duration::from_secs(31), noon).is_none());
/// ```
#[derive(Debug)]
pub struct Recent {
    rules: StaleRules,
    /// Two generations: the old one goes as a whole, which bounds both time and number.
    young: HashMap<StoreKey, Seen>,
    old: HashMap<StoreKey, Seen>,
    /// When the young generation began.
    since: Instant,
    /// Counts what was taken out: an answer that was on its way meanwhile is not kept.
    forgotten: u64,
}

#[derive(Debug)]
struct Seen {
    at: Instant,
    record: Record,
}

/// When a store was asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    at: Instant,
    forgotten: u64,
}

impl Recent {
    /// None yet.
    #[must_use]
    pub fn new(rules: StaleRules, now: Instant) -> Self {
        let within = rules.within.min(LONGEST);
        Self {
            rules: StaleRules { within, ..rules },
            young: HashMap::new(),
            old: HashMap::new(),
            since: now,
            forgotten: 0,
        }
    }

    /// Notes that a store is being asked, whose answer may then be kept.
    #[must_use]
    pub const fn ask(&self, now: Instant) -> Asked {
        Asked {
            at: now,
            forgotten: self.forgotten,
        }
    }

    /// Keeps what the store has answered at `now`, unless something was taken out meanwhile.
    pub fn keep(&mut self, key: &StoreKey, record: &Record, asked: Asked, now: Timestamp) {
        let young = self.rules.youngest_id.as_secs();
        let young = i64::try_from(young).unwrap_or(i64::MAX);
        if asked.forgotten != self.forgotten
            || now.seconds_since(record.renewed) <= young
            || size(record) > LARGEST
        {
            return;
        }
        let known = self.young.get(key).or_else(|| self.old.get(key));
        if known.is_some_and(|known| known.record.version > record.version) {
            return;
        }
        let full = self.young.len() >= self.rules.most.div_ceil(2);
        if full || asked.at.saturating_duration_since(self.since) > self.rules.within {
            self.old = std::mem::take(&mut self.young);
            self.since = asked.at;
        }
        self.old.remove(key);
        let seen = Seen {
            at: asked.at,
            record: record.clone(),
        };
        self.young.insert(*key, seen);
    }

    /// Takes out what is under a key, because it has changed or is no longer there.
    pub fn forget(&mut self, key: &StoreKey) {
        self.forgotten += 1;
        self.young.remove(key);
        self.old.remove(key);
    }

    /// Takes out what an order is about, under whatever key and however young.
    pub fn end(&mut self, order: &LogOut) {
        if let Whose::Key(key) = &order.whose {
            return self.forget(key);
        }
        self.forgotten += 1;
        for records in [&mut self.young, &mut self.old] {
            records.retain(|_, seen| !order.concerns(&seen.record));
        }
    }

    /// What was under a key a moment ago, as [`Record::stale`], if it is not over at `now`.
    #[must_use]
    pub fn stale(&self, key: &StoreKey, at: Instant, now: Timestamp) -> Option<Record> {
        let seen = self.young.get(key).or_else(|| self.old.get(key))?;
        let fresh = at.saturating_duration_since(seen.at) <= self.rules.within;
        (fresh && !seen.record.is_expired(now)).then(|| seen.record.clone().stale(now))
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The public names of those that are kept.
    #[cfg(test)]
    fn handles(&self) -> impl Iterator<Item = crate::store::Handle> + '_ {
        let all = self.young.values().chain(self.old.values());
        all.map(|seen| seen.record.handle)
    }
}

fn size(record: &Record) -> usize {
    let data: usize = record
        .data
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    data + text(&record.user) + text(&record.device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        session::SessionData,
        store::{Handle, Which},
    };

    const NOON: Timestamp = Timestamp::from_unix(1_700_000_000);
    const SECOND: Duration = Duration::from_secs(1);

    fn key(number: u8) -> StoreKey {
        StoreKey::of_id(&number.to_string())
    }

    fn record(number: u8) -> Record {
        Record {
            data: SessionData::default(),
            user: Some("ann".to_owned()),
            handle: Handle::from_bytes([number; 12]),
            device: None,
            created: NOON.saturating_add(-3_600),
            renewed: NOON.saturating_add(-61),
            last_seen: NOON,
            expires: NOON.saturating_add(20),
            authenticated: Some(NOON.saturating_add(-3_600)),
            version: 3,
        }
    }

    fn kept(numbers: impl IntoIterator<Item = u8>, start: Instant) -> Recent {
        let mut recent = Recent::new(StaleRules::default(), start);
        for number in numbers {
            let asked = recent.ask(start);
            recent.keep(&key(number), &record(number), asked, NOON);
        }
        recent
    }

    #[test]
    fn what_is_answered_is_marked_proves_nothing_and_is_due_for_nothing() {
        let (recent, start) = (kept([1], Instant::now()), Instant::now());
        let stale = recent.stale(&key(1), start, NOON).expect("it was seen");
        assert!(stale.is_stale() && !record(1).is_stale());
        assert_eq!(stale.authenticated, None);
        assert_eq!((stale.renewed, stale.last_seen), (NOON, NOON));
        assert_eq!(stale.user.as_deref(), Some("ann"));
        assert!(recent.stale(&key(2), start, NOON).is_none());
    }

    #[test]
    fn nothing_is_answered_too_late_by_either_clock() {
        let start = Instant::now();
        let recent = kept([1], start);
        let found = |seconds: u32, now: i64| {
            let at = start + SECOND * seconds;
            recent
                .stale(&key(1), at, NOON.saturating_add(now))
                .is_some()
        };
        assert!(found(30, 0) && !found(31, 0));
        assert!(found(0, 19) && !found(0, 20), "it is over to the second");
        let rules = StaleRules {
            within: Duration::from_secs(3_600),
            ..StaleRules::default()
        };
        assert_eq!(Recent::new(rules, start).rules.within, LONGEST);
    }

    #[test]
    fn an_answer_that_was_on_its_way_while_a_session_ended_is_not_kept() {
        let start = Instant::now();
        for ends in [true, false] {
            let mut recent = kept([1, 2], start);
            let asked = recent.ask(start);
            let order = LogOut {
                whose: Whose::User("ann".into(), Which::Only(record(1).handle)),
                at: NOON,
            };
            match ends {
                true => recent.end(&order),
                false => recent.forget(&key(1)),
            }
            recent.keep(&key(1), &record(1), asked, NOON);
            assert!(recent.handles().eq([record(2).handle]));
        }
    }

    #[test]
    fn an_answer_that_comes_late_does_not_replace_a_newer_one() {
        let start = Instant::now();
        let mut recent = kept([], start);
        let (early, late) = (recent.ask(start), recent.ask(start + SECOND));
        let newer = Record {
            version: 4,
            expires: NOON.saturating_add(99),
            ..record(1)
        };
        recent.keep(&key(1), &newer, late, NOON);
        recent.keep(&key(1), &record(1), early, NOON);
        let found = recent.stale(&key(1), start, NOON).expect("it was seen");
        assert_eq!(found.expires, newer.expires);
    }

    #[test]
    fn neither_a_young_id_nor_a_large_record_is_kept() {
        let start = Instant::now();
        let mut recent = kept([], start);
        let young = Record {
            renewed: NOON.saturating_add(-60),
            ..record(1)
        };
        let large = Record {
            device: Some("x".repeat(LARGEST)),
            ..record(2)
        };
        for record in [young, large] {
            let asked = recent.ask(start);
            recent.keep(&key(1), &record, asked, NOON);
        }
        assert!(recent.is_empty());
    }

    #[test]
    fn the_number_is_bounded_and_the_latest_stay() {
        let start = Instant::now();
        let mut recent = kept([], start);
        recent.rules.most = 10;
        for number in 0..100 {
            let asked = recent.ask(start);
            recent.keep(&key(number), &record(number), asked, NOON);
            assert!(recent.len() <= 10);
        }
        for number in 95..100 {
            assert!(
                recent.stale(&key(number), start, NOON).is_some(),
                "{number}"
            );
        }
        // Two generations later nothing of these is left.
        for seconds in [31, 62] {
            let asked = recent.ask(start + SECOND * seconds);
            recent.keep(&key(200), &record(200), asked, NOON);
        }
        assert_eq!(recent.len(), 1);
    }
}
