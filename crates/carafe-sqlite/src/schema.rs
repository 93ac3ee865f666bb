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

/// Makes the tables in an empty database; leaves those of this version alone, but for an index that they lack.
pub(crate) fn migrate(db: &mut Connection) -> Result<(), OpenError> {
    // Immediate: of several processes that start together, one makes the tables and the others find them.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match version(&transaction)? {
        SCHEMA_VERSION => repair(&transaction)?,
        0 if is_empty(&transaction)? => transaction.execute_batch(SCHEMA)?,
        0 => return Err(OpenError::Foreign),
        other => return Err(OpenError::Schema(other)),
    }
    Ok(transaction.commit()?)
}

/// Refuses tables of another version, those that only claim to be of this one, and those without an index: a
/// statement that goes through all rows would stop the service later.
pub(crate) fn check(db: &Connection) -> Result<(), OpenError> {
    match version(db)? {
        SCHEMA_VERSION => {
            // The one statement that names every column that is read.
            db.prepare(find::BY_ALIAS)?;
            match missing(db)?.first() {
                None => Ok(()),
                Some((index, _)) => Err(OpenError::Index((*index).to_owned())),
            }
        }
        other => Err(OpenError::Schema(other)),
    }
}

/// The indices of [`SCHEMA`] that are not there, each with the statement that makes it.
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

/// The indices of [`SCHEMA`], each a line of it.
pub(crate) fn indices() -> impl Iterator<Item = (&'static str, &'static str)> {
    SCHEMA.lines().filter_map(|statement| {
        let index = statement.strip_prefix("CREATE INDEX ")?;
        Some((index.split_once(' ')?.0, statement))
    })
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
