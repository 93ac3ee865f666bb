//! Iterates over all rows in the order of their primary keys.
//!
//! A row that replaces another has a higher primary key.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    flask::stored::{Met, Walk, Walked},
    store::{BoxFuture, Cursor, Record, StoreError, StoreKey},
};
use rusqlite::{Connection, Row, params};

use super::{
    FlaskSessionStore,
    rows::{Rows, bad},
};
use crate::{error::of_statement, sql};

impl Rows {
    fn walk(
        &self,
        db: &Connection,
        after: i64,
        limit: usize,
        now: Timestamp,
    ) -> Result<Walked, StoreError> {
        let (mut met, mut last) = (Vec::new(), after);
        let limit = limit.max(1);
        let rows = sql::each(db, &self.walk, params![after, sql::count(limit)], |row| {
            last = row.get(0).map_err(of_statement)?;
            met.extend(self.met(row, now)?);
            Ok(true)
        })?;
        let next = (rows == limit).then(|| Cursor::behind_row(last));
        Ok(Walked { met, next })
    }

    fn met(&self, row: &Row<'_>, now: Timestamp) -> Result<Option<Met>, StoreError> {
        let name = row.get_ref(1).map_err(of_statement)?;
        // A row with a NULL `session_id` belongs to no session.
        let Ok(name) = name.as_bytes() else {
            return Ok(None);
        };
        Ok(Met::under(&self.layout, name, |key| {
            self.record(row, key, now)
        }))
    }

    fn record(&self, row: &Row<'_>, key: &StoreKey, now: Timestamp) -> Result<Record, StoreError> {
        let value: Vec<u8> = row.get(2).map_err(bad("data"))?;
        let expires = Timestamp::from_unix(row.get(3).map_err(bad("expiry"))?);
        self.layout.record(key, &value, expires, now)
    }

    fn count(&self, db: &Connection, now: Timestamp) -> Result<u64, StoreError> {
        let count = sql::first(db, &self.count, params![now.unix()], |row| {
            row.get::<_, i64>(0).map_err(of_statement)
        })?;
        Ok(count
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or_default())
    }
}

impl Walk for FlaskSessionStore {
    fn walk<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Walked, StoreError>> {
        let rows = Arc::clone(&self.rows);
        Box::pin(async move {
            let after = after.map_or(Ok(i64::MIN), Cursor::row)?;
            self.sqlite
                .read(move |db| rows.walk(db, after, limit, now))
                .await
        })
    }

    fn count<'a>(&'a self, now: Timestamp) -> BoxFuture<'a, Result<u64, StoreError>> {
        let rows = Arc::clone(&self.rows);
        Box::pin(self.sqlite.read(move |db| rows.count(db, now)))
    }
}
