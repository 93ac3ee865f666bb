//! The statements that create and upgrade the tables, and the version of the tables.

/// The statements that create the tables of [`SCHEMA_VERSION`], for use in migrations.
///
/// Run them on an empty file that only the sessions use: they set `PRAGMA user_version`, of which
/// each file has one.
pub const SCHEMA: &str = include_str!("schema.sql");

/// The version of the tables that this crate reads and writes.
pub const SCHEMA_VERSION: i64 = 2;

/// Upgrades the tables from version 1 to version 2.
pub(crate) const UPGRADE: &str = include_str!("upgrade.sql");

/// Returns the indices of [`SCHEMA`]; each is one line.
pub(crate) fn indices() -> impl Iterator<Item = (&'static str, &'static str)> {
    SCHEMA.lines().filter_map(|statement| {
        let index = statement.strip_prefix("CREATE INDEX ")?;
        Some((index.split_once(' ')?.0, statement))
    })
}
