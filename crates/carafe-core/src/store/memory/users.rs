//! An index of the sessions of each user, so that a list reads no other sessions.
//!
//! A session without a user is not in this index and has no cost. Lock order: a thread that holds
//! the lock of a session's map may acquire a lock of the index, never the other way round. The
//! index and the maps therefore agree whenever no operation is in progress.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{packed::Packed, shard::Placed};
use crate::store::{Position, PublicId};

const SHARDS: usize = 16;

/// The index.
pub(super) struct Users {
    // One plain mutex per shard: each is held for a lookup and a change, and never waits.
    shards: [Mutex<Sessions>; SHARDS],
}

/// The sessions of each user, oldest ID first, because new IDs are added at the end.
type Sessions = HashMap<Box<[u8]>, VecDeque<Entry>>;

/// The index entry of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) position: Position,
    pub(super) place: Placed,
}

impl Users {
    pub(super) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Adds a session.
    pub(super) fn add(&self, packed: &Packed, place: Placed) {
        if let Some(user) = packed.user() {
            insert(&mut self.shard(user), user, Entry::of(packed, place));
        }
    }

    /// Removes a session.
    pub(super) fn remove(&self, packed: &Packed, place: Placed) {
        if let Some(user) = packed.user() {
            remove(&mut self.shard(user), user, &Entry::of(packed, place));
        }
    }

    /// Replaces the entry of a session whose ID or user has changed.
    pub(super) fn replace(&self, old: (&Packed, Placed), new: (&Packed, Placed)) {
        // Add before removing, so that the list of a user with one session is not reallocated.
        self.add(new.0, new.1);
        self.remove(old.0, old.1);
    }

    /// Returns the number of sessions of `user`, including expired ones that were not swept.
    pub(super) fn count(&self, user: &str) -> usize {
        let shard = self.shard(user.as_bytes());
        shard.get(user.as_bytes()).map_or(0, VecDeque::len)
    }

    /// Returns at most `limit` sessions of `user` that satisfy `meant`, newest ID first.
    ///
    /// The list starts after the position `after`.
    pub(super) fn newest(
        &self,
        user: &str,
        after: Option<Position>,
        limit: usize,
        meant: impl Fn(PublicId) -> bool,
    ) -> Vec<Entry> {
        let shard = self.shard(user.as_bytes());
        let Some(entries) = shard.get(user.as_bytes()) else {
            return Vec::new();
        };
        let end = after.map_or(entries.len(), |after| {
            entries.partition_point(|entry| entry.position < after)
        });
        let behind = entries.range(..end).rev();
        let meant = behind.filter(|entry| meant(entry.position.public_id));
        meant.take(limit).copied().collect()
    }

    /// Returns at most `limit` sessions of `user` after the entry `after`, oldest ID first.
    pub(super) fn oldest(&self, user: &str, after: Option<Entry>, limit: usize) -> Vec<Entry> {
        let shard = self.shard(user.as_bytes());
        let Some(entries) = shard.get(user.as_bytes()) else {
            return Vec::new();
        };
        let start = after.map_or(0, |after| entries.partition_point(|entry| *entry <= after));
        entries.range(start..).take(limit).copied().collect()
    }

    /// Returns the session of the user at this position.
    pub(super) fn find(&self, user: &str, position: Position) -> Option<Entry> {
        let shard = self.shard(user.as_bytes());
        let entries = shard.get(user.as_bytes())?;
        let at = entries.partition_point(|entry| entry.position < position);
        entries
            .get(at)
            .filter(|entry| entry.position == position)
            .copied()
    }

    /// Returns all entries, for comparison with the maps.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<(Vec<u8>, Entry)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            for (user, entries) in &*lock(shard) {
                assert!(!entries.is_empty(), "an empty list is dropped");
                assert!(entries.iter().is_sorted());
                all.extend(entries.iter().map(|entry| (user.to_vec(), *entry)));
            }
        }
        all.sort();
        all
    }

    fn shard(&self, user: &[u8]) -> MutexGuard<'_, Sessions> {
        let sum = |sum: u8, byte: &u8| sum.wrapping_mul(31).wrapping_add(*byte);
        lock(&self.shards[usize::from(user.iter().fold(0, sum)) % SHARDS])
    }
}

impl Entry {
    fn of(packed: &Packed, place: Placed) -> Self {
        Self {
            position: packed.position(),
            place,
        }
    }

    /// Returns the sort key by which a trim removes sessions: within one second, `own` comes last.
    pub(super) fn trim_order(&self, own: PublicId) -> impl Ord + use<> {
        let Position { renewed, public_id } = self.position;
        (renewed, public_id == own, public_id)
    }
}

fn lock(shard: &Mutex<Sessions>) -> MutexGuard<'_, Sessions> {
    // A list is changed in one step, so the data is consistent even if the lock is poisoned.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn insert(sessions: &mut Sessions, user: &[u8], entry: Entry) {
    if let Some(entries) = sessions.get_mut(user) {
        let at = entries.partition_point(|known| *known < entry);
        entries.insert(at, entry);
        return;
    }
    let mut entries = VecDeque::with_capacity(1);
    entries.push_back(entry);
    sessions.insert(user.into(), entries);
}

fn remove(sessions: &mut Sessions, user: &[u8], entry: &Entry) {
    let Some(entries) = sessions.get_mut(user) else {
        return;
    };
    if let Ok(at) = entries.binary_search(entry) {
        entries.remove(at);
    }
    if entries.is_empty() {
        sessions.remove(user);
    }
}

#[cfg(test)]
mod tests;
