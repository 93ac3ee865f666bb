//! The table, made by [`SqlStore::migrate`] or by you from [`SqlStore::SCHEMA`]; nothing else makes one.
//!
//! A small table beside it says which versions of the schema were applied. An index that is missing although its
//! version was, because somebody has dropped it or the table is older than it, is made again.

use std::time::Duration;

use carafe_core::store::StoreError;

use crate::{
    deadline::within, dialect::Dialect, failure::Failure, lease::Lease, statements::sql,
    store::SqlStore, table,
};

/// Nobody waits for an index to be built within half a second.
const DEADLINE: Duration = Duration::from_secs(60);

/// The newest version of the schema.
pub(crate) const VERSION: u64 = 1;

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
        for (version, migration) in (1..=VERSION).zip([D::SCHEMA]) {
            let applied = sql::<D>(APPLIED, &self.table);
            if D::execute(&mut lease, &applied, &[version.into()]).await? == 0 {
                self.batch(&mut lease, migration).await?;
            }
        }
        for (_, statement) in self.missing_indices(&mut lease).await?.1 {
            self.batch(&mut lease, &statement).await?;
        }
        self.batch(&mut lease, D::UNLOCK).await?;
        lease.done();
        Ok(())
    }

    /// How many indices there should be, and those that are not there: names and the statements that make them.
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

/// The indices of a schema for `table`, each a line of it, and the statements that make them afterwards.
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
