//! Converts between records and columns.
//!
//! Text is decoded when a row is converted, so that invalid text makes one row unreadable instead
//! of failing the whole list.

use carafe_core::{
    clock::Timestamp,
    session::SessionData,
    store::{PublicId, Record, SessionMeta, StoreError, StoreKey},
};

/// The columns of a row.
pub struct Columns {
    pub(crate) key: Vec<u8>,
    pub(crate) target: Option<Vec<u8>>,
    /// Empty if only the metadata was selected.
    pub(crate) data: Vec<u8>,
    pub(crate) user: Option<Vec<u8>>,
    pub(crate) public_id: Vec<u8>,
    pub(crate) device: Option<Vec<u8>>,
    pub(crate) created: i64,
    pub(crate) renewed: i64,
    pub(crate) last_seen: i64,
    pub(crate) expires: i64,
    pub(crate) authenticated: Option<i64>,
    pub(crate) opaque: Option<Vec<u8>>,
    pub(crate) version: i64,
}

/// The result of a query that counts keys.
pub struct Keys {
    pub(crate) count: i64,
    pub(crate) last: Option<Vec<u8>>,
}

/// The state of a key.
pub(crate) enum Found {
    Record(Box<Record>),
    /// The record that a pointer leads to.
    Moved(Box<Record>),
    /// A pointer to follow with another query.
    Pointer(Box<StoreKey>),
    Marker,
}

impl Columns {
    /// Converts the row of `key`.
    pub(crate) fn found(self, key: &StoreKey) -> Result<Found, StoreError> {
        // Defense in depth: a mix-up of connections must never expose another session.
        if self.key != key.as_bytes() {
            return Err(StoreError::corrupt("the row of another key"));
        }
        match self.target()? {
            None => Ok(Found::Record(Box::new(self.record()?))),
            Some(target) if target == *key => Ok(Found::Marker),
            // Only a record has data.
            Some(target) if self.data.is_empty() => Ok(Found::Pointer(Box::new(target))),
            Some(_) => Ok(Found::Moved(Box::new(self.record()?))),
        }
    }

    /// Returns this row, or an error if it is not a session of `user`.
    pub(crate) fn of(self, user: &str) -> Result<Self, StoreError> {
        if self.user.as_deref() != Some(user.as_bytes()) {
            return Err(StoreError::unavailable("the row of another user"));
        }
        Ok(self)
    }

    /// Returns the key of this row.
    pub(crate) fn key(&self) -> Result<StoreKey, StoreError> {
        Ok(StoreKey::from_bytes(exact(&self.key)?))
    }

    /// Returns the target of this row if it is a former key. Reads no other column.
    pub(crate) fn target(&self) -> Result<Option<StoreKey>, StoreError> {
        let target = self.target.as_deref().map(exact).transpose()?;
        Ok(target.map(StoreKey::from_bytes))
    }

    /// Converts a row with data to a record.
    pub(crate) fn record(mut self) -> Result<Record, StoreError> {
        let data = text(std::mem::take(&mut self.data))?;
        let data = SessionData::parse(data, Record::STYLE).map_err(StoreError::corrupt)?;
        Ok(Record::new(self.summary()?, data))
    }

    /// Converts a row to a record's metadata.
    pub(crate) fn summary(self) -> Result<SessionMeta, StoreError> {
        let opaque = self.opaque.map(text).transpose()?;
        let mut meta = SessionMeta::new(
            PublicId::from_bytes(exact(&self.public_id)?),
            Timestamp::from_unix(self.created),
            Timestamp::from_unix(self.expires),
        );
        meta.user = self.user.map(text).transpose()?;
        meta.device = self.device.map(text).transpose()?;
        meta.renewed = Timestamp::from_unix(self.renewed);
        meta.last_seen = Timestamp::from_unix(self.last_seen);
        meta.authenticated = self.authenticated.map(Timestamp::from_unix);
        meta.set_opaque(opaque.as_deref())?;
        meta.version = u64::try_from(self.version).map_err(StoreError::corrupt)?;
        Ok(meta)
    }
}

/// Encodes a record's data as JSON.
pub(crate) fn json_of(record: &Record) -> String {
    record.data.payload(Record::STYLE)
}

fn text(bytes: Vec<u8>) -> Result<String, StoreError> {
    // Drops the bytes, which the error would print.
    String::from_utf8(bytes).map_err(|error| StoreError::corrupt(error.utf8_error()))
}

fn exact<const N: usize>(bytes: &[u8]) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(StoreError::corrupt)
}
