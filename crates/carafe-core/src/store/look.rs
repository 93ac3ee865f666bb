//! What stores with rows share when they look through them: rows that cannot be read, and how a part of the
//! rows stands for all. The stores run the queries; nothing here does.

use std::collections::HashSet;

use super::{Sample, StoreError, Summary};

/// Rows on their way into a list, without those that cannot be read: a damaged row must not hide all others
/// from the operator who looks for it. They are left as they are, and one warning says how many there were.
#[derive(Debug)]
pub struct Rows<T> {
    read: Vec<T>,
    skipped: u64,
    first: Option<StoreError>,
}

impl<T> Rows<T> {
    /// Takes the next row.
    ///
    /// # Errors
    /// Whatever it is but [`StoreError::Corrupt`]: trouble with the store is not the row's fault.
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

    /// How many could be read so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read.len()
    }

    /// Whether none could be read so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read.is_empty()
    }

    /// Those that could be read; a warning about the others.
    #[must_use]
    pub fn into_read(self) -> Vec<T> {
        if let Some(first) = &self.first {
            let skipped = self.skipped;
            tracing::warn!(skipped, "a list of sessions is not complete: {first}");
        }
        self.read
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            read: Vec::new(),
            skipped: 0,
            first: None,
        }
    }
}

impl Sample {
    /// How many keys in order a store looks at for [`estimate`](super::estimate): the number of records is
    /// then right to 1.6 percent (one standard deviation), for one look at some 40 pages of an index.
    pub const KEYS: usize = 4_096;
    /// How many rows, whatever the limit, a store reads to see which part of them is live: to 2 percent.
    pub const ROWS: usize = 512;

    /// A sample from a look at `looked` of `rows` rows in the order of their keys, from a random one on.
    /// `live` are the live sessions among them; the others are expired, aliases or cannot be read, and their
    /// share is taken off. A session that got a new id during the look counts once.
    #[must_use]
    pub fn of_rows(live: Vec<Summary>, looked: u64, rows: u64, limit: usize) -> Self {
        let (mut sessions, mut handles) = (live, HashSet::new());
        sessions.retain(|session| handles.insert(session.handle));
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
    use crate::{clock::Timestamp, store::Handle};

    #[test]
    fn what_cannot_be_read_is_skipped_and_trouble_is_not() {
        let mut rows = Rows::default();
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

    fn session(number: u8) -> Summary {
        let time = Timestamp::from_unix(1);
        Summary {
            handle: Handle::from_bytes([number; 12]),
            user: None,
            device: None,
            created: time,
            renewed: time,
            last_seen: time,
            expires: time,
            authenticated: None,
            version: 0,
        }
    }
}
