//! Converts between rows and records.
//!
//! An unreadable column is `Corrupt`, with the column's name; no value is repaired, guessed or
//! defaulted.

use carafe_core::{
    clock::Timestamp,
    session::SessionData,
    store::{Record, SessionMeta, StoreError, StoreKey},
};
use rusqlite::{Row, types::FromSql};

use crate::error::{BadColumn, of_statement};

/// The columns that [`summary`] reads, from a table aliased `s`.
macro_rules! summary_columns {
    () => {
        "s.key, s.handle, s.user, s.device, s.created, s.renewed, s.last_seen, s.expires, \
         s.authenticated, s.version, s.renewal"
    };
}
/// The columns that [`read`] reads: [`summary_columns!`] and the data.
macro_rules! columns {
    () => {
        concat!($crate::rows::summary_columns!(), ", s.data")
    };
}
pub(crate) use {columns, summary_columns};

/// Reads a row of [`columns!`].
pub(crate) fn read(row: &Row<'_>) -> Result<(StoreKey, Record), StoreError> {
    Ok((key(row, 0, "key")?, record(row)?))
}

/// Reads a row of [`columns!`] without its key.
pub(crate) fn record(row: &Row<'_>) -> Result<Record, StoreError> {
    let summary = summary(row)?;
    let data: String = column(row, 11, "data")?;
    let data = SessionData::parse(data, Record::STYLE).map_err(|error| bad("data", error))?;
    Ok(Record::new(summary, data))
}

/// Reads a row of [`summary_columns!`] or [`columns!`] without its data.
pub(crate) fn summary(row: &Row<'_>) -> Result<SessionMeta, StoreError> {
    let public_id: String = column(row, 1, "handle")?;
    let version: i64 = column(row, 9, "version")?;
    let opaque: Option<String> = column(row, 10, "renewal")?;
    let public_id = public_id
        .parse()
        .map_err(|_| bad("handle", "not 16 characters of base64url"))?;
    let mut meta = SessionMeta::new(
        public_id,
        time(row, 4, "created")?,
        time(row, 7, "expires")?,
    );
    meta.user = column(row, 2, "user")?;
    meta.device = column(row, 3, "device")?;
    meta.renewed = time(row, 5, "renewed")?;
    meta.last_seen = time(row, 6, "last_seen")?;
    meta.authenticated = column::<Option<i64>>(row, 8, "authenticated")?.map(Timestamp::from_unix);
    meta.set_opaque(opaque.as_deref())
        .map_err(|error| bad("renewal", error))?;
    meta.version = u64::try_from(version).map_err(|error| bad("version", error))?;
    Ok(meta)
}

/// Returns the expiry of a row of [`summary_columns!`], even if other columns are damaged.
pub(crate) fn expires(row: &Row<'_>) -> Result<Timestamp, StoreError> {
    time(row, 7, "expires")
}

/// Reads a column that holds a key.
pub(crate) fn key(row: &Row<'_>, index: usize, name: &'static str) -> Result<StoreKey, StoreError> {
    Ok(StoreKey::from_bytes(column(row, index, name)?))
}

/// The fields of a record that are encoded for a row.
pub(crate) struct Encoded {
    pub(crate) public_id: String,
    pub(crate) version: i64,
    pub(crate) opaque: Option<String>,
    pub(crate) data: String,
}

impl Encoded {
    pub(crate) fn of(record: &Record) -> Result<Self, StoreError> {
        Ok(Self {
            public_id: record.meta.public_id.to_string(),
            version: i64::try_from(record.meta.version).map_err(|error| bad("version", error))?,
            opaque: record.meta.opaque(),
            data: record.data.payload(Record::STYLE),
        })
    }
}

/// Reads a column that holds a key or NULL.
pub(crate) fn key_or_null(
    row: &Row<'_>,
    index: usize,
    name: &'static str,
) -> Result<Option<StoreKey>, StoreError> {
    let key: Option<[u8; 32]> = column(row, index, name)?;
    Ok(key.map(StoreKey::from_bytes))
}

fn time(row: &Row<'_>, index: usize, name: &'static str) -> Result<Timestamp, StoreError> {
    column(row, index, name).map(Timestamp::from_unix)
}

fn column<T: FromSql>(row: &Row<'_>, index: usize, name: &'static str) -> Result<T, StoreError> {
    row.get(index).map_err(|error| match error {
        // A failure of the file, such as an unreadable page, does not mean that the row is damaged.
        rusqlite::Error::SqliteFailure(..) => of_statement(error),
        other => bad(name, other),
    })
}

fn bad(
    name: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::corrupt(BadColumn {
        name,
        source: source.into(),
    })
}
