//! Shared by all verbs: the deadline, calls of scripts, reads, and one retry after a lost reply.

use std::{collections::HashMap, time::Duration};

use carafe_core::store::{StoreError, StoreKey};
use futures_util::{FutureExt as _, future};
use tokio::time::timeout;

use crate::{
    RedisStore,
    error::{is_lost, store_error},
    reply::{self, Reply},
    script::{Call, Callable},
    value::StoredValue,
};

impl RedisStore {
    /// Runs `verb` within `deadline`. Not an `async fn`: its future would hold `verb` twice.
    pub(crate) fn with_deadline<T>(
        &self,
        deadline: Duration,
        verb: impl Future<Output = Result<T, StoreError>>,
    ) -> impl Future<Output = Result<T, StoreError>> {
        let seen = self.connection.generation();
        // Lazy, because a timer needs a runtime and a future may be created outside of one.
        let timed = future::lazy(move |_| timeout(deadline, verb)).flatten();
        timed.map(move |result| {
            result.unwrap_or_else(|_| {
                self.connection.suspect(seen);
                Err(StoreError::Timeout(deadline))
            })
        })
    }

    /// Calls a script, and once more on a new connection if the reply was lost. `call` builds the
    /// call; its argument says whether this is the retry, which must be harmless if the first
    /// attempt was executed.
    pub(crate) async fn call<C: Callable>(
        &self,
        call: impl Fn(bool) -> C,
    ) -> Result<Reply, StoreError> {
        let seen = self.connection.generation();
        let read = |answer| self.checked(seen, Reply::read(answer));
        match self.connection.call(&call(false)).await {
            // Boxed: rare, and otherwise part of every future.
            Err(error) if is_lost(&error) || is_too_large(&error) => {
                read(Box::pin(self.retry(&call, error)).await?)
            }
            answer => read(answer.map_err(store_error)?),
        }
    }

    /// Repeats a call after its reply was lost.
    async fn retry<C: Callable>(
        &self,
        call: &impl Fn(bool) -> C,
        lost: redis::RedisError,
    ) -> Result<redis::Value, StoreError> {
        let call = call(true);
        if call.size().1 > LEAST_BOUND
            && let Some(refused) = self.too_large(&call).await
        {
            return Err(refused);
        }
        let answer = self.connection.call(&call).await.map_err(store_error)?;
        match Reply::is_unknown(&answer) {
            true => Err(store_error(lost)),
            false => Ok(answer),
        }
    }

    /// Returns the error of a call with an argument larger than the server accepts. The server then
    /// closes the connection, and its error reply may be lost.
    async fn too_large(&self, call: &impl Callable) -> Option<StoreError> {
        let call = call.by_hash();
        let sizes = call.args_iter().map(|argument| match argument {
            redis::Arg::Simple(bytes) => bytes.len(),
            _ => 0,
        });
        let size = sizes.max().unwrap_or_default();
        let mut command = redis::cmd("CONFIG");
        command.arg("GET").arg(BOUND);
        let bounds = redis::from_redis_value(self.read(&command).await.ok()?).ok();
        let bounds: HashMap<String, usize> = bounds?;
        let limit = bounds.get(BOUND).copied()?;
        (size > limit).then_some(StoreError::TooLarge { size, limit })
    }

    /// Passes `read` on, which was read from a reply on a connection of generation `seen` or later.
    /// A reply that cannot be read may belong to another command, and so may all later ones: the
    /// next command opens a new connection.
    fn checked<T>(&self, seen: u64, read: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Corrupt(_)) = &read {
            self.connection.suspect(seen);
        }
        read
    }

    /// Calls a read-only script, and once more if the reply was lost.
    pub(crate) async fn query(&self, call: &Call<'_>) -> Result<redis::Value, StoreError> {
        match self.connection.call(call).await {
            Err(error) if is_lost(&error) => self.connection.call(call).await.map_err(store_error),
            answer => answer.map_err(store_error),
        }
    }

    /// Returns the value of a key, never [`StoredValue::Pending`].
    pub(crate) async fn stored(&self, key: &StoreKey) -> Result<StoredValue, StoreError> {
        let seen = self.connection.generation();
        let found = match self.value(key).await? {
            Some(value) => self.checked(seen, StoredValue::parse(value, key))?,
            None => StoredValue::Missing,
        };
        if !matches!(found, StoredValue::Pending(..)) {
            return Ok(found);
        }
        // Boxed: rare, and otherwise part of every future.
        match Box::pin(self.finish_move(key)).await? {
            Some(value) => StoredValue::parse(value, key),
            None => Ok(StoredValue::Missing),
        }
    }

    /// Returns the raw value of a key.
    pub(crate) async fn value(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        let seen = self.connection.generation();
        let value = self.read_with(|| {
            let name = self.names.session(key);
            let mut command = redis::Cmd::with_capacity(2, 3 + name.len());
            command.arg("GET").arg(name);
            command
        });
        self.checked(seen, reply::bytes(value.await?))
    }

    /// Sends a read-only command, and once more if the reply was lost.
    pub(crate) async fn read(&self, command: &redis::Cmd) -> Result<redis::Value, StoreError> {
        self.read_with(|| command.clone()).await
    }

    /// Like [`RedisStore::read`], with a function that builds the command.
    async fn read_with(&self, make: impl Fn() -> redis::Cmd) -> Result<redis::Value, StoreError> {
        match self.connection.send(&make).await {
            Err(error) if is_lost(&error) => {
                let again = Box::pin(self.connection.send(&make));
                again.await.map_err(store_error)
            }
            answer => answer.map_err(store_error),
        }
    }
}

/// The server's limit for the length of one argument.
const BOUND: &str = "proto-max-bulk-len";
/// The lowest value the server accepts for that limit.
const LEAST_BOUND: usize = 1 << 20;

/// Returns whether the server rejected a command because of the size of an argument.
fn is_too_large(error: &redis::RedisError) -> bool {
    let text = error.detail();
    text.is_some_and(|text| text.contains("invalid bulk length"))
}

pub(crate) fn unexpected_reply() -> StoreError {
    StoreError::corrupt("a script returned an unknown reply")
}
