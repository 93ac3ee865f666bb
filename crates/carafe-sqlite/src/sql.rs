//! Statements, prepared once per connection and kept; their failures by kind.

use carafe_core::store::StoreError;
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

/// All rows of a query, as `read` sees them.
pub(crate) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare_cached(sql).map_err(of_statement)?;
    let mut rows = statement.query(params).map_err(of_statement)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(of_statement)? {
        found.push(read(row)?);
    }
    Ok(found)
}
