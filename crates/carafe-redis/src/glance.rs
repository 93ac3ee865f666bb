//! A look at the facts of many records: no dictionary is moved, and one that cannot be read hides nothing.

use carafe_core::store::{StoreError, StoreKey, Summary};
use futures_util::future::try_join_all;

use crate::{
    RedisStore,
    found::{FACTS, Found},
    reply,
};

/// How many looks are under way at once: they share a connection, and each has its reply in memory.
const AT_ONCE: usize = 500;

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
        let mut command = redis::cmd("HMGET");
        command.arg(self.names.session(key)).arg(&FACTS);
        loop {
            let fields = reply::named(&FACTS, self.read(&command).await?)?;
            match Found::glance(fields, key)? {
                Found::Record(session) => return Ok(Some(*session)),
                Found::Alias(..) | Found::Nothing => return Ok(None),
                Found::Pending => self.pause().await,
            }
        }
    }
}
