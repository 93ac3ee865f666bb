//! Reads the metadata of many records. The dictionaries are not transferred, and an unreadable one
//! hides no session.

use carafe_core::store::{SessionMeta, StoreError, StoreKey};
use futures_util::future::try_join_all;

use crate::{RedisStore, reply, value::StoredValue};

/// Number of concurrent reads: they share a connection, and each has its reply in memory.
const MAX_CONCURRENT: usize = 500;
/// Bytes to read of a value: more than the metadata with a usual user and device takes.
const START_BYTES: usize = 512;

impl RedisStore {
    /// Returns the metadata of the records of these keys.
    pub(crate) async fn metas<'a>(
        &self,
        keys: impl Iterator<Item = &'a StoreKey>,
    ) -> Result<Vec<Option<SessionMeta>>, StoreError> {
        let (keys, mut found): (Vec<_>, _) = (keys.collect(), Vec::new());
        for some in keys.chunks(MAX_CONCURRENT) {
            found.extend(try_join_all(some.iter().map(|key| self.meta(key))).await?);
        }
        Ok(found)
    }

    async fn meta(&self, key: &StoreKey) -> Result<Option<SessionMeta>, StoreError> {
        match self.parse_start(key).await? {
            StoredValue::Record(session) => Ok(Some(session)),
            StoredValue::Pending(..) => match Box::pin(self.stored(key)).await? {
                StoredValue::Record(record) => Ok(Some(record.meta)),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    async fn parse_start(&self, key: &StoreKey) -> Result<StoredValue<SessionMeta>, StoreError> {
        let mut command = redis::cmd("GETRANGE");
        command
            .arg(self.names.session(key))
            .arg(0)
            .arg(START_BYTES - 1);
        let start = reply::bytes(self.read(&command).await?)?.unwrap_or_default();
        if start.is_empty() {
            return Ok(StoredValue::Missing);
        }
        let found = StoredValue::parse_meta(&start, key);
        if found.is_ok() || start.len() < START_BYTES {
            return found;
        }
        // The metadata is longer than usual.
        match self.value(key).await? {
            Some(value) => StoredValue::parse_meta(&value, key),
            None => Ok(StoredValue::Missing),
        }
    }
}
