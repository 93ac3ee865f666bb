//! Helpers for lists and samples in stores with rows.
//!
//! The helpers skip unreadable rows, and extrapolate from a range of rows to all. The stores run
//! the queries.

use std::collections::HashSet;

use super::{Sample, SessionMeta, StoreError};
use crate::error::ErrorChain;

/// Collects rows for a list and skips unreadable ones.
///
/// A damaged row must not hide the other rows from an operator. Damaged rows stay unchanged, and
/// one warning reports their number.
///
/// ```
/// use carafe_core::store::{ReadableRows, StoreError};
///
/// let mut rows = ReadableRows::default();
/// rows.push(Ok("a session"))?;
/// rows.push(Err(StoreError::corrupt("the row is damaged")))?;
/// assert!(rows.push(Err(StoreError::unavailable("connection lost"))).is_err());
/// assert_eq!(rows.into_read(), ["a session"]);
/// # Ok::<(), StoreError>(())
/// ```
#[derive(Debug)]
pub struct ReadableRows<T> {
    read: Vec<T>,
    skipped: u64,
    first: Option<StoreError>,
}

impl<T> ReadableRows<T> {
    /// Adds the next row.
    ///
    /// # Errors
    /// Every error except [`StoreError::Corrupt`], because a failure of the store is not a property
    /// of the row.
    pub fn push(&mut self, row: Result<T, StoreError>) -> Result<(), StoreError> {
        match row {
            Ok(row) => self.read.push(row),
            Err(error @ StoreError::Corrupt(_)) => {
                self.skipped += 1;
                self.first.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Returns the number of readable rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read.len()
    }

    /// Returns whether no row was readable so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read.is_empty()
    }

    /// Returns the readable rows, and logs a warning about the others.
    #[must_use]
    pub fn into_read(self) -> Vec<T> {
        if let Some(first) = &self.first {
            let skipped = self.skipped;
            let first = ErrorChain::of(first);
            tracing::warn!(skipped, "a list of sessions is not complete: {first}");
        }
        self.read
    }
}

impl<T> Default for ReadableRows<T> {
    fn default() -> Self {
        Self {
            read: Vec::new(),
            skipped: 0,
            first: None,
        }
    }
}

impl Sample {
    /// Number of consecutive keys that a store reads for [`estimate`](super::estimate).
    ///
    /// The estimated number of records is then accurate to 1.6 percent (one standard deviation), at
    /// the cost of reading about 40 index pages.
    pub const KEYS: usize = 4_096;
    /// Number of rows that a store reads to estimate the share of live ones, to 2 percent.
    ///
    /// The number does not depend on the limit of the sample.
    pub const ROWS: usize = 512;

    /// Creates a sample from `looked` of `rows` rows.
    ///
    /// The rows are read in the order of their keys from a random key. `live` contains the live
    /// sessions among the rows read. The other rows are expired, pointers, markers or unreadable,
    /// and the total is reduced by their share. A session that got a new ID during the read counts
    /// once.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, store::{PublicId, Sample, SessionMeta}};
    ///
    /// let (now, later) = (Timestamp::from_unix(0), Timestamp::from_unix(60));
    /// let meta = |number| SessionMeta::new(PublicId::from_bytes([number; 12]), now, later);
    /// // Of 8 rows that were read, 4 are live. The table has 1,000 rows.
    /// let sample = Sample::of_rows((0..4).map(meta).collect(), 8, 1_000, 3);
    /// assert_eq!((sample.total, sample.exact, sample.sessions.len()), (500, false, 3));
    /// ```
    #[must_use]
    pub fn of_rows(live: Vec<SessionMeta>, looked: u64, rows: u64, limit: usize) -> Self {
        let (mut sessions, mut handles) = (live, HashSet::new());
        sessions.retain(|session| handles.insert(session.public_id));
        let found = sessions.len() as u64;
        let share = u128::from(rows) * u128::from(found) / u128::from(looked.max(1));
        let total = if looked < rows {
            found.max(u64::try_from(share).unwrap_or(u64::MAX))
        } else {
            found
        };
        sessions.truncate(limit);
        Self {
            exact: looked >= rows && sessions.len() as u64 == total,
            total,
            sessions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Timestamp, store::PublicId};

    #[test]
    fn what_cannot_be_read_is_skipped_and_trouble_is_not() {
        let mut rows = ReadableRows::default();
        rows.push(Ok(1)).unwrap();
        rows.push(Err(StoreError::corrupt("damaged"))).unwrap();
        rows.push(Ok(2)).unwrap();
        assert!(matches!(
            rows.push(Err(StoreError::Conflict)),
            Err(StoreError::Conflict)
        ));
        assert_eq!((rows.len(), rows.into_read()), (2, vec![1, 2]));
    }

    #[test]
    fn a_part_stands_for_all_by_its_share() {
        let some = |count: u8| (0..count).map(session).collect::<Vec<_>>();
        let part = Sample::of_rows(some(90), 100, 5_000, 10);
        assert_eq!(
            (part.sessions.len(), part.total, part.exact),
            (10, 4_500, false)
        );
        let all = Sample::of_rows(some(90), 100, 100, 90);
        assert_eq!((all.sessions.len(), all.total, all.exact), (90, 90, true));
        let few = Sample::of_rows(some(90), 100, 100, 10);
        assert_eq!((few.sessions.len(), few.total, few.exact), (10, 90, false));
        let none = Sample::of_rows(Vec::new(), 0, 0, 10);
        assert_eq!((none.total, none.exact), (0, true));
        let twice = Sample::of_rows([some(2), some(2)].concat(), 4, 4, 10);
        assert_eq!((twice.total, twice.exact), (2, true));
    }

    fn session(number: u8) -> SessionMeta {
        let time = Timestamp::from_unix(1);
        SessionMeta::new(PublicId::from_bytes([number; 12]), time, time)
    }
}
