//! One of the maps of the memory store: what is filed under half of a key.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use super::packed::Packed;
use crate::{clock::Timestamp, store::StoreKey};

/// How many sessions an eviction looks at to find the one that expires first.
const SAMPLE: usize = 16;

#[derive(Default)]
pub(super) struct Shard {
    pub(super) records: HashMap<Half, Place, BuildHasherDefault<FirstBytes>>,
    /// Where the next eviction starts to look.
    cursor: usize,
}

/// Half of a key: 128 bits of a SHA-256 are as good as all.
pub(super) type Half = [u8; 16];

pub(super) enum Place {
    Record(Packed),
    Alias(Box<(StoreKey, Timestamp)>),
}

impl Shard {
    pub(super) fn live(&mut self, key: &StoreKey, now: Timestamp) -> Option<&mut Packed> {
        match self.records.get_mut(&half(key))? {
            Place::Record(packed) if now < packed.expires() => Some(packed),
            Place::Record(_) | Place::Alias(_) => None,
        }
    }

    /// Drops, of the next few sessions, the one that would expire first; whether there was one.
    pub(super) fn evict(&mut self) -> bool {
        let places = self.records.len();
        let sample = self
            .records
            .iter()
            .cycle()
            .skip(self.cursor % places.max(1))
            .take(SAMPLE.min(places));
        let expiries = sample.filter_map(|(half, place)| match place {
            Place::Record(packed) => Some((packed.expires(), *half)),
            Place::Alias(_) => None,
        });
        let first = expiries.min();
        self.cursor = self.cursor.wrapping_add(SAMPLE);
        first.is_some_and(|(_, half)| self.records.remove(&half).is_some())
    }

    /// How many places were cleared, and how many of them were sessions.
    pub(super) fn sweep(&mut self, limit: usize, now: Timestamp) -> (usize, usize) {
        let (mut cleared, mut sessions) = (0, 0);
        self.records.retain(|_, place| {
            let (over, session) = match place {
                Place::Record(packed) => (now >= packed.expires(), 1),
                Place::Alias(alias) => (now >= alias.1, 0),
            };
            let removed = over && cleared < limit;
            cleared += usize::from(removed);
            sessions += if removed { session } else { 0 };
            !removed
        });
        (cleared, sessions)
    }
}

pub(super) fn half(key: &StoreKey) -> Half {
    let [half, _] = *key.as_bytes().as_chunks::<16>().0 else {
        return [0; 16];
    };
    half
}

/// A hash of something that is uniform already: its first bytes.
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

    // The length that arrays write before their bytes says nothing.
    fn write_usize(&mut self, _: usize) {}
}
