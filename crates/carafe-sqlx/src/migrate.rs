//! The table, made by [`SqlStore::migrate`] or by you from [`SqlStore::SCHEMA`]; nothing else makes one.
//!
//! A small table beside it says which versions of the schema were applied.

use std::time::Duration;

use carafe_core::store::StoreError;

use crate::{
    deadline::within, dialect::Dialect, failure::Failure, lease::Lease, statements::sql,
    store::SqlStore, table,
};

/// Nobody waits for an index to be built within half a second.
const DEADLINE: Duration = Duration::from_secs(60);

const VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS carafe_sessions_schema (version BIGINT PRIMARY KEY)";
/// Changes nothing, but counts: a query would be one more kind of row.
const APPLIED: &str = "UPDATE carafe_sessions_schema SET version = version WHERE version = $1";

impl<D: Dialect> SqlStore<D> {
    /// The tables and indices, for those who run their migrations themselves.
    pub const SCHEMA: &'static str = D::SCHEMA;

    /// [`SqlStore::SCHEMA`] for this store's table.
    #[must_use]
    pub fn schema(&self) -> String {
        table::renamed(D::SCHEMA, &self.table)
    }

    /// Makes the table if it is not there. To be called by whoever may make tables, at a start or by an
    /// operator; several at once wait for each other.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database refuses.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let lease = self.lease().await?;
        Ok(within(DEADLINE, self.migrate_with(lease)).await?)
    }

    async fn migrate_with(&self, mut lease: Lease<D>) -> Result<(), Failure> {
        self.batch(&mut lease, D::LOCK).await?;
        self.batch(&mut lease, VERSIONS).await?;
        // The history of the schema, oldest first.
        for (version, migration) in (1_u64..).zip([D::SCHEMA]) {
            let applied = sql::<D>(APPLIED, &self.table);
            if D::execute(&mut lease, &applied, &[version.into()]).await? == 0 {
                self.batch(&mut lease, migration).await?;
            }
        }
        self.batch(&mut lease, D::UNLOCK).await?;
        lease.done();
        Ok(())
    }

    async fn batch(&self, lease: &mut Lease<D>, text: &str) -> Result<(), Failure> {
        Ok(D::batch(lease, &sql::<D>(text, &self.table)).await?)
    }
}
