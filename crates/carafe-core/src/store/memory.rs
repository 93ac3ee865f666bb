//! Sessions in this process's memory: the reference store, and the one for tests and single processes.
//!
//! A record is one allocation of packed bytes (`packed`), filed under half of its key in one of 64 maps.
//! Nothing survives a restart. Next: `packed` for the layout, `ready` for the contract.

mod inventory;
mod packed;
mod ready;
mod shard;

use std::{
    collections::hash_map::Entry,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use super::{AtOnce, Created, Record, StoreError, StoreKey, Summary, Which};
use crate::{clock::Timestamp, session::Patch};
use packed::Packed;
use shard::{Place, Shard, half};

const SHARDS: usize = 64;

/// Sessions in memory.
///
/// ```
/// use carafe_core::store::{MemoryStore, WhenFull};
///
/// let store = MemoryStore::bounded(1_000_000, WhenFull::Refuse);
/// assert_eq!(store.len(), 0);
/// ```
pub struct MemoryStore {
    // One plain mutex a shard: each is held for one verb, which does no I/O and never waits.
    shards: Box<[Mutex<Shard>]>,
    /// Relaxed: a count for the bound, which need not be exact to one.
    count: AtomicUsize,
    bound: Option<(usize, WhenFull)>,
    sweep_from: AtomicUsize,
    /// Relaxed: it says who sweeps, and orders nothing else.
    claimed_until: AtomicI64,
}

/// What a bounded store does with one session too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Answers [`StoreError::Full`]: nobody is logged out, nobody else gets a session.
    Refuse,
    /// Drops, of a few sessions looked at, the one that would expire first.
    Evict,
}

impl MemoryStore {
    /// A store without a bound.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            count: AtomicUsize::new(0),
            bound: None,
            sweep_from: AtomicUsize::new(0),
            claimed_until: AtomicI64::new(i64::MIN),
        }
    }

    /// A store of at most `sessions` sessions, expired ones that were not swept included.
    #[must_use]
    pub fn bounded(sessions: usize, when_full: WhenFull) -> Self {
        Self {
            bound: Some((sessions, when_full)),
            ..Self::new()
        }
    }

    /// How many sessions are kept, expired ones that were not swept included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: &StoreKey) -> MutexGuard<'_, Shard> {
        // Shards take the second half of the key, so that within one shard the first half is still uniform.
        let index = usize::from(key.as_bytes()[31]) % SHARDS;
        // A verb changes a map in one step, so a panic elsewhere leaves it whole.
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl AtOnce for MemoryStore {
    fn create_at_once(
        &self,
        key: &StoreKey,
        record: &Record,
        _: Timestamp,
    ) -> Result<Created, StoreError> {
        let mut shard = self.shard(key);
        if let Some((bound, when_full)) = self.bound
            && self.len() >= bound
        {
            match when_full {
                WhenFull::Refuse => return Err(StoreError::Full),
                WhenFull::Evict => self.forget(usize::from(shard.evict())),
            }
        }
        let Entry::Vacant(place) = shard.records.entry(half(key)) else {
            return Ok(Created::Taken);
        };
        place.insert(Place::Record(Packed::new(record)));
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(Created::Created)
    }

    fn load_at_once(&self, key: &StoreKey, now: Timestamp) -> Result<Option<Record>, StoreError> {
        self.at_live(key, now, |packed| Ok(packed.map(|packed| packed.record())))
    }

    fn patch_at_once(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let patched = self.patched(key, base, patch, now, drop)?;
        Ok(patched.is_some())
    }

    fn rotate_at_once(
        &self,
        keys: (&StoreKey, &StoreKey),
        base: &Record,
        patch: &Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let rotated = self.rotated(keys, base, patch, alias_until, now, drop)?;
        Ok(rotated.is_some())
    }

    fn touch_at_once(
        &self,
        key: &StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.at_live(key, now, |packed| {
            Ok(packed.map(|packed| packed.touch(now, expires)).is_some())
        })
    }

    fn delete_at_once(&self, key: &StoreKey) -> Result<bool, StoreError> {
        // An alias leads to its record whatever the time: deleting through the old id ends the session.
        let target = match self.shard(key).records.remove(&half(key)) {
            None => return Ok(false),
            Some(Place::Record(_)) => {
                self.forget(1);
                return Ok(true);
            }
            Some(Place::Alias(alias)) => alias.0,
        };
        self.delete_at_once(&target)
    }
}

impl MemoryStore {
    /// What is `told` of the record after a patch.
    fn patched<T>(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
        told: impl FnOnce(Record) -> T,
    ) -> Result<Option<T>, StoreError> {
        self.at_live(key, now, |packed| {
            let Some(packed) = packed else {
                return Ok(None);
            };
            let Some(record) = packed.newest(base).after(base, patch)? else {
                return Ok(None);
            };
            *packed = Packed::new(&record);
            Ok(Some(told(record)))
        })
    }

    /// What is `told` of the record after a rotation.
    fn rotated<T>(
        &self,
        (from, to): (&StoreKey, &StoreKey),
        base: &Record,
        patch: &Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
        told: impl FnOnce(Record) -> T,
    ) -> Result<Option<T>, StoreError> {
        let (mut source, mut target) = self.both(from, to);
        let there = target.as_deref().unwrap_or(&source);
        if there.records.contains_key(&half(to)) {
            return Err(StoreError::Conflict);
        }
        let Some(packed) = source.live(from, now) else {
            return Ok(None);
        };
        let Some(record) = packed.newest(base).rotated(base, patch, now)? else {
            return Ok(None);
        };
        let place = Place::Record(Packed::new(&record));
        let there = target.as_deref_mut().unwrap_or(&mut source);
        there.records.insert(half(to), place);
        match alias_until.filter(|&until| until > now) {
            Some(until) => {
                let alias = Place::Alias(Box::new((*to, until)));
                source.records.insert(half(from), alias);
            }
            None => _ = source.records.remove(&half(from)),
        }
        Ok(Some(told(record)))
    }

    /// Does something to the live record of `key`, or of the key that it is an alias of, if there is one.
    fn at_live<T>(
        &self,
        key: &StoreKey,
        now: Timestamp,
        act: impl FnOnce(Option<&mut Packed>) -> T,
    ) -> T {
        let mut key = *key;
        loop {
            match self.shard(&key).records.get_mut(&half(&key)) {
                Some(Place::Record(packed)) if now < packed.expires() => return act(Some(packed)),
                Some(Place::Alias(alias)) if now < alias.1 => key = alias.0,
                _ => return act(None),
            }
        }
    }

    /// Two shards, locked in one order everywhere, so that no two verbs wait for each other.
    fn both(
        &self,
        from: &StoreKey,
        to: &StoreKey,
    ) -> (MutexGuard<'_, Shard>, Option<MutexGuard<'_, Shard>>) {
        let index = |key: &StoreKey| usize::from(key.as_bytes()[31]) % SHARDS;
        match index(from).cmp(&index(to)) {
            std::cmp::Ordering::Equal => (self.shard(from), None),
            std::cmp::Ordering::Less => {
                let first = self.shard(from);
                (first, Some(self.shard(to)))
            }
            std::cmp::Ordering::Greater => {
                let first = self.shard(to);
                (self.shard(from), Some(first))
            }
        }
    }

    fn forget(&self, sessions: usize) {
        self.count.fetch_sub(sessions, Ordering::Relaxed);
    }

    /// Looks at every live session: the price of having no index of users.
    fn of_user_now(&self, user: &str, now: Timestamp) -> Vec<Summary> {
        let mut sessions = Vec::new();
        self.each(|_, _, packed| {
            if packed.user() == Some(user.as_bytes()) && now < packed.expires() {
                sessions.push(packed.record().summary());
            }
        });
        sessions.sort_by_key(|session| std::cmp::Reverse(session.position()));
        sessions
    }

    /// Again until none is seen: one may have got a new id between the look and the removal.
    fn delete_of_user_now(&self, user: &str, which: Which) -> u64 {
        let meant = |packed: &Packed| {
            packed.user() == Some(user.as_bytes()) && which.includes(packed.handle())
        };
        let mut deleted = 0;
        loop {
            let mut places = Vec::new();
            self.each(|index, half, packed| {
                if meant(packed) {
                    places.push((index, *half));
                }
            });
            if places.is_empty() {
                return deleted;
            }
            deleted += self.remove_seen(&places, meant);
        }
    }

    /// Goes through the shards from where the last call stopped.
    fn sweep_now(&self, limit: usize, now: Timestamp) -> usize {
        let mut swept = 0;
        for _ in 0..SHARDS {
            let index = self.sweep_from.load(Ordering::Relaxed) % SHARDS;
            let mut shard = self.shards[index]
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let (records, sessions) = shard.sweep(limit - swept, now);
            self.forget(sessions);
            swept += records;
            if swept == limit {
                break;
            }
            self.sweep_from.fetch_add(1, Ordering::Relaxed);
        }
        swept
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MemoryStore({} sessions)", self.len())
    }
}
