//! Runs cached prepared statements and classifies their errors.

use carafe_core::store::{Position, ReadableRows, StoreError};
use rusqlite::{Connection, Params, Row};

use crate::error::of_statement;

/// Runs a statement and returns the number of changed rows.
pub(crate) fn execute(
    db: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<usize, StoreError> {
    let mut statement = db.prepare_cached(sql).map_err(of_statement)?;
    statement.execute(params).map_err(of_statement)
}

/// Returns the first row of a query, converted by `read`.
pub(crate) fn first<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = db.prepare_cached(sql).map_err(of_statement)?;
    let mut rows = statement.query(params).map_err(of_statement)?;
    rows.next().map_err(of_statement)?.map(read).transpose()
}

/// Calls `see` with each row of a query until it returns `false`; returns the number of rows read.
pub(crate) fn each(
    db: &Connection,
    sql: &str,
    params: impl Params,
    mut see: impl FnMut(&Row<'_>) -> Result<bool, StoreError>,
) -> Result<usize, StoreError> {
    let mut statement = db.prepare_cached(sql).map_err(of_statement)?;
    let mut rows = statement.query(params).map_err(of_statement)?;
    let mut seen = 0;
    while let Some(row) = rows.next().map_err(of_statement)? {
        seen += 1;
        if !see(row)? {
            break;
        }
    }
    Ok(seen)
}

/// Returns the first `limit` readable rows of a query.
pub(crate) fn readable<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    limit: usize,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let mut found = ReadableRows::default();
    each(db, sql, params, |row| {
        found.push(read(row))?;
        Ok(found.len() < limit)
    })?;
    Ok(found.into_read())
}

/// Returns the position after which a list starts, as `renewed` and `handle`.
pub(crate) fn behind(after: Option<Position>) -> (i64, String) {
    match after {
        Some(place) => (place.renewed.unix(), place.public_id.to_string()),
        // `~` sorts after all characters of a public id.
        None => (i64::MAX, "~".to_owned()),
    }
}

/// Converts a number of rows for SQLite, saturating.
pub(crate) fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
