//! Looking through all sessions in memory: a look at each, shard by shard, since an index would cost every
//! session its room. Only the few that are asked for are unpacked.

use std::{cmp::Reverse, collections::BinaryHeap, sync::PoisonError};

use super::{MemoryStore, Place, packed::Packed, ready::ready, shard::Half};
use crate::{
    clock::Timestamp,
    store::{
        Batch, BoxFuture, Cursor, Handle, Inventory, Position, Record, Sample, StoreError,
        StoreKey, Summary,
    },
};

impl MemoryStore {
    /// Calls `see` with every record, one shard locked at a time.
    pub(super) fn each(&self, mut see: impl FnMut(usize, &Half, &Packed)) {
        for (index, shard) in self.shards.iter().enumerate() {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (half, place) in &shard.records {
                if let Place::Record(packed) = place {
                    see(index, half, packed);
                }
            }
        }
    }

    /// Removes up to `limit` records that are still as `meant` says, which were seen where `places` says.
    pub(super) fn remove_seen(
        &self,
        places: &[(usize, Half)],
        meant: impl Fn(&Packed) -> bool,
    ) -> u64 {
        let mut removed = 0;
        for &(index, half) in places {
            let mut shard = self.shards[index]
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if matches!(shard.records.get(&half), Some(Place::Record(packed)) if meant(packed)) {
                shard.records.remove(&half);
                self.forget(1);
                removed += 1;
            }
        }
        removed
    }

    fn newest_now(&self, after: Option<Position>, limit: usize, now: Timestamp) -> Vec<Summary> {
        let mut first = BinaryHeap::with_capacity(limit.min(1_000) + 1);
        self.each(|index, half, packed| {
            let position = packed.position();
            let behind = after.is_none_or(|after| position < after);
            if behind && now < packed.expires() {
                first.push((Reverse(position), index, *half));
                if first.len() > limit {
                    first.pop();
                }
            }
        });
        let places = first.into_sorted_vec();
        let records = places
            .iter()
            .filter_map(|&(_, index, half)| self.at(index, &half));
        records.map(|record| record.summary()).collect()
    }

    fn at(&self, index: usize, half: &Half) -> Option<Record> {
        let shard = self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match shard.records.get(half)? {
            Place::Record(packed) => Some(packed.record()),
            Place::Alias(_) => None,
        }
    }

    /// Where the session with this public name is.
    fn place_of(&self, handle: Handle) -> Option<(usize, Half)> {
        let mut found = None;
        self.each(|index, half, packed| {
            if packed.handle() == handle {
                found = Some((index, *half));
            }
        });
        found
    }

    fn of_handle_now(&self, handle: Handle, now: Timestamp) -> Option<Record> {
        let (index, half) = self.place_of(handle)?;
        self.at(index, &half)
            .filter(|record| !record.is_expired(now))
    }

    /// Again where the session has got a new id between the two looks.
    fn delete_of_handle_now(&self, handle: Handle) -> bool {
        while let Some(place) = self.place_of(handle) {
            if self.remove_seen(&[place], |packed| packed.handle() == handle) > 0 {
                return true;
            }
        }
        false
    }

    /// Again where all that was seen has got new ids meanwhile: 0 must mean that none is left.
    fn delete_begun_now(&self, until: Timestamp, limit: usize) -> u64 {
        loop {
            let mut places = Vec::new();
            self.each(|index, half, packed| {
                if packed.created() <= until && places.len() < limit {
                    places.push((index, *half));
                }
            });
            let removed = self.remove_seen(&places, |packed| packed.created() <= until);
            if removed > 0 || places.is_empty() {
                return removed;
            }
        }
    }

    /// Every so many-th session from a random one on: the maps hold them in the order of a hash.
    fn sample_now(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        let mut total = 0;
        self.each(|_, _, packed| total += usize::from(now < packed.expires()));
        let start = StoreKey::random().map_err(StoreError::unavailable)?;
        let step = total.div_ceil(limit.max(1)).max(1);
        let (mut seen, mut sessions) = (usize::from(start.as_bytes()[0]) % step, Vec::new());
        self.each(|_, _, packed| {
            if now < packed.expires() {
                if seen % step == 0 && sessions.len() < limit {
                    sessions.push(packed.record().summary());
                }
                seen += 1;
            }
        });
        Ok(Sample {
            exact: sessions.len() == total,
            total: total as u64,
            sessions,
        })
    }
}

impl Inventory for MemoryStore {
    fn newest<'a>(
        &'a self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        ready(Ok(self.newest_now(after, limit, now)))
    }

    fn of_handle<'a>(
        &'a self,
        handle: Handle,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        ready(Ok(self.of_handle_now(handle, now)))
    }

    fn delete_of_handle<'a>(&'a self, handle: Handle) -> BoxFuture<'a, Result<bool, StoreError>> {
        ready(Ok(self.delete_of_handle_now(handle)))
    }

    fn delete_begun<'a>(
        &'a self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        ready(Ok(self.delete_begun_now(until, limit)))
    }

    fn sample<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Sample, StoreError>> {
        ready(self.sample_now(limit, now))
    }

    /// Unsupported: half of each key is all that is kept, and nobody moves out of a process's memory.
    fn walk<'a>(
        &'a self,
        _: Option<&'a Cursor>,
        _: usize,
    ) -> BoxFuture<'a, Result<Batch, StoreError>> {
        ready(Err(StoreError::Unsupported))
    }
}
