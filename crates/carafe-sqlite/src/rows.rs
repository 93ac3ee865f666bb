//! A row as a record and a record as a row. What cannot be read is `Corrupt`, with the column's name;
//! nothing is repaired, guessed or defaulted.

use carafe_core::{
    clock::Timestamp,
    session::SessionData,
    store::{Handle, Record, StoreError, StoreKey, Summary},
};
use rusqlite::{Row, types::FromSql};

use crate::error::{BadColumn, of_statement};

/// The columns that [`summary`] expects, of a table named `s`.
macro_rules! summary_columns {
    () => {
        "s.key, s.handle, s.user, s.device, s.created, s.renewed, s.last_seen, s.expires, \
         s.authenticated, s.version"
    };
}
/// The columns that [`read`] expects: those and the dictionary.
macro_rules! columns {
    () => {
        concat!($crate::rows::summary_columns!(), ", s.data")
    };
}
pub(crate) use {columns, summary_columns};

/// A row of [`columns!`].
pub(crate) fn read(row: &Row<'_>) -> Result<(StoreKey, Record), StoreError> {
    Ok((key(row, 0, "key")?, record(row)?))
}

/// A row of [`columns!`] without its key.
pub(crate) fn record(row: &Row<'_>) -> Result<Record, StoreError> {
    let summary = summary(row)?;
    let data: String = column(row, 10, "data")?;
    let data = SessionData::parse(data, Record::STYLE).map_err(|error| bad("data", error))?;
    Ok(summary.with_data(data))
}

/// A row of [`summary_columns!`], or the beginning of one of [`columns!`].
pub(crate) fn summary(row: &Row<'_>) -> Result<Summary, StoreError> {
    let handle: String = column(row, 1, "handle")?;
    let version: i64 = column(row, 9, "version")?;
    Ok(Summary {
        handle: Handle::parse(&handle)
            .ok_or_else(|| bad("handle", "not 16 characters of base64url"))?,
        user: column(row, 2, "user")?,
        device: column(row, 3, "device")?,
        created: time(row, 4, "created")?,
        renewed: time(row, 5, "renewed")?,
        last_seen: time(row, 6, "last_seen")?,
        expires: time(row, 7, "expires")?,
        authenticated: column::<Option<i64>>(row, 8, "authenticated")?.map(Timestamp::from_unix),
        version: u64::try_from(version).map_err(|error| bad("version", error))?,
    })
}

/// A column that names a session.
pub(crate) fn key(row: &Row<'_>, index: usize, name: &'static str) -> Result<StoreKey, StoreError> {
    Ok(StoreKey::from_bytes(column(row, index, name)?))
}

/// What of a record has another form in a row.
pub(crate) struct Encoded {
    pub(crate) handle: String,
    pub(crate) version: i64,
    pub(crate) data: String,
}

impl Encoded {
    pub(crate) fn of(record: &Record) -> Result<Self, StoreError> {
        Ok(Self {
            handle: record.handle.to_string(),
            version: i64::try_from(record.version).map_err(|error| bad("version", error))?,
            data: record.data.payload(Record::STYLE),
        })
    }
}

fn time(row: &Row<'_>, index: usize, name: &'static str) -> Result<Timestamp, StoreError> {
    column(row, index, name).map(Timestamp::from_unix)
}

fn column<T: FromSql>(row: &Row<'_>, index: usize, name: &'static str) -> Result<T, StoreError> {
    row.get(index).map_err(|error| match error {
        // Trouble of the file, such as a page that cannot be read, is not this row's fault.
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
