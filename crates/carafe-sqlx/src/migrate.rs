//! The tables, created by [`SqlStore::migrate`] or by the application from [`SqlStore::SCHEMA`].
//!
//! A small table records the applied versions of the schema. An index is created again if it is
//! missing although its version was applied, because the index was dropped or the table is older.

use std::time::Duration;

use carafe_core::store::StoreError;

use crate::{
    deadline::within, dialect::Dialect, failure::Failure, lease::Lease, statements::sql,
    store::SqlStore, table,
};

/// Building an index takes longer than the deadline of other operations.
const DEADLINE: Duration = Duration::from_secs(60);

/// The current version of the schema.
pub(crate) const VERSION: u64 = 2;

const VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS carafe_sessions_schema (version BIGINT PRIMARY KEY)";
/// A no-op update, for its row count: a query would need another row type.
const APPLIED: &str = "UPDATE carafe_sessions_schema SET version = version WHERE version = $1";

impl<D: Dialect> SqlStore<D> {
    /// The tables and indices, for use in the application's migrations.
    pub const SCHEMA: &'static str = D::SCHEMA;

    /// Returns [`SqlStore::SCHEMA`] for this store's table.
    #[must_use]
    pub fn schema(&self) -> String {
        table::renamed(D::SCHEMA, &self.table)
    }

    /// Creates the table if it is missing, or upgrades an older one.
    ///
    /// Requires the right to create tables. Call it at startup or as a step of a deployment;
    /// concurrent calls wait for each other.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the database refuses.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let lease = self.lease().await?;
        Ok(within(DEADLINE, self.migrate_with(lease)).await?)
    }

    async fn migrate_with(&self, mut lease: Lease<D>) -> Result<(), Failure> {
        self.batch(&mut lease, D::LOCK).await?;
        self.batch(&mut lease, VERSIONS).await?;
        if !self.has_version(&mut lease, VERSION).await? {
            let migration = match self.has_version(&mut lease, 1).await? {
                true => D::UPGRADE,
                false => D::SCHEMA,
            };
            self.batch(&mut lease, migration).await?;
        }
        if !D::WIDEN.is_empty() {
            self.batch(&mut lease, D::WIDEN).await?;
        }
        for (_, statement) in self.missing_indices(&mut lease).await?.1 {
            self.batch(&mut lease, &statement).await?;
        }
        self.batch(&mut lease, D::UNLOCK).await?;
        lease.done();
        Ok(())
    }

    async fn has_version(&self, lease: &mut Lease<D>, version: u64) -> Result<bool, Failure> {
        let applied = sql::<D>(APPLIED, &self.table);
        Ok(D::execute(lease, &applied, &[version.into()]).await? > 0)
    }

    /// Returns the number of expected indices, and the missing ones with their statements.
    pub(crate) async fn missing_indices(
        &self,
        lease: &mut Lease<D>,
    ) -> Result<(usize, Vec<(String, String)>), Failure> {
        let ask = sql::<D>(D::INDICES, &self.table);
        let there = D::pairs(lease, &ask, &[self.table.as_str().into()]).await?;
        let mut indices = indices(&self.schema(), &self.table);
        let all = indices.len();
        indices.retain(|(name, _)| there.iter().all(|(there, _)| there != name));
        Ok((all, indices))
    }

    async fn batch(&self, lease: &mut Lease<D>, text: &str) -> Result<(), Failure> {
        Ok(D::batch(lease, &sql::<D>(text, &self.table)).await?)
    }
}

/// Returns the indices of a schema for `table`, each on one line, and the statements that add them.
fn indices(schema: &str, table: &str) -> Vec<(String, String)> {
    let index = |line: &str| {
        let line = line.trim().trim_end_matches([',', ';']);
        let (statement, named) = match line.strip_prefix("KEY ") {
            Some(named) => (format!("ALTER TABLE {table} ADD {line}"), named),
            None => (line.to_owned(), line.strip_prefix("CREATE INDEX ")?),
        };
        let (name, _) = named.split_once(' ')?;
        Some((name.to_owned(), statement))
    };
    schema.lines().filter_map(index).collect()
}
