//! The tables, their version, and how they come into a file: only when somebody asks for it.
//! Next: `schema.sql`, which is [`SCHEMA`].

use rusqlite::{Connection, TransactionBehavior};

use crate::{OpenError, find};

/// The statements that make the tables of [`SCHEMA_VERSION`], for those who run migrations themselves.
/// They are for an empty file of its own: the version stands in `PRAGMA user_version`, of which a file has
/// one.
pub const SCHEMA: &str = include_str!("schema.sql");

/// The version of the tables that this crate reads and writes.
pub const SCHEMA_VERSION: i64 = 1;

/// Makes the tables in an empty database; leaves those of this version alone.
pub(crate) fn migrate(db: &mut Connection) -> Result<(), OpenError> {
    // Immediate: of several processes that start together, one makes the tables and the others find them.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match version(&transaction)? {
        SCHEMA_VERSION => return Ok(()),
        0 if is_empty(&transaction)? => transaction.execute_batch(SCHEMA)?,
        0 => return Err(OpenError::Foreign),
        other => return Err(OpenError::Schema(other)),
    }
    Ok(transaction.commit()?)
}

/// Refuses tables of another version, and those that only claim to be of this one.
pub(crate) fn check(db: &Connection) -> Result<(), OpenError> {
    match version(db)? {
        // The one statement that names every column that is read.
        SCHEMA_VERSION => Ok(db.prepare(find::BY_ALIAS).map(drop)?),
        other => Err(OpenError::Schema(other)),
    }
}

fn version(db: &Connection) -> Result<i64, OpenError> {
    Ok(db.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn is_empty(db: &Connection) -> Result<bool, OpenError> {
    Ok(db.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)",
        [],
        |row| row.get(0),
    )?)
}
