//! What every verb is made of: a deadline, a script or a read, and one more attempt if a reply was lost.

use std::time::{Duration, Instant};

use carafe_core::{
    session::Patch,
    store::{Record, StoreError, StoreKey},
};

use crate::{
    RedisStore,
    error::{is_lost, typed},
    found::Found,
    layout::Fields,
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
    pub(crate) async fn call(&self, call: impl Fn(bool) -> Call) -> Result<Reply, StoreError> {
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
    pub(crate) async fn ask(&self, call: &Call) -> Result<redis::Value, StoreError> {
        match self.link.call(call).await {
            Err(error) if is_lost(&error) => self.link.call(call).await.map_err(typed),
            answer => answer.map_err(typed),
        }
    }

    /// What is under a key.
    pub(crate) async fn find(&self, key: &StoreKey) -> Result<Found, StoreError> {
        let mut command = redis::cmd("HGETALL");
        command.arg(self.names.session(key));
        let began = Instant::now();
        let reply = self.read(&command).await?;
        let found = reply::fields(reply).and_then(|fields| Found::read(fields, key));
        self.in_step(began, found)
    }

    /// The answer to a command that changes nothing, so that it may be sent again.
    pub(crate) async fn read(&self, command: &redis::Cmd) -> Result<redis::Value, StoreError> {
        match self.link.send(command).await {
            Err(error) if is_lost(&error) => self.link.send(command).await.map_err(typed),
            answer => answer.map_err(typed),
        }
    }

    pub(crate) fn record(fields: Fields, key: &StoreKey) -> Result<Record, StoreError> {
        match Found::read(fields, key)? {
            Found::Record(record) => Ok(*record),
            _ => Err(StoreError::corrupt("the reply holds no record")),
        }
    }

    /// Waits a moment for a record that is on its way to its key: two to three round trips. The deadline
    /// of the verb ends it.
    pub(crate) async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// `patch` on what somebody else has written meanwhile, and the version of that.
pub(crate) fn rebased(
    patch: &Patch,
    fields: Fields,
    key: &StoreKey,
) -> Result<(Patch, u64), StoreError> {
    let newest = RedisStore::record(fields, key)?;
    let rebased = patch.rebased(&newest.data);
    let patch = rebased.map_err(|_| StoreError::Conflict)?;
    Ok((patch, newest.version))
}

pub(crate) fn unexpected() -> StoreError {
    StoreError::corrupt("a script gave an answer that it does not have")
}
