//! One of the maps of the memory store, keyed by half of a store key.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasherDefault, Hasher},
};

use super::packed::Packed;
use crate::{
    clock::Timestamp,
    store::{StoreKey, retired_until},
};

/// Number of sessions that an eviction samples to find the one that expires first.
const SAMPLE: usize = 16;

#[derive(Default)]
pub(super) struct Shard {
    pub(super) records: HashMap<Half, Place, BuildHasherDefault<FirstBytes>>,
    /// The markers in the order of their expiry, so that they are dropped without a sweep.
    markers: VecDeque<(Timestamp, Half)>,
    /// The offset of the next eviction's sample.
    cursor: usize,
}

/// Half of a key. 128 bits of a SHA-256 are enough to be unique.
pub(super) type Half = [u8; 16];

/// The index of a map, and the key in this map.
pub(super) type Placed = (usize, Half);

pub(super) enum Place {
    Record(Packed),
    /// The place of the record, and the second from which the pointer may be dropped.
    Pointer(Box<(Placed, Timestamp)>),
    /// The second until which the key counts as retired.
    Marker(Timestamp),
}

impl Shard {
    pub(super) fn live(&mut self, half: &Half, now: Timestamp) -> Option<&mut Packed> {
        match self.records.get_mut(half)? {
            Place::Record(packed) if now < packed.expires() => Some(packed),
            Place::Record(_) | Place::Pointer(_) | Place::Marker(_) => None,
        }
    }

    /// Replaces the entry under this key by a marker. Returns the old entry.
    ///
    /// Also drops expired markers.
    pub(super) fn retire(&mut self, half: Half, now: Timestamp) -> Option<Place> {
        while let Some(&(until, over)) = self.markers.front()
            && now >= until
        {
            self.markers.pop_front();
            if matches!(self.records.get(&over), Some(Place::Marker(until)) if now >= *until) {
                self.records.remove(&over);
            }
        }
        let until = retired_until(now);
        let retired = self.records.insert(half, Place::Marker(until));
        self.markers.push_back((until, half));
        retired
    }

    /// Removes and returns the session that expires first among the next few.
    pub(super) fn evict(&mut self) -> Option<(Half, Place)> {
        let places = self.records.len();
        let sample = self
            .records
            .iter()
            .cycle()
            .skip(self.cursor % places.max(1))
            .take(SAMPLE.min(places));
        let expiries = sample.filter_map(|(half, place)| match place {
            Place::Record(packed) => Some((packed.expires(), *half)),
            Place::Pointer(_) | Place::Marker(_) => None,
        });
        let first = expiries.min();
        self.cursor = self.cursor.wrapping_add(SAMPLE);
        first.and_then(|(_, half)| self.records.remove_entry(&half))
    }

    /// Removes expired entries and calls `removed` with each session among them.
    ///
    /// Returns the number of removed entries.
    pub(super) fn sweep(
        &mut self,
        limit: usize,
        now: Timestamp,
        removed: impl Fn(Half, &Packed),
    ) -> usize {
        let mut cleared = 0;
        self.records.retain(|half, place| {
            let is_over = match place {
                Place::Record(packed) => now >= packed.expires(),
                Place::Pointer(pointer) => now >= pointer.1,
                Place::Marker(until) => now >= *until,
            };
            if !is_over || cleared == limit {
                return true;
            }
            if let Place::Record(packed) = place {
                removed(*half, packed);
            }
            cleared += 1;
            false
        });
        cleared
    }
}

pub(super) fn half(key: &StoreKey) -> Half {
    let [half, _] = *key.as_bytes().as_chunks::<16>().0 else {
        return [0; 16];
    };
    half
}

/// A hash function for bytes that are already uniformly distributed: the first eight bytes.
#[derive(Default)]
pub(super) struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    // The length prefix of an array is constant and adds nothing to the hash.
    fn write_usize(&mut self, _: usize) {}
}
