//! Statements, prepared once per connection and kept; their failures by kind.

use carafe_core::store::{Rows, StoreError};
use rusqlite::{Connection, Params, Row};

use crate::error::of_statement;

/// Runs a statement; how many rows it changed.
pub(crate) fn execute(
    db: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<usize, StoreError> {
    let mut statement = db.prepare_cached(sql).map_err(of_statement)?;
    statement.execute(params).map_err(of_statement)
}

/// The first row of a query, as `read` sees it.
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

/// Calls `see` with each row of a query until it gives `false`; how many it saw.
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

/// The first `limit` rows of a query that `read` can read.
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
    let mut found = Rows::default();
    each(db, sql, params, |row| {
        found.push(read(row))?;
        Ok(found.len() < limit)
    })?;
    Ok(found.into_read())
}

/// A number of rows as SQLite takes it.
pub(crate) fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
