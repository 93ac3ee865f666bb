//! A walk through all records, part by part, the oldest id first.
//!
//! In that order a session that gets a new id while somebody walks only moves ahead of them, so that it is met. And
//! the cursor is a place, not a count or a position in a hash table: it holds after a restart of the
//! server or a fail-over, where `SCAN`'s would not.

use std::collections::HashSet;

use carafe_core::store::{Batch, Cursor, StoreError};
use futures_util::future::join_all;

use crate::{
    RedisStore,
    place::{Order, Place},
};

impl RedisStore {
    pub(crate) async fn walk_it(
        &self,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Batch, StoreError> {
        let (part, after) = match after {
            Some(cursor) => read(cursor, self.names.parts())?,
            None => (0, None),
        };
        let order = Order::OldestFirst;
        let found = self.places_of(part, order, after.as_ref(), limit.max(1));
        let found = found.await?;
        let next = match found.places.last() {
            Some(last) if !found.is_end => Some(cursor(part, Some(last))),
            _ if part + 1 < self.names.parts() => Some(cursor(part + 1, None)),
            _ => None,
        };
        let keys: HashSet<_> = found.places.iter().filter_map(Place::session).collect();
        let reads = keys
            .iter()
            .map(|(_, key)| async move { (*key, self.settled(key).await) });
        let mut records = Vec::new();
        for (key, record) in join_all(reads).await {
            match record.transpose() {
                // Trouble with the server, not with the record.
                Some(Err(error)) if !matches!(error, StoreError::Corrupt(_)) => return Err(error),
                Some(record) => records.push((key, record)),
                None => {}
            }
        }
        Ok(Batch { records, next })
    }
}

/// A place as `part,score,member`.
fn cursor(part: usize, place: Option<&Place>) -> Cursor {
    match place {
        Some(place) => Cursor::new(format!("{part},{},{}", place.score, place.member)),
        None => Cursor::new(part.to_string()),
    }
}

/// Reads what [`cursor`] writes.
fn read(cursor: &Cursor, parts: usize) -> Result<(usize, Option<Place>), StoreError> {
    let mut words = cursor.as_str().splitn(3, ',');
    let mut read = || {
        let part = words.next()?.parse().ok().filter(|&part| part < parts)?;
        let Some(score) = words.next() else {
            return Some((part, None));
        };
        let place = Place {
            score: score.parse().ok()?,
            member: words.next()?.to_owned(),
        };
        place.session()?;
        Some((part, Some(place)))
    };
    read().ok_or_else(|| StoreError::corrupt("this cursor is not one of this store"))
}
