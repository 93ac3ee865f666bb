//! A look at the facts of many records: no dictionary is moved, and one that cannot be read hides nothing.

use carafe_core::store::{StoreError, StoreKey, Summary};
use futures_util::future::try_join_all;

use crate::{RedisStore, found::Found, reply};

/// How many looks are under way at once: they share a connection, and each has its reply in memory.
const AT_ONCE: usize = 500;
/// How many bytes of a value a look takes: more than facts with a usual user and device are.
const BEGINNING: usize = 512;

impl RedisStore {
    /// What is under each of these keys and under no other, waiting for what is on its way there.
    pub(crate) async fn glances<'a>(
        &self,
        keys: impl Iterator<Item = &'a StoreKey>,
    ) -> Result<Vec<Option<Summary>>, StoreError> {
        let (keys, mut found): (Vec<_>, _) = (keys.collect(), Vec::new());
        for some in keys.chunks(AT_ONCE) {
            found.extend(try_join_all(some.iter().map(|key| self.glance(key))).await?);
        }
        Ok(found)
    }

    async fn glance(&self, key: &StoreKey) -> Result<Option<Summary>, StoreError> {
        loop {
            match self.beginning(key).await? {
                Found::Record(session) => return Ok(Some(session)),
                Found::Alias(..) | Found::Nothing => return Ok(None),
                Found::Pending(..) => self.pause().await,
            }
        }
    }

    async fn beginning(&self, key: &StoreKey) -> Result<Found<Summary>, StoreError> {
        let mut command = redis::cmd("GETRANGE");
        command
            .arg(self.names.session(key))
            .arg(0)
            .arg(BEGINNING - 1);
        let start = reply::bytes(self.read(&command).await?)?.unwrap_or_default();
        if start.is_empty() {
            return Ok(Found::Nothing);
        }
        let found = Found::glance(&start, key);
        if found.is_ok() || start.len() < BEGINNING {
            return found;
        }
        // Its facts are longer than most.
        match self.value(key).await? {
            Some(value) => Found::glance(&value, key),
            None => Ok(Found::Nothing),
        }
    }
}
