//! The power to look through all sessions of a store: for operators, and for moving house.

use super::{BoxFuture, Handle, Position, Record, SessionStore, StoreError, StoreKey, Summary};
use crate::{base64, clock::Timestamp};

/// All sessions of a store, for operators and for moving them elsewhere.
///
/// Every call is bounded by its `limit`, uses an index and never goes through all sessions, so that it may
/// be asked of a store with a million of them while it serves. A list may miss what changes while it is read,
/// and never shows a session that was over when the call began.
pub trait Inventory: SessionStore {
    /// At most `limit` live sessions, those with the newest id first, from behind `after`. Sessions of one
    /// second come in a fixed order. Fewer than `limit` only at the end of the list.
    fn newest<'a>(
        &'a self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>>;

    /// The live session with this public name.
    fn of_handle<'a>(
        &'a self,
        handle: Handle,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>>;

    /// Takes the session with this public name away, and its aliases with it; whether it was there.
    fn delete_of_handle<'a>(&'a self, handle: Handle) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Takes at most `limit` sessions away that began at `until` or before; how many. After an answer of
    /// 0 none of them is let in any more, whatever got a new id meanwhile.
    fn delete_begun<'a>(
        &'a self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// At most `limit` live sessions picked at random, and how many there are.
    fn sample<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Sample, StoreError>>;

    /// Some of all records, expired ones that were not swept included, in the store's own order, from
    /// behind `after`: about `limit`, at times none although there are more. Whoever walks from `None` until
    /// `next` is `None` meets every record that was there all the time at least once.
    fn walk<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Batch, StoreError>>;
}

/// A random part of the live sessions.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The sessions, each at most once.
    pub sessions: Vec<Summary>,
    /// How many live sessions there are in all.
    pub total: u64,
    /// Whether `sessions` is all there are and `total` their number; otherwise `total` is an estimate, usually
    /// right to a few percent.
    pub exact: bool,
}

/// Some records on a walk through all.
#[derive(Debug)]
pub struct Batch {
    /// What was found under each key; an error for a record that cannot be read.
    pub records: Vec<(StoreKey, Result<Record, StoreError>)>,
    /// Where to go on; `None` at the end.
    pub next: Option<Cursor>,
}

/// Where a walk goes on: text of the store's own making, which survives a restart of whoever walks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor as a store, or a file that one was kept in, says it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text: ASCII without spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Behind `key`, for stores that walk in the order of keys.
    #[must_use]
    pub fn behind(key: &StoreKey) -> Self {
        Self(base64::encode_url(key.as_bytes()))
    }

    /// Behind the row with this number, for stores that walk in the order of numbers.
    #[must_use]
    pub fn behind_row(number: i64) -> Self {
        Self(number.to_string())
    }

    /// The number that [`Cursor::behind_row`] was given.
    ///
    /// # Errors
    /// As [`Cursor::key`].
    pub fn row(&self) -> Result<i64, StoreError> {
        let number = self.0.parse();
        number.map_err(|_| StoreError::corrupt("this cursor is not one of this store"))
    }

    /// The key that [`Cursor::behind`] was given.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it is some other store's cursor.
    pub fn key(&self) -> Result<StoreKey, StoreError> {
        let mut bytes = [0; 32];
        if base64::decode_url_exact(self.0.as_bytes(), &mut bytes) {
            return Ok(StoreKey::from_bytes(bytes));
        }
        Err(StoreError::corrupt("this cursor is not one of this store"))
    }
}

/// How many records there are, if those with the `found` keys in order are what lies from `start` on: keys
/// are hashes, so as many lie in each part of their range.
///
/// For [`Inventory::sample`]: one look at an index, where counting would go through all of it.
#[must_use]
pub fn estimate(start: &StoreKey, last: &StoreKey, found: usize) -> u64 {
    let head = |key: &StoreKey| {
        let (first, _) = key.as_bytes().split_at(8);
        u64::from_be_bytes(first.try_into().unwrap_or_default())
    };
    // Wraps where the look went past the last key and on from the first.
    let span = head(last).wrapping_sub(head(start)).max(1);
    let total = found as u128 * (1_u128 << 64) / u128::from(span);
    u64::try_from(total).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_is_right_to_a_few_percent_and_wraps_around() {
        let mut keys: Vec<_> = (0..100_000)
            .map(|n| StoreKey::of_id(&n.to_string()))
            .collect();
        keys.sort_unstable();
        for first in [0, 50_000, 97_000] {
            let found: Vec<_> = keys.iter().cycle().skip(first).take(4_096).collect();
            let [start, .., last] = &found[..] else {
                unreachable!("4,096 were taken")
            };
            let total = estimate(start, last, found.len());
            assert!((90_000..110_000).contains(&total), "{total} from {first}");
        }
    }

    #[test]
    fn a_cursor_of_another_store_is_refused() {
        let key = StoreKey::of_id("x");
        assert_eq!(Cursor::behind(&key).key().ok(), Some(key));
        assert!(Cursor::new("17").key().is_err());
        assert_eq!(Cursor::behind_row(-17).row().ok(), Some(-17));
        assert!(Cursor::behind(&key).row().is_err());
    }
}
