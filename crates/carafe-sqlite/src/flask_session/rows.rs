//! Statements on Flask-Session's table.
//!
//! A change reads and writes inside one transaction of the writer, so that it replaces the row that
//! it has read.
//!
//! `expiry` is text in SQLAlchemy's format, `2023-12-15 22:13:20.000000`, in UTC; the text sorts
//! chronologically. A rotation inserts a new row: Flask-Session updates rows by their primary key,
//! and a late update by a request with the old id must not change the row of the new id.

use std::path::Path;

use carafe_core::{
    clock::Timestamp,
    flask::stored::{FlaskSession, Next},
    session::{Access, Patch},
    store::{Created, Patched, Record, StoreError, StoreKey},
};
use rusqlite::{Connection, params};

use crate::{OpenError, connect, error::BadColumn, sql};

/// The layout and the statements of one table.
pub(super) struct Rows {
    pub(super) layout: FlaskSession,
    pub(super) walk: String,
    pub(super) count: String,
    load: String,
    create: String,
    replace: String,
    touch: String,
    delete: String,
    sweep: String,
}

/// The first second after `expiry`, as a Unix timestamp.
const EXPIRES: &str =
    "CAST(strftime('%s', expiry) AS INTEGER) + (substr(expiry, 20) GLOB '*[1-9]*')";
/// Converts a parameter from a Unix timestamp.
const MOMENT: &str = "strftime('%Y-%m-%d %H:%M:%S.000000', ?, 'unixepoch')";

impl Rows {
    pub(super) fn new(table: &str, layout: FlaskSession) -> Self {
        let table = format!("\"{}\"", table.replace('"', "\"\""));
        let moment = |n: u32| MOMENT.replace('?', &format!("?{n}"));
        let live = |n| format!("session_id = ?1 AND expiry > {}", moment(n));
        Self {
            load: format!("SELECT data, {EXPIRES} FROM {table} WHERE {}", live(2)),
            create: format!(
                "INSERT INTO {table} (session_id, data, expiry) VALUES (?1, ?2, {}) \
                 ON CONFLICT DO NOTHING",
                moment(3)
            ),
            replace: format!(
                "UPDATE {table} SET data = ?2, expiry = max(expiry, {}) WHERE session_id = ?1",
                moment(3)
            ),
            touch: format!(
                "UPDATE {table} SET expiry = max(expiry, {}) WHERE {}",
                moment(3),
                live(2)
            ),
            delete: format!("DELETE FROM {table} WHERE session_id = ?1"),
            sweep: format!(
                "DELETE FROM {table} WHERE id IN \
                 (SELECT id FROM {table} WHERE expiry <= {} LIMIT ?2)",
                moment(1)
            ),
            // The cursor is the row's primary key: `session_id` would put session ids into the
            // migration's file.
            walk: format!(
                "SELECT id, session_id, data, CASE WHEN expiry IS NULL THEN 0 ELSE {EXPIRES} END \
                 FROM {table} WHERE id > ?1 ORDER BY id LIMIT ?2"
            ),
            count: format!("SELECT count(*) FROM {table} WHERE expiry > {}", moment(1)),
            layout,
        }
    }

    /// Returns an error if the table is missing.
    pub(super) fn check(&self, path: &Path) -> Result<(), OpenError> {
        let db = connect::reader(&connect::resolve(path)?, connect::WHILE_READING)?;
        db.prepare(&self.load)?;
        Ok(())
    }

    pub(super) fn find(
        &self,
        db: &Connection,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let values = params![self.layout.name(key), now.unix()];
        sql::first(db, &self.load, values, |row| {
            let value: Vec<u8> = row.get(0).map_err(bad("data"))?;
            let expires = Timestamp::from_unix(row.get(1).map_err(bad("expiry"))?);
            self.layout.record(key, &value, expires, now)
        })
    }

    pub(super) fn create(
        &self,
        db: &Connection,
        key: &StoreKey,
        record: &Record,
    ) -> Result<Created, StoreError> {
        let value = self.layout.beginning(key, record)?;
        self.insert(db, key, &value, record.meta.expires)
    }

    pub(super) fn patch(
        &self,
        db: &Connection,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let Some(next) = self.next(db, key, base, patch, None, now)? else {
            return Ok(Patched::Gone);
        };
        let expires = next.record.meta.expires.unix();
        let values = params![self.layout.name(key), next.value, expires];
        sql::execute(db, &self.replace, values)?;
        Ok(Patched::Applied(next.record))
    }

    pub(super) fn rotate(
        &self,
        db: &Connection,
        (from, to): (&StoreKey, &StoreKey),
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let Some(next) = self.next(db, from, base, patch, Some((to, now)), now)? else {
            return Ok(Patched::Gone);
        };
        if self.insert(db, to, &next.value, next.record.meta.expires)? == Created::Taken {
            return Err(StoreError::Conflict);
        }
        self.delete(db, from)?;
        Ok(Patched::Applied(next.record))
    }

    pub(super) fn touch(
        &self,
        db: &Connection,
        key: &StoreKey,
        access: &Access,
    ) -> Result<bool, StoreError> {
        let name = self.layout.name(key);
        let values = params![name, access.at.unix(), access.expires.unix()];
        Ok(sql::execute(db, &self.touch, values)? > 0)
    }

    pub(super) fn delete(&self, db: &Connection, key: &StoreKey) -> Result<bool, StoreError> {
        Ok(sql::execute(db, &self.delete, params![self.layout.name(key)])? > 0)
    }

    pub(super) fn sweep(
        &self,
        db: &Connection,
        limit: usize,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        sql::execute(db, &self.sweep, params![now.unix(), limit])
    }

    fn next(
        &self,
        db: &Connection,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        rotation: Option<(&StoreKey, Timestamp)>,
        now: Timestamp,
    ) -> Result<Option<Next>, StoreError> {
        match self.find(db, key, now)? {
            Some(newest) => self.layout.next(key, &newest, base, patch, rotation),
            None => Ok(None),
        }
    }

    fn insert(
        &self,
        db: &Connection,
        key: &StoreKey,
        value: &[u8],
        expires: Timestamp,
    ) -> Result<Created, StoreError> {
        let values = params![self.layout.name(key), value, expires.unix()];
        Ok(match sql::execute(db, &self.create, values)? {
            0 => Created::Taken,
            _ => Created::Created,
        })
    }
}

/// Returns a function that converts the error of a column.
///
/// A value in a type that SQLAlchemy does not write is `Corrupt`, not `Unavailable`.
pub(super) fn bad(name: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |source| {
        StoreError::corrupt(BadColumn {
            name,
            source: source.into(),
        })
    }
}
