//! Looking through all sessions, for operators: pages, samples, walks. Each statement follows an index and
//! reads little more than what it gives; `+` keeps SQLite from another index than the one that is meant.

use carafe_core::{
    clock::Timestamp,
    store::{
        Batch, Cursor, Handle, Position, Record, Rows, Sample, StoreError, StoreKey, Summary,
        estimate,
    },
};
use rusqlite::{Connection, params};

use crate::{
    error::of_statement,
    rows::{self, columns, summary_columns},
    sql,
};

/// No `LIMIT`: rows are read one by one until the page is full, because some may not be readable.
const NEWEST: &str = concat!(
    "SELECT ",
    summary_columns!(),
    " FROM sessions AS s WHERE (s.renewed, s.handle) < (?1, ?2) AND +s.expires > ?3",
    " ORDER BY s.renewed DESC, s.handle DESC"
);
const BY_HANDLE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions AS s WHERE s.handle = ?1 AND +s.expires > ?2"
);
const WALK: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions AS s WHERE s.key > ?1 ORDER BY s.key LIMIT ?2"
);

/// Rows in the order of their keys, from ?1 on or up to it.
macro_rules! rows {
    ($side:literal) => {
        concat!(
            "SELECT ",
            summary_columns!(),
            " FROM sessions AS s WHERE s.key ",
            $side,
            " ?1 ORDER BY s.key LIMIT ?2"
        )
    };
}
const ROWS: [&str; 2] = [rows!(">="), rows!("<")];

/// How many keys there are from ?1 on or up to it, as far as ?2, and the last of them. Reads no row.
macro_rules! keys {
    ($side:literal) => {
        concat!(
            "SELECT count(*), max(key) FROM (SELECT key FROM sessions WHERE key ",
            $side,
            " ?1 ORDER BY key LIMIT ?2)"
        )
    };
}
const KEYS: [&str; 2] = [keys!(">="), keys!("<")];

pub(crate) fn newest(
    db: &Connection,
    after: Option<Position>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Summary>, StoreError> {
    let (renewed, handle) = match after {
        Some(place) => (place.renewed.unix(), place.handle.to_string()),
        // Before the first: `~` comes after all characters of a handle.
        None => (i64::MAX, "~".to_owned()),
    };
    let values = params![renewed, handle, now.unix()];
    sql::readable(db, NEWEST, values, limit, rows::summary)
}

pub(crate) fn of_handle(
    db: &Connection,
    handle: Handle,
    now: Timestamp,
) -> Result<Option<Record>, StoreError> {
    let values = params![handle.to_string(), now.unix()];
    sql::first(db, BY_HANDLE, values, rows::record)
}

/// A few rows from the random key `start` on, and how many rows there are.
pub(crate) fn sample(
    db: &Connection,
    start: &StoreKey,
    limit: usize,
    now: Timestamp,
) -> Result<Sample, StoreError> {
    let most = limit.max(Sample::ROWS);
    let (mut live, mut looked) = (Rows::default(), 0);
    for side in ROWS {
        let values = params![start.as_bytes(), sql::count(most - looked)];
        looked += sql::each(db, side, values, |row| {
            match rows::summary(row) {
                Ok(session) if session.is_expired(now) => {}
                other => live.push(other)?,
            }
            Ok(true)
        })?;
    }
    let rows = if looked < most {
        looked as u64
    } else {
        count(db, start, most.saturating_add(1).max(Sample::KEYS))?
    };
    Ok(Sample::of_rows(
        live.into_read(),
        looked as u64,
        rows,
        limit,
    ))
}

/// How many rows there are: exactly if they are fewer than `most`.
fn count(db: &Connection, start: &StoreKey, most: usize) -> Result<u64, StoreError> {
    let (mut found, mut last) = (0, *start);
    for side in KEYS {
        let values = params![start.as_bytes(), sql::count(most - found)];
        let part = sql::first(db, side, values, |row| {
            let count: i64 = row.get(0).map_err(of_statement)?;
            let key: Option<[u8; 32]> = row.get(1).map_err(of_statement)?;
            Ok((usize::try_from(count).unwrap_or_default(), key))
        })?;
        if let Some((count, Some(key))) = part {
            found += count;
            last = StoreKey::from_bytes(key);
        }
    }
    if found < most {
        return Ok(found as u64);
    }
    Ok(estimate(start, &last, found))
}

/// Records in the order of their keys. Aliases are in a table of their own.
pub(crate) fn walk(
    db: &Connection,
    after: Option<&StoreKey>,
    limit: usize,
) -> Result<Batch, StoreError> {
    let (after, limit) = (after.map_or(&[][..], |key| key.as_bytes()), limit.max(1));
    let mut records = Vec::new();
    sql::each(db, WALK, params![after, sql::count(limit)], |row| {
        let record = match rows::record(row) {
            Err(error @ StoreError::Corrupt(_)) => Err(error),
            other => Ok(other?),
        };
        records.push((rows::key(row, 0, "key")?, record));
        Ok(true)
    })?;
    let last = records.last().filter(|_| records.len() == limit);
    Ok(Batch {
        next: last.map(|(key, _)| Cursor::behind(key)),
        records,
    })
}

#[cfg(test)]
mod tests;
