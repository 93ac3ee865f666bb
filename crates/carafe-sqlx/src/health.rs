//! The health report of a table and its server.

use carafe_core::store::{Health, StoreError};

use crate::{
    connect, dialect::Dialect, failure::Failure, lease::Lease, migrate, statements::sql,
    store::SqlStore,
};

/// One row; the version is cast to text for a query of pairs.
const VERSION: &str =
    "SELECT COALESCE(CONCAT(MAX(version), ''), ''), '' FROM carafe_sessions_schema";

impl<D: Dialect> SqlStore<D> {
    /// Reports the state of the server, its durability, and the table with its version and indices.
    ///
    /// Reads no session.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Timeout`] if the server does not reply.
    pub async fn health(&self) -> Result<Health, StoreError> {
        self.read(|lease| self.health_with(lease)).await
    }

    async fn health_with(&self, mut lease: Lease<D>) -> Result<Health, Failure> {
        let mut health = Health::default();
        self.server(&mut lease, &mut health).await?;
        connect::describe(&self.pool, &mut lease, self.authentication, &mut health).await?;
        if self.is_there(&mut lease, &self.table, &mut health).await? {
            self.indices(&mut lease, &mut health).await?;
        }
        let versions = format!("{}_schema", self.table);
        if self.is_there(&mut lease, &versions, &mut health).await? {
            self.version(&mut lease, &mut health).await?;
        }
        lease.done();
        Ok(health)
    }

    async fn server(&self, lease: &mut Lease<D>, health: &mut Health) -> Result<(), Failure> {
        let asked = D::pairs(lease, &self.sql(D::ASK_SETTINGS), &[]).await?;
        for setting in D::SETTINGS {
            let Some((_, value)) = asked.iter().find(|(name, _)| name == setting) else {
                continue;
            };
            if setting.ends_with("version") {
                health.fact("server", format_args!("{} {value}", D::NAME));
            } else {
                health.fact(setting, value);
            }
            health
                .problems
                .extend(D::objection(setting, value).map(str::to_owned));
        }
        Ok(())
    }

    async fn is_there(
        &self,
        lease: &mut Lease<D>,
        table: &str,
        health: &mut Health,
    ) -> Result<bool, Failure> {
        let found = D::pairs(lease, &self.sql(D::KIND), &[table.into()]).await?;
        let Some((_, kind)) = found.first() else {
            health.problem(format!(
                "there is no table `{table}`: call `SqlStore::migrate`"
            ));
            return Ok(false);
        };
        health.fact("table", format_args!("{table}, {kind}"));
        health
            .problems
            .extend(D::objection("kind", kind).map(str::to_owned));
        Ok(true)
    }

    async fn indices(&self, lease: &mut Lease<D>, health: &mut Health) -> Result<(), Failure> {
        let (all, missing) = self.missing_indices(lease).await?;
        health.fact("indices", format_args!("{} of {all}", all - missing.len()));
        for (name, _) in missing {
            health.problem(format!(
                "the index `{name}` is missing: call `SqlStore::migrate`, which adds it"
            ));
        }
        Ok(())
    }

    async fn version(&self, lease: &mut Lease<D>, health: &mut Health) -> Result<(), Failure> {
        let rows = D::pairs(lease, &self.sql(VERSION), &[]).await?;
        let version = rows.first().map_or("", |(version, _)| version);
        let expected = migrate::VERSION.to_string();
        health.fact(
            "schema",
            format_args!("version {version}, expected {expected}"),
        );
        if version != expected {
            health.problem(format!(
                "the schema is of version `{version}` and this program's is {expected}: \
                 call `SqlStore::migrate` of the newer one"
            ));
        }
        Ok(())
    }

    fn sql(&self, text: &str) -> sqlx::SqlStr {
        sql::<D>(text, &self.table)
    }
}
