//! Iteration over all records, part by part, oldest id first.
//!
//! In this order a session that gets a new id during the iteration moves ahead of it and is found.
//! The cursor is an entry, not a count or a position in a hash table: unlike the cursor of `SCAN`,
//! it stays valid after a restart of the server or a fail-over.

use std::collections::HashSet;

use carafe_core::store::{Cursor, ScanPage, StoreError};
use futures_util::future::join_all;

use crate::{
    RedisStore,
    index_entry::{IndexEntry, Order},
};

impl RedisStore {
    pub(crate) async fn scan_page(
        &self,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<ScanPage, StoreError> {
        let (part, after) = match after {
            Some(cursor) => read(cursor, self.names.parts())?,
            None => (0, None),
        };
        let order = Order::OldestFirst;
        let found = self.entries_of_part(part, order, after.as_ref(), limit.max(1));
        let found = found.await?;
        let next = match found.entries.last() {
            Some(last) if !found.is_end => Some(cursor(part, Some(last))),
            _ if part + 1 < self.names.parts() => Some(cursor(part + 1, None)),
            _ => None,
        };
        let keys: HashSet<_> = found
            .entries
            .iter()
            .filter_map(IndexEntry::session)
            .collect();
        let reads = keys
            .iter()
            .map(|(_, key)| async move { (*key, self.record_at(key).await) });
        let mut records = Vec::new();
        for (key, record) in join_all(reads).await {
            match record.transpose() {
                // An error of the server, not of the record.
                Some(Err(error)) if !matches!(error, StoreError::Corrupt(_)) => return Err(error),
                Some(record) => records.push((key, record)),
                None => {}
            }
        }
        Ok(ScanPage { records, next })
    }
}

/// Encodes an entry as `part,score,member`.
fn cursor(part: usize, entry: Option<&IndexEntry>) -> Cursor {
    match entry {
        Some(entry) => Cursor::new(format!("{part},{},{}", entry.score, entry.member)),
        None => Cursor::new(part.to_string()),
    }
}

/// Parses the result of [`cursor`].
fn read(cursor: &Cursor, parts: usize) -> Result<(usize, Option<IndexEntry>), StoreError> {
    let mut words = cursor.as_str().splitn(3, ',');
    let mut read = || {
        let part = words.next()?.parse().ok().filter(|&part| part < parts)?;
        let Some(score) = words.next() else {
            return Some((part, None));
        };
        let entry = IndexEntry {
            score: score.parse().ok()?,
            member: words.next()?.to_owned(),
        };
        entry.session()?;
        Some((part, Some(entry)))
    };
    read().ok_or_else(|| StoreError::corrupt("this cursor is not one of this store"))
}
