//! Sessions in the memory of this process: the reference store, for tests and single processes.
//!
//! A record is one allocation of packed bytes (`packed`), stored under half of its key in one of 64
//! maps. An index (`users`) lists the sessions of each user. Nothing survives a restart. `powers`
//! implements lists and sweeps.

mod inventory;
mod packed;
mod powers;
mod shard;
mod users;

use std::{
    collections::hash_map::Entry,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use super::{
    BoxFuture, Capabilities, Created, KeyState, Patched, Position, Powers, PublicId, Record,
    Rotation, Selection, SessionMeta, SessionStore, StoreError, StoreKey,
};
use crate::{
    clock::Timestamp,
    data::{Access, Patch},
};
use packed::Packed;
use shard::{Place, Placed, Shard, half};
use users::{Entry as Listed, Users};

const SHARDS: usize = 64;

/// Stores sessions in memory.
///
/// ```
/// use carafe_core::store::{MemoryStore, WhenFull};
///
/// let store = MemoryStore::bounded(1_000_000, WhenFull::Refuse);
/// assert_eq!(store.len(), 0);
/// ```
pub struct MemoryStore {
    // One plain mutex per shard: each is held for one operation, which does no I/O and never waits.
    shards: Box<[Mutex<Shard>]>,
    users: Box<Users>,
    /// The number of sessions in all shards.
    ///
    /// Relaxed: each change is one atomic step, and the count is incremented before a record is
    /// inserted, so the bound is exact. The counter orders no other memory access.
    count: AtomicUsize,
    bound: Option<(usize, WhenFull)>,
    sweep_from: AtomicUsize,
    /// Relaxed: the lease decides which process sweeps and orders no other memory access.
    claimed_until: AtomicI64,
}

/// The behavior of a bounded store that is full.
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_core::session::SessionData;
/// use carafe_core::store::{
///     MemoryStore, PublicId, Record, SessionMeta, SessionStore, StoreError, StoreKey, WhenFull,
/// };
///
/// # futures_executor::block_on(async {
/// let now = Timestamp::from_unix(0);
/// let meta = SessionMeta::new(PublicId::random()?, now, Timestamp::from_unix(60));
/// let record = Record::new(meta, SessionData::default());
/// let (first, second) = (StoreKey::of_id("1"), StoreKey::of_id("2"));
///
/// let store = MemoryStore::bounded(1, WhenFull::Refuse);
/// store.create(&first, &record, now).await?;
/// let refused = store.create(&second, &record, now).await;
/// assert!(matches!(refused, Err(StoreError::Full)));
///
/// let store = MemoryStore::bounded(1, WhenFull::Evict);
/// store.create(&first, &record, now).await?;
/// store.create(&second, &record, now).await?;
/// assert_eq!(store.len(), 1, "the first session is gone");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Fails with [`StoreError::Full`]: no session is evicted and no session is created.
    Refuse,
    /// Evicts the session that expires first among a small sample.
    Evict,
}

impl MemoryStore {
    /// Creates an unbounded store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            users: Box::new(Users::new()),
            count: AtomicUsize::new(0),
            bound: None,
            sweep_from: AtomicUsize::new(0),
            claimed_until: AtomicI64::new(i64::MIN),
        }
    }

    /// Creates a store of at most `sessions` sessions, including expired ones that were not swept.
    #[must_use]
    pub fn bounded(sessions: usize, when_full: WhenFull) -> Self {
        Self {
            bound: Some((sessions, when_full)),
            ..Self::new()
        }
    }

    /// Returns the number of stored sessions, including expired ones that were not swept.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::session::SessionData;
    /// use carafe_core::store::{ExpiredSweep, MemoryStore, SessionStore};
    /// use carafe_core::store::{PublicId, Record, SessionMeta, StoreKey};
    ///
    /// # futures_executor::block_on(async {
    /// let (now, later) = (Timestamp::from_unix(0), Timestamp::from_unix(60));
    /// let meta = SessionMeta::new(PublicId::random()?, now, now);
    /// let record = Record::new(meta, SessionData::default());
    /// let store = MemoryStore::new();
    /// store.create(&StoreKey::of_id("1"), &record, now).await?;
    /// assert_eq!(store.len(), 1, "expired, but not swept");
    /// assert_eq!(ExpiredSweep::sweep(&store, 100, later).await?, 1);
    /// assert!(store.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Returns whether the store is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard_at(&self, index: usize) -> MutexGuard<'_, Shard> {
        // An operation changes a map in one step, so the map is consistent after a panic elsewhere.
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Updates the index and the count after a removal. Called under the lock of the shard.
    fn has_left(&self, left: Option<&Place>, place: Placed) {
        if let Some(Place::Record(packed)) = left {
            self.users.remove(packed, place);
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl SessionStore for MemoryStore {
    const NEVER_WAITS: bool = true;

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        _: Timestamp,
    ) -> Result<Created, StoreError> {
        let at = place_of(key);
        loop {
            let mut shard = self.shard_at(at.0);
            let Entry::Vacant(place) = shard.records.entry(at.1) else {
                return Ok(Created::Taken);
            };
            if self.reserve() {
                let packed = Packed::new(record);
                self.users.add(&packed, at);
                place.insert(Place::Record(packed));
                return Ok(Created::Created);
            }
            // Release this shard before `make_room` locks others.
            drop(shard);
            self.make_room(at.0)?;
        }
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        let (mut at, mut is_current) = (place_of(key), true);
        loop {
            match self.shard_at(at.0).records.get(&at.1) {
                Some(Place::Record(packed)) if now < packed.expires() => {
                    let record = packed.record();
                    return Ok(match is_current {
                        true => KeyState::Current(record),
                        false => KeyState::Moved(record),
                    });
                }
                Some(Place::Marker(until)) if now < *until => return Ok(KeyState::Retired),
                Some(Place::Pointer(pointer)) => (at, is_current) = (pointer.0, false),
                Some(Place::Record(_) | Place::Marker(_)) | None => return Ok(KeyState::Absent),
            }
        }
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        self.at_live(key, now, |packed| {
            let Some((packed, place)) = packed else {
                return Ok(Patched::Gone);
            };
            let Some(record) = packed.newest(base).merge(base, patch)? else {
                return Ok(Patched::Gone);
            };
            let patched = Packed::new(&record);
            if patched.user() != packed.user() {
                self.users.replace((packed, place), (&patched, place));
            }
            *packed = patched;
            Ok(Patched::Applied(record))
        })
    }

    async fn rotate(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let (mut old, new) = (place_of(from), place_of(to));
        loop {
            let (mut source, mut target) = self.both(old, new);
            if let Some(Place::Pointer(pointer)) = source.records.get(&old.1)
                && rotation == Rotation::Replacement
            {
                old = pointer.0;
                continue;
            }
            let there = target.as_deref().unwrap_or(&source);
            if there.records.contains_key(&new.1) {
                return Err(StoreError::Conflict);
            }
            let Some(packed) = source.live(&old.1, now) else {
                return Ok(Patched::Gone);
            };
            let newest = packed.newest(base);
            let Some(record) = newest.rotated(base, patch, from, rotation, now)? else {
                return Ok(Patched::Gone);
            };
            let moved = Packed::new(&record);
            self.users.replace((packed, old), (&moved, new));
            let there = target.as_deref_mut().unwrap_or(&mut source);
            there.records.insert(new.1, Place::Record(moved));
            match rotation {
                Rotation::Renewal(_) => {
                    let pointer = Place::Pointer(Box::new((new, record.meta.expires)));
                    source.records.insert(old.1, pointer);
                }
                Rotation::Replacement => drop(source.retire(old.1, now)),
            }
            return Ok(Patched::Applied(record));
        }
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        self.at_live(key, access.at, |packed| {
            Ok(packed.map(|(packed, _)| packed.touch(access)).is_some())
        })
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        // A pointer refers to its record regardless of time: a delete through the old ID revokes
        // the session.
        let mut at = place_of(key);
        loop {
            let mut shard = self.shard_at(at.0);
            match shard.records.get(&at.1) {
                Some(Place::Pointer(pointer)) => at = pointer.0,
                Some(Place::Record(_)) => {
                    let retired = shard.retire(at.1, now);
                    self.has_left(retired.as_ref(), at);
                    return Ok(true);
                }
                Some(Place::Marker(_)) | None => return Ok(false),
            }
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::CARAFE
    }

    fn powers(&self) -> Powers<'_> {
        Powers::new()
            .with_users(self)
            .with_sweeper(self)
            .with_listing(self)
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        None
    }
}

impl MemoryStore {
    /// Calls `act` with the live record that `key` refers to, if any.
    ///
    /// Each pointer on the path is extended to last at least as long as the record.
    fn at_live<T>(
        &self,
        key: &StoreKey,
        now: Timestamp,
        act: impl FnOnce(Option<(&mut Packed, Placed)>) -> T,
    ) -> T {
        let mut target = place_of(key);
        let (done, expires) = loop {
            match self.shard_at(target.0).records.get_mut(&target.1) {
                Some(Place::Record(packed)) if now < packed.expires() => {
                    let done = act(Some((&mut *packed, target)));
                    break (done, packed.expires());
                }
                Some(Place::Pointer(pointer)) => target = pointer.0,
                Some(Place::Record(_) | Place::Marker(_)) | None => return act(None),
            }
        };
        let mut pointer = place_of(key);
        while pointer != target {
            match self.shard_at(pointer.0).records.get_mut(&pointer.1) {
                Some(Place::Pointer(place)) => {
                    place.1 = place.1.max(expires);
                    pointer = place.0;
                }
                _ => break,
            }
        }
        done
    }

    /// Locks two shards in a globally consistent order, which prevents deadlocks.
    fn both(
        &self,
        from: Placed,
        to: Placed,
    ) -> (MutexGuard<'_, Shard>, Option<MutexGuard<'_, Shard>>) {
        match from.0.cmp(&to.0) {
            std::cmp::Ordering::Equal => (self.shard_at(from.0), None),
            std::cmp::Ordering::Less => {
                let first = self.shard_at(from.0);
                (first, Some(self.shard_at(to.0)))
            }
            std::cmp::Ordering::Greater => {
                let first = self.shard_at(to.0);
                (self.shard_at(from.0), Some(first))
            }
        }
    }

    /// Increments the number of sessions, unless that would exceed the bound.
    fn reserve(&self) -> bool {
        let bound = self.bound.map_or(usize::MAX, |(bound, _)| bound);
        let one_more = |count| (count < bound).then_some(count + 1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.count.fetch_update(set, fetch, one_more).is_ok()
    }

    /// Evicts one session, preferably from the shard `own`.
    ///
    /// Another thread may take the freed capacity first.
    fn make_room(&self, own: usize) -> Result<(), StoreError> {
        if !matches!(self.bound, Some((1.., WhenFull::Evict))) {
            return Err(StoreError::Full);
        }
        for index in (own..SHARDS).chain(0..own) {
            let mut shard = self.shard_at(index);
            if let Some((half, evicted)) = shard.evict() {
                self.has_left(Some(&evicted), (index, half));
                break;
            }
        }
        Ok(())
    }

    fn list_by_user_now(
        &self,
        user: &str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Vec<SessionMeta> {
        let (mut sessions, mut after) = (Vec::new(), after);
        loop {
            let missing = limit - sessions.len();
            let page = self.users.newest(user, after, missing, |_| true);
            let Some(last) = page.last() else {
                return sessions;
            };
            after = Some(last.position);
            let records = page.iter().filter_map(|entry| self.at(entry.place));
            let live = records.filter(|record| {
                record.meta.user.as_deref() == Some(user) && !record.is_expired(now)
            });
            sessions.extend(live.map(|record| record.meta));
        }
    }

    /// Retries if all selected sessions got new IDs in the meantime, because 0 must mean that none
    /// is left.
    fn delete_by_user_now(
        &self,
        user: &str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> u64 {
        let meant = |packed: &Packed| {
            packed.user() == Some(user.as_bytes()) && which.includes(packed.handle())
        };
        loop {
            let newest = self
                .users
                .newest(user, None, limit, |public_id| which.includes(public_id));
            let removed = self.remove_seen(newest.iter().map(|entry| entry.place), meant, now);
            if removed > 0 || newest.is_empty() {
                return removed;
            }
        }
    }

    /// Reads the `keep` newest sessions and those to be removed, regardless of the user's total.
    fn trim_now(
        &self,
        user: &str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> u64 {
        if self.users.count(user) <= keep {
            return 0;
        }
        let meant =
            |packed: &Packed| packed.user() == Some(user.as_bytes()) && now < packed.expires();
        let is_meant = |entry: &Listed| self.sees(entry.place, meant);
        let (mut kept, mut after, mut last_kept) = (0, None, None);
        while kept < keep {
            let page = self.users.newest(user, after, keep - kept, |_| true);
            let Some(last) = page.last() else {
                return 0;
            };
            after = Some(last.position);
            let live = page.iter().filter(|entry| is_meant(entry));
            live.for_each(|entry| (kept, last_kept) = (kept + 1, Some(entry.position)));
        }
        // If `own` has the same second as the last kept session, `own` is kept in its place.
        let own_at = last_kept.map(|last: Position| Position {
            public_id: own,
            ..last
        });
        let own_at = own_at.filter(|&own| Some(own) < last_kept);
        let own_at =
            own_at.filter(|&own| self.users.find(user, own).as_ref().is_some_and(is_meant));
        let is_surplus = |entry: &Listed| match last_kept {
            None => true,
            Some(last) => entry.position < last || (own_at.is_some() && entry.position == last),
        };
        let (mut surplus, mut after) = (Vec::new(), None);
        // Reads one more than the limit, because the order of `own` within its second differs from
        // the index.
        while surplus.len() <= limit {
            let missing = (limit - surplus.len()).saturating_add(1);
            let page = self.users.oldest(user, after, missing);
            after = page.last().copied();
            let rest = page.iter().take_while(|entry| is_surplus(entry));
            let rest = rest.filter(|entry| Some(entry.position) != own_at && is_meant(entry));
            surplus.extend(rest.copied());
            if page.last().is_none_or(|last| !is_surplus(last)) {
                break;
            }
        }
        surplus.sort_unstable_by_key(|entry| entry.trim_order(own));
        let oldest = surplus.iter().take(limit);
        self.remove_seen(oldest.map(|entry| entry.place), meant, now)
    }

    /// Sweeps the shards, starting where the last call stopped.
    fn sweep_now(&self, limit: usize, now: Timestamp) -> usize {
        let mut swept = 0;
        for _ in 0..SHARDS {
            let index = self.sweep_from.load(Ordering::Relaxed) % SHARDS;
            let mut shard = self.shard_at(index);
            swept += shard.sweep(limit - swept, now, |half, packed| {
                self.users.remove(packed, (index, half));
                self.count.fetch_sub(1, Ordering::Relaxed);
            });
            drop(shard);
            if swept == limit {
                break;
            }
            self.sweep_from.fetch_add(1, Ordering::Relaxed);
        }
        swept
    }
}

/// Returns the shard of a key, and its key in the shard.
///
/// The second half of the key selects the shard, so that the first half stays uniformly distributed
/// within a shard.
fn place_of(key: &StoreKey) -> Placed {
    (usize::from(key.as_bytes()[31]) % SHARDS, half(key))
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::{data::SessionData, future::at_once, store::PublicId};

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn record() -> Record {
        Record::new(
            SessionMeta::new(
                PublicId::random().expect("the system has randomness"),
                NOW,
                NOW.saturating_add(60),
            ),
            SessionData::default(),
        )
    }

    fn create(store: &MemoryStore) -> Result<Created, StoreError> {
        let key = StoreKey::random().expect("the system has randomness");
        at_once(|| async { store.create(&key, &record(), NOW).await })
    }

    fn counted(store: &MemoryStore) -> usize {
        let mut count = 0;
        store.each(|_, _, _| count += 1);
        count
    }

    #[test]
    fn a_bound_holds_for_the_store_and_not_for_each_shard() {
        for bound in [0, 1, 2, 7, 64, 100] {
            let refusing = MemoryStore::bounded(bound, WhenFull::Refuse);
            let evicting = MemoryStore::bounded(bound, WhenFull::Evict);
            for number in 0..300 {
                let refused = create(&refusing);
                assert_eq!(refused.is_ok(), number < bound, "{number} of {bound}");
                let created = create(&evicting);
                assert_eq!(created.is_ok(), bound > 0, "{number} of {bound}");
                assert!(evicting.len() <= bound);
            }
            assert_eq!((refusing.len(), counted(&refusing)), (bound, bound));
            assert_eq!((evicting.len(), counted(&evicting)), (bound, bound));
        }
    }

    #[test]
    fn a_key_that_is_taken_evicts_no_session() {
        let store = MemoryStore::bounded(1, WhenFull::Evict);
        let key = StoreKey::of_id("one");
        assert!(at_once(|| async { store.create(&key, &record(), NOW).await }).is_ok());
        let again = at_once(|| async { store.create(&key, &record(), NOW).await });
        assert!(matches!(again, Ok(Created::Taken)));
        assert_eq!((store.len(), counted(&store)), (1, 1));
    }

    #[test]
    fn a_bound_holds_while_many_threads_create_and_delete() {
        for when_full in [WhenFull::Refuse, WhenFull::Evict] {
            for bound in [1, 5] {
                let store = MemoryStore::bounded(bound, when_full);
                thread::scope(|scope| {
                    for _ in 0..8 {
                        scope.spawn(|| {
                            for number in 0..500 {
                                let key = StoreKey::random().expect("randomness");
                                match at_once(|| async { store.create(&key, &record(), NOW).await })
                                {
                                    Ok(_) => {}
                                    Err(error) => {
                                        assert!(matches!(error, StoreError::Full));
                                        assert_eq!(when_full, WhenFull::Refuse);
                                    }
                                }
                                assert!(store.len() <= bound);
                                if number % 3 == 0 {
                                    let deleted =
                                        at_once(|| async { store.delete(&key, NOW).await });
                                    assert!(deleted.is_ok());
                                }
                            }
                        });
                    }
                });
                assert_eq!(store.len(), counted(&store));
                assert!(store.len() <= bound);
            }
        }
    }
}
