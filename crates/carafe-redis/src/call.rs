//! What every verb is made of: a deadline, a script or a read, and one more attempt if a reply was lost.

use std::time::{Duration, Instant};

use carafe_core::store::{StoreError, StoreKey};

use crate::{
    RedisStore,
    error::{is_lost, typed},
    found::Found,
    reply::{self, Reply},
    script::Call,
};

impl RedisStore {
    /// `verb`, within `deadline`.
    pub(crate) async fn within<T>(
        &self,
        deadline: Duration,
        verb: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let Ok(result) = tokio::time::timeout(deadline, verb).await else {
            self.link.suspect(began);
            return Err(StoreError::Timeout(deadline));
        };
        result
    }

    /// Calls a script, and once more on a fresh connection if the reply was lost: `call` makes the call,
    /// and is told whether it is the second, which must do no harm if the first one took place.
    pub(crate) async fn call<'c>(
        &self,
        call: impl Fn(bool) -> Call<'c>,
    ) -> Result<Reply, StoreError> {
        let began = Instant::now();
        let read = |answer| self.in_step(began, Reply::read(answer));
        let answer = match self.link.call(&call(false)).await {
            Err(error) if is_lost(&error) => match self.link.call(&call(true)).await {
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

    /// What was read of a reply to a command that was sent after `began`. One that cannot be read may be another
    /// command's, and then so are all that follow it: the next command takes a new connection.
    fn in_step<T>(&self, began: Instant, read: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Corrupt(_)) = &read {
            self.link.suspect(began);
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
        let began = Instant::now();
        match self.value(key).await? {
            Some(value) => self.in_step(began, Found::read(value, key)),
            None => Ok(Found::Nothing),
        }
    }

    /// What is under a key, as it is.
    pub(crate) async fn value(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        let mut command = redis::cmd("GET");
        command.arg(self.names.session(key));
        let began = Instant::now();
        self.in_step(began, reply::bytes(self.read(&command).await?))
    }

    /// The answer to a command that changes nothing, so that it may be sent again.
    pub(crate) async fn read(&self, command: &redis::Cmd) -> Result<redis::Value, StoreError> {
        match self.link.send(command).await {
            Err(error) if is_lost(&error) => self.link.send(command).await.map_err(typed),
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
