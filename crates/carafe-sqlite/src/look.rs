//! Reads over all sessions for operators: pages, samples, scans.
//!
//! Each statement uses an index and reads little more than it returns; a unary `+` prevents SQLite
//! from choosing another index.

use std::cmp::Reverse;

use carafe_core::{
    clock::Timestamp,
    store::{
        Cursor, Position, PublicId, ReadableRows, Record, Sample, ScanPage, SessionMeta,
        StoreError, StoreKey, estimate,
    },
};
use rusqlite::{Connection, ToSql, params};

use crate::{
    error::of_statement,
    rows::{self, columns, summary_columns},
    sql,
};

/// No `LIMIT`: rows are read until the page is full, because some may be expired or unreadable.
const NEWEST: &str = concat!(
    "SELECT ",
    summary_columns!(),
    " FROM sessions AS s WHERE (s.renewed, s.handle) < (?1, ?2)",
    " ORDER BY s.renewed DESC, s.handle DESC"
);
const LIVE: &str = concat!(
    "SELECT ",
    summary_columns!(),
    " FROM sessions AS s WHERE s.expires > ?1 ORDER BY s.expires LIMIT ?2"
);
/// Number of rows a list reads beyond its limit before it checks whether only this many are live.
const SCANNED: usize = 4_096;
const BY_PUBLIC_ID: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions AS s WHERE s.handle = ?1 AND +s.expires > ?2"
);
const WALK: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions AS s WHERE s.key > ?1 ORDER BY s.key LIMIT ?2"
);

/// Selects rows in key order, from ?1 upward or below it.
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

/// Counts the keys from ?1 upward or below it, at most ?2, and returns the last one. Reads no row.
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
) -> Result<Vec<SessionMeta>, StoreError> {
    let (renewed, public_id) = sql::behind(after);
    let is_behind = |session: &SessionMeta| {
        after.is_none_or(|after| {
            in_text_order(session) < (after.renewed, after.public_id.to_string())
        })
    };
    live(
        db,
        (NEWEST, params![renewed, public_id]),
        limit,
        now,
        is_behind,
    )
}

/// Returns the first `limit` live rows of `scan`.
///
/// Many expired rows that were not swept may precede the live ones. A scan that finds too few live
/// rows therefore continues only if many sessions are live; otherwise the live ones are read
/// through the index on `expires` and sorted.
fn live(
    db: &Connection,
    scan: (&str, &[&dyn ToSql]),
    limit: usize,
    now: Timestamp,
    is_meant: impl Fn(&SessionMeta) -> bool,
) -> Result<Vec<SessionMeta>, StoreError> {
    if let Some(page) = scanned(db, scan, limit, now, limit.saturating_add(SCANNED))? {
        return Ok(page);
    }
    if let Some(mut few) = few_live(db, now)? {
        few.retain(is_meant);
        few.sort_by_cached_key(|session| Reverse(in_text_order(session)));
        few.truncate(limit);
        return Ok(few);
    }
    let page = scanned(db, scan, limit, now, usize::MAX)?;
    Ok(page.unwrap_or_default())
}

/// Returns `None` if the page is not full after `most` rows.
fn scanned(
    db: &Connection,
    (statement, values): (&str, &[&dyn ToSql]),
    limit: usize,
    now: Timestamp,
    most: usize,
) -> Result<Option<Vec<SessionMeta>>, StoreError> {
    let (mut page, mut left) = (ReadableRows::default(), most);
    if limit > 0 {
        sql::each(db, statement, values, |row| {
            left -= 1;
            if !rows::expires(row).is_ok_and(|expires| expires <= now) {
                page.push(rows::summary(row))?;
            }
            Ok(page.len() < limit && left > 0)
        })?;
    }
    Ok((page.len() == limit || left > 0).then(|| page.into_read()))
}

/// Returns all live sessions if at most [`SCANNED`] are live.
fn few_live(db: &Connection, now: Timestamp) -> Result<Option<Vec<SessionMeta>>, StoreError> {
    let (mut found, values) = (
        ReadableRows::default(),
        params![now.unix(), sql::count(SCANNED + 1)],
    );
    let rows = sql::each(db, LIVE, values, |row| {
        found.push(rows::summary(row))?;
        Ok(true)
    })?;
    Ok((rows <= SCANNED).then(|| found.into_read()))
}

/// Returns the sort key of a session in [`NEWEST`]: SQLite compares public ids as text.
fn in_text_order(session: &SessionMeta) -> (Timestamp, String) {
    (session.renewed, session.public_id.to_string())
}

pub(crate) fn find(
    db: &Connection,
    public_id: PublicId,
    now: Timestamp,
) -> Result<Option<Record>, StoreError> {
    let values = params![public_id.to_string(), now.unix()];
    sql::first(db, BY_PUBLIC_ID, values, rows::record)
}

/// Samples a few rows from the random key `start` on and estimates the number of rows.
pub(crate) fn sample(
    db: &Connection,
    start: &StoreKey,
    limit: usize,
    now: Timestamp,
) -> Result<Sample, StoreError> {
    let most = limit.max(Sample::ROWS);
    let (mut live, mut looked) = (ReadableRows::default(), 0);
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
    // The rows read are mostly expired, so an estimate would be based on very few live rows.
    if looked == most
        && live.len() < looked / 8
        && let Some(mut few) = few_live(db, now)?
    {
        // Public ids are random, so the first ones are a random sample.
        few.sort_by_key(|session| *session.public_id.as_bytes());
        let all = few.len() as u64;
        return Ok(Sample::of_rows(few, all, all, limit));
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

/// Counts the rows; exact if fewer than `most`.
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

/// Returns records in key order. Former keys are in another table.
pub(crate) fn walk(
    db: &Connection,
    after: Option<&StoreKey>,
    limit: usize,
) -> Result<ScanPage, StoreError> {
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
    Ok(ScanPage {
        next: last.map(|(key, _)| Cursor::behind(key)),
        records,
    })
}

#[cfg(test)]
mod tests;
