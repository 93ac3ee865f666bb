//! The listing of all sessions in memory.
//!
//! Each call iterates over the shards, because an index of all sessions would use memory for each
//! session. Only the records in the result are unpacked.

use std::{cmp::Reverse, collections::BinaryHeap, sync::PoisonError};

use super::{
    MemoryStore, Place,
    packed::Packed,
    shard::{Half, Placed},
};
use crate::{
    clock::Timestamp,
    store::{
        Cursor, Position, PublicId, Record, Sample, ScanPage, SessionListing, SessionMeta,
        StoreError, StoreKey,
    },
};

impl MemoryStore {
    /// Calls `see` with every record, with one shard locked at a time.
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

    /// Retires the records at `places` that still satisfy `meant`.
    pub(super) fn remove_seen(
        &self,
        places: impl IntoIterator<Item = Placed>,
        meant: impl Fn(&Packed) -> bool,
        now: Timestamp,
    ) -> u64 {
        let mut removed = 0;
        for (index, half) in places {
            let mut shard = self.shard_at(index);
            if matches!(shard.records.get(&half), Some(Place::Record(packed)) if meant(packed)) {
                let retired = shard.retire(half, now);
                self.has_left(retired.as_ref(), (index, half));
                removed += 1;
            }
        }
        removed
    }

    /// Returns whether the record at this place satisfies `meant`.
    pub(super) fn sees(&self, (index, half): Placed, meant: impl FnOnce(&Packed) -> bool) -> bool {
        let shard = self.shard_at(index);
        matches!(shard.records.get(&half), Some(Place::Record(packed)) if meant(packed))
    }

    pub(super) fn at(&self, (index, half): Placed) -> Option<Record> {
        let shard = self.shard_at(index);
        match shard.records.get(&half)? {
            Place::Record(packed) => Some(*packed.record()),
            Place::Pointer(_) | Place::Marker(_) => None,
        }
    }

    /// Returns the place of the session with this public ID.
    fn place_of(&self, public_id: PublicId) -> Option<Placed> {
        let mut found = None;
        self.each(|index, half, packed| {
            if packed.handle() == public_id {
                found = Some((index, *half));
            }
        });
        found
    }
}

impl SessionListing for MemoryStore {
    async fn list(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
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
            .filter_map(|&(_, index, half)| self.at((index, half)));
        Ok(records.map(|record| record.meta).collect())
    }

    async fn find(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let found = self.place_of(public_id).and_then(|place| self.at(place));
        Ok(found.filter(|record| !record.is_expired(now)))
    }

    /// Retries if the session got a new ID between the lookup and the removal.
    async fn delete_by_public_id(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        while let Some(place) = self.place_of(public_id) {
            if self.remove_seen([place], |packed| packed.handle() == public_id, now) > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Retries if all selected sessions got new IDs in the meantime, because 0 must mean that none
    /// is left.
    async fn delete_created_before(
        &self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        loop {
            let mut places = Vec::new();
            self.each(|index, half, packed| {
                if packed.created() <= until && places.len() < limit {
                    places.push((index, *half));
                }
            });
            let removed = self.remove_seen(
                places.iter().copied(),
                |packed| packed.created() <= until,
                now,
            );
            if removed > 0 || places.is_empty() {
                return Ok(removed);
            }
        }
    }

    /// Selects every n-th session from a random offset.
    ///
    /// This is a random sample, because the maps iterate in the order of a hash.
    async fn sample(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        let mut total = 0;
        self.each(|_, _, packed| total += usize::from(now < packed.expires()));
        let start = StoreKey::random().map_err(StoreError::unavailable)?;
        let step = total.div_ceil(limit.max(1)).max(1);
        let (mut seen, mut sessions) = (usize::from(start.as_bytes()[0]) % step, Vec::new());
        self.each(|_, _, packed| {
            if now < packed.expires() {
                if seen % step == 0 && sessions.len() < limit {
                    sessions.push(packed.record().meta);
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

    /// Unsupported: the store keeps only half of each key, and migrations from memory are not
    /// supported.
    async fn scan(&self, _: Option<&Cursor>, _: usize) -> Result<ScanPage, StoreError> {
        Err(StoreError::Unsupported)
    }
}
