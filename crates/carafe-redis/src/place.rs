//! Places in the index of all sessions by the second of their ids, and the way from one to the next.
//!
//! A score is the second and the first two characters of the handle (`scripts/index.lua`), so that few members
//! share one: a page begins at the score of the place before it, in O(log n), and leaves out what it knows.

use std::cmp::Ordering;

use carafe_core::store::{Handle, Position, StoreError, StoreKey};
use futures_util::future::try_join_all;

use crate::{RedisStore, names::member_of};

/// The last second of the year 9999, as in `layout`.
const LAST: i64 = 253_402_300_799;

/// A member and its score: the order of the index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) score: i64,
    pub(crate) member: String,
}

/// Which end of the index comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
}

/// Some places in order, and whether there are no more behind them.
pub(crate) struct Places {
    pub(crate) places: Vec<Place>,
    pub(crate) is_end: bool,
}

impl Place {
    /// Where a session with this position stands, whatever its key is.
    pub(crate) fn of(position: Position) -> Self {
        let handle = position.handle.to_string();
        let digit = |at: usize| i64::from(handle.as_bytes()[at]) - 45;
        let head = digit(0) * 78 + digit(1);
        Self {
            score: position.renewed.unix().clamp(-LAST, LAST) * 8192 + head,
            // Before each of its members, and behind those of all smaller handles.
            member: handle,
        }
    }

    pub(crate) fn session(&self) -> Option<(Handle, StoreKey)> {
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

    fn is_behind(self, place: &Place, after: &Place) -> bool {
        match self {
            Self::NewestFirst => place < after,
            Self::OldestFirst => place > after,
        }
    }

    fn compare(self, a: &Place, b: &Place) -> Ordering {
        match self {
            Self::NewestFirst => b.cmp(a),
            Self::OldestFirst => a.cmp(b),
        }
    }
}

impl RedisStore {
    /// About `count` places of one part of the index behind `after`; some, unless it is the end.
    pub(crate) async fn places_of(
        &self,
        part: usize,
        order: Order,
        after: Option<&Place>,
        mut count: usize,
    ) -> Result<Places, StoreError> {
        let (first, last) = order.ends();
        loop {
            let mut command = redis::cmd(order.command());
            command.arg(self.names.index(part));
            match after {
                Some(after) => command.arg(after.score).arg(last),
                None => command.arg(first).arg(last),
            };
            command.arg("WITHSCORES").arg("LIMIT").arg(0).arg(count);
            let scored = redis::from_redis_value(self.read(&command).await?);
            let scored: Vec<(String, f64)> = scored.map_err(StoreError::corrupt)?;
            let is_end = scored.len() < count;
            let places = scored.into_iter().map(|(member, score)| Place {
                // Scores are whole numbers below 2^53.
                score: score as i64,
                member,
            });
            let behind = |place: &Place| after.is_none_or(|after| order.is_behind(place, after));
            let places: Vec<_> = places.filter(behind).collect();
            if is_end || !places.is_empty() {
                return Ok(Places { places, is_end });
            }
            // All share the score of `after` and come before it.
            count *= 2;
        }
    }

    /// As [`RedisStore::places_of`], for the whole index, newest first.
    pub(crate) async fn newest_places(
        &self,
        after: Option<&Place>,
        count: usize,
    ) -> Result<Places, StoreError> {
        let order = Order::NewestFirst;
        let parts = (0..self.names.parts()).map(|part| self.places_of(part, order, after, count));
        let parts = try_join_all(parts).await?;
        // Beyond the first of the last places, the part that it is of may have more.
        let lasts = parts.iter().filter(|part| !part.is_end);
        let horizon = lasts.filter_map(|part| part.places.last()).max().cloned();
        let is_end = parts.iter().all(|part| part.is_end);
        let mut places: Vec<_> = parts.into_iter().flat_map(|part| part.places).collect();
        places.sort_by(|a, b| order.compare(a, b));
        if let Some(horizon) = horizon {
            places.retain(|place| *place >= horizon);
        }
        Ok(Places { places, is_end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use carafe_core::clock::Timestamp;

    #[test]
    fn places_are_in_the_order_of_seconds_then_handles() {
        let mut positions = Vec::new();
        for renewed in [i64::MIN, -1, 0, 1, 4_000_000_000, LAST, i64::MAX] {
            for _ in 0..100 {
                positions.push(Position {
                    renewed: Timestamp::from_unix(renewed.clamp(-LAST, LAST)),
                    handle: Handle::random().expect("the system has randomness"),
                });
            }
        }
        positions.sort_by_key(|position| (position.renewed, position.handle.to_string()));
        let places: Vec<_> = positions.into_iter().map(Place::of).collect();
        assert!(places.is_sorted());
        // Redis keeps scores as floating-point numbers.
        assert!(places.iter().all(|place| place.score.abs() < 1 << 53));
    }
}
