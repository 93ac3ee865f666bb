//! A record as the columns of a row, and back. Text stays bytes until the row is read: one row with bad text is
//! one bad row, not the end of a list.

use carafe_core::{
    clock::Timestamp,
    session::SessionData,
    store::{Handle, Record, StoreError, StoreKey, Summary},
};

use crate::dialect::Value;

/// A row as the database gives it.
pub struct Columns {
    pub(crate) key: Vec<u8>,
    pub(crate) target: Option<Vec<u8>>,
    /// Empty where only a summary was asked for.
    pub(crate) data: Vec<u8>,
    pub(crate) user: Option<Vec<u8>>,
    pub(crate) handle: Vec<u8>,
    pub(crate) device: Option<Vec<u8>>,
    pub(crate) created: i64,
    pub(crate) renewed: i64,
    pub(crate) last_seen: i64,
    pub(crate) expires: i64,
    pub(crate) authenticated: Option<i64>,
    pub(crate) version: i64,
}

/// What a query that counts keys gives.
pub struct Keys {
    pub(crate) count: i64,
    pub(crate) last: Option<Vec<u8>>,
}

/// What a key leads to.
pub(crate) enum Found {
    Record(Record),
    Alias(StoreKey),
}

impl Columns {
    /// What the row of `key` holds.
    pub(crate) fn found(self, key: &StoreKey) -> Result<Found, StoreError> {
        // Belt and braces: whatever a connection has mixed up must never be somebody's session.
        if self.key != key.as_bytes() {
            return Err(StoreError::corrupt("the row of another key"));
        }
        match self.target()? {
            Some(target) => Ok(Found::Alias(target)),
            None => self.record().map(Found::Record),
        }
    }

    /// This row, if it may be in a list of the sessions of `user`.
    pub(crate) fn of(self, user: &str) -> Result<Self, StoreError> {
        if self.user.as_deref() != Some(user.as_bytes()) {
            return Err(StoreError::unavailable("the row of another user"));
        }
        Ok(self)
    }

    /// The key that this row stands under.
    pub(crate) fn key(&self) -> Result<StoreKey, StoreError> {
        Ok(StoreKey::from_bytes(exact(&self.key)?))
    }

    /// The key that this row leads to, if it is an alias. Reads nothing else of it.
    pub(crate) fn target(&self) -> Result<Option<StoreKey>, StoreError> {
        let target = self.target.as_deref().map(exact).transpose()?;
        Ok(target.map(StoreKey::from_bytes))
    }

    /// The record, from a row with its dictionary.
    pub(crate) fn record(mut self) -> Result<Record, StoreError> {
        let data = text(std::mem::take(&mut self.data))?;
        let data = SessionData::parse(data, Record::STYLE).map_err(StoreError::corrupt)?;
        Ok(self.summary()?.with_data(data))
    }

    /// The record without its dictionary.
    pub(crate) fn summary(self) -> Result<Summary, StoreError> {
        Ok(Summary {
            user: self.user.map(text).transpose()?,
            handle: Handle::from_bytes(exact(&self.handle)?),
            device: self.device.map(text).transpose()?,
            created: Timestamp::from_unix(self.created),
            renewed: Timestamp::from_unix(self.renewed),
            last_seen: Timestamp::from_unix(self.last_seen),
            expires: Timestamp::from_unix(self.expires),
            authenticated: self.authenticated.map(Timestamp::from_unix),
            version: u64::try_from(self.version).map_err(StoreError::corrupt)?,
        })
    }
}

/// The JSON text of a record.
pub(crate) fn json_of(record: &Record) -> String {
    record.data.payload(Record::STYLE)
}

fn text(bytes: Vec<u8>) -> Result<String, StoreError> {
    // Without the bytes, which the error would show.
    String::from_utf8(bytes).map_err(|error| StoreError::corrupt(error.utf8_error()))
}

fn exact<const N: usize>(bytes: &[u8]) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(StoreError::corrupt)
}

impl<'v> From<&'v StoreKey> for Value<'v> {
    fn from(key: &'v StoreKey) -> Self {
        Self::Bytes(Some(key.as_bytes()))
    }
}

impl<'v> From<&'v Handle> for Value<'v> {
    fn from(handle: &'v Handle) -> Self {
        Self::Bytes(Some(handle.as_bytes()))
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'v> From<&'v Option<String>> for Value<'v> {
    fn from(text: &'v Option<String>) -> Self {
        Self::Text(text.as_deref())
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Number(Some(time.unix()))
    }
}

impl From<Option<Timestamp>> for Value<'_> {
    fn from(time: Option<Timestamp>) -> Self {
        Self::Number(time.map(Timestamp::unix))
    }
}

impl From<u64> for Value<'_> {
    /// What is too large for the database's numbers is as large as they get.
    fn from(number: u64) -> Self {
        Self::Number(Some(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}
