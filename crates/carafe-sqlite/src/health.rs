//! The health report of a file: identity, schema and durability.
//!
//! Runs in a transaction on the writer's connection, so that a report also proves that writing is
//! possible.

use std::path::Path;

use carafe_core::store::{Health, StoreError};
use rusqlite::{Connection, types::FromSql};

use crate::{SCHEMA_VERSION, SqliteStore, access, error::of_statement, schema, tables};

impl SqliteStore {
    /// Reports the state of the file, its schema and indices, and its durability. Reads no session.
    ///
    /// ```
    /// use carafe_sqlite::{SqliteOptions, SqliteStore};
    ///
    /// let store = SqliteStore::in_memory(SqliteOptions::default())?;
    /// # futures_executor::block_on(async {
    /// let health = store.health().await?;
    /// assert!(health.is_good(), "{health}");
    /// # Ok::<(), carafe_sqlite::StoreError>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of any write: [`StoreError::Timeout`] while another process holds the lock,
    /// [`StoreError::Unavailable`].
    pub async fn health(&self) -> Result<Health, StoreError> {
        let given = self.given.clone();
        self.write(move |db| {
            let mut health = of(db).map_err(of_statement)?;
            if let Some(path) = &given {
                access(path, &mut health);
            }
            Ok(health)
        })
        .await
    }
}

fn of(db: &Connection) -> rusqlite::Result<Health> {
    let mut health = Health::default();
    health.fact("server", format_args!("SQLite {}", rusqlite::version()));
    let file = db.path().filter(|path| !path.is_empty());
    health.fact("file", file.unwrap_or("in memory"));
    size(db, &mut health)?;
    tables(db, &mut health)?;
    durability(db, &mut health)?;
    Ok(health)
}

/// Checks the permissions, which may have changed since the file was opened.
fn access(path: &Path, health: &mut Health) {
    let access = access::look(path);
    if let Some(mode) = access.mode {
        health.fact("permissions", mode);
    }
    health.problems.extend(access.refusals);
    health.problems.extend(access.problems);
}

fn size(db: &Connection, health: &mut Health) -> rusqlite::Result<()> {
    let page: i64 = pragma(db, "page_size")?;
    let (all, free): (i64, i64) = (pragma(db, "page_count")?, pragma(db, "freelist_count")?);
    let (all, free) = (all * page, free * page);
    health.fact("size", format_args!("{all} bytes, {free} of them free"));
    Ok(())
}

fn tables(db: &Connection, health: &mut Health) -> rusqlite::Result<()> {
    let version = schema::version(db)?;
    health.fact(
        "schema",
        format_args!("version {version}, expected {SCHEMA_VERSION}"),
    );
    if version != SCHEMA_VERSION {
        health.problem(format!(
            "the tables were changed to version {version} while this store was open"
        ));
    }
    let (all, missing) = (tables::indices().count(), schema::missing(db)?);
    health.fact("indices", format_args!("{} of {all}", all - missing.len()));
    for (name, _) in missing {
        health.problem(format!(
            "the index `{name}` is missing: call `SqliteStore::migrate`, which adds it"
        ));
    }
    Ok(())
}

fn durability(db: &Connection, health: &mut Health) -> rusqlite::Result<()> {
    let mode: String = pragma(db, "journal_mode")?;
    health.fact("journal mode", &mode);
    if !["wal", "memory"].contains(&&*mode) {
        health.problem(format!(
            "the journal mode was changed to {mode}: readers now wait for the writer; open the file again"
        ));
    }
    let synchronous: i64 = pragma(db, "synchronous")?;
    health.fact(
        "durability",
        match (&*mode, synchronous) {
            ("memory", _) => "none: lost when the process exits",
            (_, 2..) => "full: survives a power cut",
            _ => "normal: a power cut may lose the newest writes",
        },
    );
    Ok(())
}

fn pragma<T: FromSql>(db: &Connection, name: &str) -> rusqlite::Result<T> {
    db.pragma_query_value(None, name, |row| row.get(0))
}
