//! Iterates over all rows in the order of their primary keys.
//!
//! A row that replaces another has a higher primary key.

use carafe_core::{
    clock::Timestamp,
    flask::stored::{Met, Walk, Walked},
    store::{BoxFuture, Cursor, StoreError},
};

use super::{FlaskSessionStore, dialect::FlaskDialect};
use crate::{dialect::Stored, failure::Failure, lease::Lease, value::Value};

impl<D: FlaskDialect> FlaskSessionStore<D> {
    async fn scan_page(
        &self,
        mut lease: Lease<D>,
        after: i64,
        limit: usize,
        now: Timestamp,
    ) -> Result<Walked, Failure> {
        let values = [Value::Number(Some(after)), (limit as u64).into()];
        let rows = D::stored(&mut lease, &self.statements.walk, &values).await?;
        lease.done();
        let last = rows.last().filter(|_| rows.len() == limit);
        let next = last.map(|row| Cursor::behind_row(row.number));
        let met = rows.into_iter().filter_map(|row| self.met(&row, now));
        Ok(Walked {
            met: met.collect(),
            next,
        })
    }

    fn met(&self, row: &Stored, now: Timestamp) -> Option<Met> {
        let expires = Timestamp::from_unix(row.expires);
        Met::under(&self.layout, &row.name, |key| {
            self.layout.record(key, &row.value, expires, now)
        })
    }

    async fn count_rows(&self, mut lease: Lease<D>, now: Timestamp) -> Result<u64, Failure> {
        let rows = D::keys(&mut lease, &self.statements.count, &[now.into()]).await?;
        lease.done();
        Ok(u64::try_from(rows.count).unwrap_or_default())
    }
}

impl<D: FlaskDialect> Walk for FlaskSessionStore<D> {
    fn walk<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Walked, StoreError>> {
        Box::pin(async move {
            let after = after.map_or(Ok(i64::MIN), Cursor::row)?;
            self.sql
                .read(|lease| self.scan_page(lease, after, limit.max(1), now))
                .await
        })
    }

    fn count<'a>(&'a self, now: Timestamp) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.sql.read(move |lease| self.count_rows(lease, now)))
    }
}
