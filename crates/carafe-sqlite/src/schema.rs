//! Creates and checks the tables and their version.
//!
//! Tables are only created on request. See `tables` for their statements.

use rusqlite::{Connection, TransactionBehavior};

use crate::{
    OpenError, find,
    tables::{SCHEMA, SCHEMA_VERSION, UPGRADE, indices},
};

/// Creates the tables in an empty database or upgrades older tables, in one transaction.
///
/// Tables of the current version only get missing indices.
pub(crate) fn migrate(db: &mut Connection) -> Result<(), OpenError> {
    // Immediate, so that of several starting processes one creates the tables and the others find
    // them.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match version(&transaction)? {
        SCHEMA_VERSION => repair(&transaction)?,
        1 => {
            transaction.execute_batch(UPGRADE)?;
            repair(&transaction)?;
        }
        0 if is_empty(&transaction)? => transaction.execute_batch(SCHEMA)?,
        0 => return Err(OpenError::Foreign),
        other => return Err(OpenError::Schema(other)),
    }
    Ok(transaction.commit()?)
}

/// Rejects tables of another version, tables with missing columns, and tables with a missing index.
///
/// Without an index, a full table scan would block the service later.
pub(crate) fn check(db: &Connection) -> Result<(), OpenError> {
    match version(db)? {
        SCHEMA_VERSION => {
            // This statement names every column that is read.
            db.prepare(find::BY_FORMER_KEY)?;
            match missing(db)?.first() {
                None => Ok(()),
                Some((index, _)) => Err(OpenError::Index((*index).to_owned())),
            }
        }
        other => Err(OpenError::Schema(other)),
    }
}

/// Returns the indices of [`SCHEMA`] that are missing, each with the statement that creates it.
pub(crate) fn missing(db: &Connection) -> rusqlite::Result<Vec<(&'static str, &'static str)>> {
    let mut find = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1")?;
    let mut missing = Vec::new();
    for (name, statement) in indices() {
        if !find.exists([name])? {
            missing.push((name, statement));
        }
    }
    Ok(missing)
}

fn repair(db: &Connection) -> Result<(), OpenError> {
    for (_, statement) in missing(db)? {
        db.execute_batch(statement)?;
    }
    Ok(())
}

pub(crate) fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn is_empty(db: &Connection) -> Result<bool, OpenError> {
    Ok(db.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)",
        [],
        |row| row.get(0),
    )?)
}
