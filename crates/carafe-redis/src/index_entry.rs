//! Entries of the index of all sessions, ordered by the second of their ids, and paging through
//! them.
//!
//! A score combines the second and the first two characters of the public id (`scripts/index.lua`),
//! so that few members share one. A page starts at the score of the previous entry, in O(log n),
//! and skips the entries that are known.

use std::cmp::Ordering;

use carafe_core::{
    clock::Timestamp,
    store::{Position, PublicId, StoreError, StoreKey},
};
use futures_util::future::try_join_all;

use crate::{RedisStore, names::member_of};

/// The last second of the year 9999, as in `layout`.
const MAX_SECOND: i64 = 253_402_300_799;
/// Number of scores per second, as in `scripts/index.lua`.
const SCORES: i64 = 8_192;

/// A score and a member, in the order of the index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IndexEntry {
    pub(crate) score: i64,
    pub(crate) member: String,
}

/// The direction in which the index is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
}

/// Some entries in order, and whether they are the last ones.
pub(crate) struct IndexPage {
    pub(crate) entries: Vec<IndexEntry>,
    pub(crate) is_end: bool,
}

impl IndexEntry {
    /// Returns the position in the index of a session, independent of its key.
    pub(crate) fn of(position: Position) -> Self {
        let public_id = position.public_id.to_string();
        let digit = |at: usize| i64::from(public_id.as_bytes()[at]) - 45;
        let head = digit(0) * 78 + digit(1);
        Self {
            score: Self::first_score(position.renewed) + head,
            // Sorts before all members of this session and after those of smaller public ids.
            member: public_id,
        }
    }

    /// Returns the lowest score of this second.
    pub(crate) fn first_score(second: Timestamp) -> i64 {
        second.unix().clamp(-MAX_SECOND, MAX_SECOND) * SCORES
    }

    /// Returns the highest score of this second.
    pub(crate) fn last_score(second: Timestamp) -> i64 {
        Self::first_score(second) + SCORES - 1
    }

    pub(crate) fn session(&self) -> Option<(PublicId, StoreKey)> {
        member_of(&self.member)
    }
}

impl Order {
    const fn command(self) -> &'static str {
        match self {
            Self::NewestFirst => "ZREVRANGEBYSCORE",
            Self::OldestFirst => "ZRANGEBYSCORE",
        }
    }

    const fn ends(self) -> (&'static str, &'static str) {
        match self {
            Self::NewestFirst => ("+inf", "-inf"),
            Self::OldestFirst => ("-inf", "+inf"),
        }
    }

    fn is_behind(self, entry: &IndexEntry, after: &IndexEntry) -> bool {
        match self {
            Self::NewestFirst => entry < after,
            Self::OldestFirst => entry > after,
        }
    }

    fn compare(self, a: &IndexEntry, b: &IndexEntry) -> Ordering {
        match self {
            Self::NewestFirst => b.cmp(a),
            Self::OldestFirst => a.cmp(b),
        }
    }
}

impl RedisStore {
    /// Returns about `count` entries of one part of the index that follow `after`: at least one,
    /// unless there are no more.
    pub(crate) async fn entries_of_part(
        &self,
        part: usize,
        order: Order,
        after: Option<&IndexEntry>,
        count: usize,
    ) -> Result<IndexPage, StoreError> {
        let index = self.names.index(part);
        self.entries_in(&index, order, after, count).await
    }

    /// Like [`RedisStore::entries_of_part`], for any set.
    pub(crate) async fn entries_in(
        &self,
        set: &str,
        order: Order,
        after: Option<&IndexEntry>,
        mut count: usize,
    ) -> Result<IndexPage, StoreError> {
        let (first, last) = order.ends();
        loop {
            let mut command = redis::cmd(order.command());
            command.arg(set);
            match after {
                Some(after) => command.arg(after.score).arg(last),
                None => command.arg(first).arg(last),
            };
            command.arg("WITHSCORES").arg("LIMIT").arg(0).arg(count);
            let scored = redis::from_redis_value(self.read(&command).await?);
            let scored: Vec<(String, f64)> = scored.map_err(StoreError::corrupt)?;
            let is_end = scored.len() < count;
            let entries = scored.into_iter().map(|(member, score)| IndexEntry {
                // Scores are integers below 2^53.
                score: score as i64,
                member,
            });
            let behind =
                |entry: &IndexEntry| after.is_none_or(|after| order.is_behind(entry, after));
            let entries: Vec<_> = entries.filter(behind).collect();
            if is_end || !entries.is_empty() {
                return Ok(IndexPage { entries, is_end });
            }
            // All entries share the score of `after` and precede it.
            count *= 2;
        }
    }

    /// Like [`RedisStore::entries_of_part`], for the whole index, newest first.
    pub(crate) async fn newest_entries(
        &self,
        after: Option<&IndexEntry>,
        count: usize,
    ) -> Result<IndexPage, StoreError> {
        let order = Order::NewestFirst;
        let parts =
            (0..self.names.parts()).map(|part| self.entries_of_part(part, order, after, count));
        let parts = try_join_all(parts).await?;
        // A part that is not exhausted may have more entries after its last one, so the page stops
        // there.
        let lasts = parts.iter().filter(|part| !part.is_end);
        let horizon = lasts.filter_map(|part| part.entries.last()).max().cloned();
        let is_end = parts.iter().all(|part| part.is_end);
        let mut entries: Vec<_> = parts.into_iter().flat_map(|part| part.entries).collect();
        entries.sort_by(|a, b| order.compare(a, b));
        if let Some(horizon) = horizon {
            entries.retain(|entry| *entry >= horizon);
        }
        Ok(IndexPage { entries, is_end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_sort_by_second_then_public_id() {
        let mut positions = Vec::new();
        for renewed in [i64::MIN, -1, 0, 1, 4_000_000_000, MAX_SECOND, i64::MAX] {
            for _ in 0..100 {
                positions.push(Position {
                    renewed: Timestamp::from_unix(renewed.clamp(-MAX_SECOND, MAX_SECOND)),
                    public_id: PublicId::random().expect("the system has randomness"),
                });
            }
        }
        positions.sort_by_key(|position| (position.renewed, position.public_id.to_string()));
        let entries: Vec<_> = positions.into_iter().map(IndexEntry::of).collect();
        assert!(entries.is_sorted());
        // Redis keeps scores as floating-point numbers.
        assert!(entries.iter().all(|entry| entry.score.abs() < 1 << 53));
    }
}
