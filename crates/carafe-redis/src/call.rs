//! What every verb is made of: a deadline, a script or a read, and one more attempt if a reply was lost.

use std::time::Duration;

use carafe_core::store::{StoreError, StoreKey};
use futures_util::FutureExt as _;

use crate::{
    RedisStore,
    error::{is_lost, typed},
    found::Found,
    reply::{self, Reply},
    script::{Call, Callable},
    timed::Timed,
};

impl RedisStore {
    /// `verb`, within `deadline`. Not `async`, which would hold it twice: what it is given, and what it awaits.
    pub(crate) fn within<T>(
        &self,
        deadline: Duration,
        verb: impl Future<Output = Result<T, StoreError>>,
    ) -> impl Future<Output = Result<T, StoreError>> {
        let seen = self.link.seen();
        Timed::new(deadline, verb).map(move |result| {
            result.unwrap_or_else(|deadline| {
                self.link.suspect(seen);
                Err(StoreError::Timeout(deadline))
            })
        })
    }

    /// Calls a script, and once more on a fresh connection if the reply was lost: `call` makes the call,
    /// and is told whether it is the second, which must do no harm if the first one took place.
    pub(crate) async fn call<C: Callable>(
        &self,
        call: impl Fn(bool) -> C,
    ) -> Result<Reply, StoreError> {
        let seen = self.link.seen();
        let read = |answer| self.in_step(seen, Reply::read(answer));
        let answer = match self.link.call(&call(false)).await {
            // Boxed, because it is rare, and every future would carry it along.
            Err(error) if is_lost(&error) => match Box::pin(self.link.call(&call(true))).await {
                Ok(answer) => match read(answer)? {
                    Reply::Unknown => return Err(typed(error)),
                    reply => return Ok(reply),
                },
                error => error,
            },
            answer => answer,
        };
        read(answer.map_err(typed)?)
    }

    /// What was read of a reply to a command that was sent when there had been so many connections. One that cannot be read may be another
    /// command's, and then so are all that follow it: the next command takes a new connection.
    fn in_step<T>(&self, seen: u64, read: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Corrupt(_)) = &read {
            self.link.suspect(seen);
        }
        read
    }

    /// The answer of a script that changes nothing, so that it may be called again.
    pub(crate) async fn ask(&self, call: &Call<'_>) -> Result<redis::Value, StoreError> {
        match self.link.call(call).await {
            Err(error) if is_lost(&error) => self.link.call(call).await.map_err(typed),
            answer => answer.map_err(typed),
        }
    }

    /// What is under a key.
    pub(crate) async fn find(&self, key: &StoreKey) -> Result<Found, StoreError> {
        let seen = self.link.seen();
        match self.value(key).await? {
            Some(value) => self.in_step(seen, Found::read(value, key)),
            None => Ok(Found::Nothing),
        }
    }

    /// What is under a key, as it is.
    pub(crate) async fn value(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        let seen = self.link.seen();
        let value = self.read_made(|| {
            let name = self.names.session(key);
            let mut command = redis::Cmd::with_capacity(2, 3 + name.len());
            command.arg("GET").arg(name);
            command
        });
        self.in_step(seen, reply::bytes(value.await?))
    }

    /// The answer to a command that changes nothing, so that it may be sent again.
    pub(crate) async fn read(&self, command: &redis::Cmd) -> Result<redis::Value, StoreError> {
        self.read_made(|| command.clone()).await
    }

    /// As [`RedisStore::read`], for the command that `make` makes.
    async fn read_made(&self, make: impl Fn() -> redis::Cmd) -> Result<redis::Value, StoreError> {
        match self.link.send(&make).await {
            Err(error) if is_lost(&error) => {
                let again = Box::pin(self.link.send(&make));
                again.await.map_err(typed)
            }
            answer => answer.map_err(typed),
        }
    }

    /// Waits a moment for a record that is on its way to its key: two to three round trips. The deadline
    /// of the verb ends it.
    pub(crate) async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) fn unexpected() -> StoreError {
    StoreError::corrupt("a script gave an answer that it does not have")
}
