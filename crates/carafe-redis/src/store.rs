//! [`RedisStore`] and its verbs but for `rotate`, which has a file of its own.

use std::time::{Duration, Instant};

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{
        BoxFuture, Created, Patched, Record, SessionStore, StoreError, StoreKey, UserSessions,
    },
};

use crate::{
    Deadlines, RedisOptions,
    changes::{Attempt, arguments},
    error::{is_lost, typed},
    layout::{self, Fields, Found, Names, second},
    link::Link,
    reply::{self, Reply},
    script::{self, Call},
    turns::Turns,
};

/// Sessions in Redis or Valkey.
///
/// ```no_run
/// # async fn example() -> Result<(), carafe_core::store::StoreError> {
/// let store = carafe_redis::RedisStore::connect("redis://127.0.0.1").await?;
/// # Ok(()) }
/// ```
pub struct RedisStore {
    pub(crate) link: Link,
    pub(crate) names: Names,
    pub(crate) deadlines: Deadlines,
    turns: Turns,
}

impl RedisStore {
    /// Connects to one server, with the default [`RedisOptions`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the URL is wrong or the server does not answer.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        RedisOptions::new().connect(url).await
    }

    /// A store on a client of your own, with the default [`RedisOptions`].
    #[must_use]
    pub fn from_client(client: redis::Client) -> Self {
        RedisOptions::new().client(client)
    }

    pub(crate) fn new(link: Link, names: Names, deadlines: Deadlines) -> Self {
        Self {
            link,
            names,
            deadlines,
            turns: Turns::default(),
        }
    }

    pub(crate) async fn ready(self) -> Result<Self, StoreError> {
        self.link.connect().await.map_err(typed)?;
        Ok(self)
    }
}

// What every verb is made of.
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
        let answer = match self.link.call(&call(false)).await {
            Err(error) if is_lost(&error) => match self.link.call(&call(true)).await {
                Ok(answer) => match Reply::read(answer)? {
                    Reply::Unknown => return Err(typed(error)),
                    reply => return Ok(reply),
                },
                error => error,
            },
            answer => answer,
        };
        Reply::read(answer.map_err(typed)?)
    }

    /// What is under a key.
    pub(crate) async fn find(&self, key: &StoreKey) -> Result<Found, StoreError> {
        let mut command = redis::cmd("HGETALL");
        command.arg(self.names.session(key));
        Found::read(reply::fields(self.read(&command).await?)?, key)
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

// The verbs, without their deadlines.
impl RedisStore {
    async fn create_it(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        let listed = match &record.user {
            Some(user) => self.list(user, record.handle, key, record.expires, now),
            None => return self.file(key, record, Timestamp::from_unix(0)).await,
        };
        self.file(key, record, listed.await?).await
    }

    async fn file(
        &self,
        key: &StoreKey,
        record: &Record,
        listed: Timestamp,
    ) -> Result<Created, StoreError> {
        let filed = self.call(|_| {
            let fields = layout::fields_of(key, record, listed);
            let mut args = vec![second(record.expires)];
            args.extend(fields.into_iter().flat_map(|(name, text)| [name, text]));
            Call::new(&script::CREATE, [self.names.session(key)], args)
        });
        match filed.await? {
            Reply::Ok(_) => Ok(Created::Created),
            // Handles are random: this one is there because an attempt whose reply was lost filed it.
            Reply::Taken(Some(handle)) if handle == record.handle => Ok(Created::Created),
            Reply::Taken(_) => Ok(Created::Taken),
            _ => Err(unexpected()),
        }
    }

    async fn load_it(&self, key: &StoreKey, now: Timestamp) -> Result<Option<Record>, StoreError> {
        let mut key = *key;
        loop {
            match self.find(&key).await? {
                Found::Record(record) => return Ok((!record.is_expired(now)).then_some(*record)),
                Found::Alias(to, until) if now < until => key = to,
                Found::Alias(..) | Found::Nothing => return Ok(None),
                Found::Pending => self.pause().await,
            }
        }
    }

    async fn patch_it(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let (mut key, mut patch, mut listed) = (*key, patch.clone(), None);
        let (mut version, mut turn) = (base.version, None);
        loop {
            let attempt = |again| Attempt {
                listed,
                to: None,
                again,
                version,
            };
            let answer = self.call(|again| {
                let args = arguments(base, &patch, now, attempt(again));
                Call::new(&script::PATCH, [self.names.session(&key)], args)
            });
            match answer.await? {
                Reply::Ok(fields) => {
                    return Self::record(fields, &key)
                        .map(|record| Patched::Applied(record.into()));
                }
                Reply::Moved(to, until) if now < until => key = to,
                Reply::Gone | Reply::Moved(..) => return Ok(Patched::Gone),
                Reply::Pending => self.pause().await,
                Reply::Stale(fields) => {
                    (patch, version) = rebased(&patch, fields, &key)?;
                    if turn.is_none() {
                        turn = Some(self.turns.of(&key).lock().await);
                    }
                }
                Reply::List(user, handle, expires) => {
                    listed = Some(self.list(&user, handle, &key, expires, now).await?);
                }
                Reply::Taken(_) | Reply::Unknown => return Err(unexpected()),
            }
        }
    }

    async fn touch_it(
        &self,
        key: &StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (mut key, mut listed) = (*key, None);
        loop {
            let answer = self.call(|_| {
                let listed = listed.map(second).unwrap_or_default();
                let args = vec![second(now), second(expires), listed];
                Call::new(&script::TOUCH, [self.names.session(&key)], args)
            });
            match answer.await? {
                Reply::Ok(_) => return Ok(true),
                Reply::Moved(to, until) if now < until => key = to,
                Reply::Gone | Reply::Moved(..) => return Ok(false),
                Reply::Pending => self.pause().await,
                Reply::List(user, handle, expires) => {
                    listed = Some(self.list(&user, handle, &key, expires, now).await?);
                }
                _ => return Err(unexpected()),
            }
        }
    }

    /// Follows aliases whatever the time: whoever logs out with an old id ends the session. An alias goes
    /// after its record, so that a delete that was cut short can be repeated.
    async fn delete_it(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let (mut key, mut aliases) = (*key, Vec::new());
        let was_there = loop {
            match self.remove(&key, None).await? {
                Reply::Moved(to, _) => aliases.push(std::mem::replace(&mut key, to)),
                Reply::Ok(_) => break true,
                _ => break false,
            }
        };
        for alias in &aliases {
            let mut command = redis::cmd("DEL");
            command.arg(self.names.session(alias));
            self.read(&command).await?;
        }
        Ok(was_there)
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

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the client: its URL may hold a password.
        write!(f, "RedisStore({:?})", self.names)
    }
}

impl SessionStore for RedisStore {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        Box::pin(self.within(self.deadlines.write, self.create_it(key, record, now)))
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.within(self.deadlines.read, self.load_it(key, now)))
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        Box::pin(self.within(self.deadlines.write, self.patch_it(key, base, patch, now)))
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        let rotation = self.rotate_it(from, to, base, patch, alias_until, now);
        Box::pin(self.within(self.deadlines.write, rotation))
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.within(self.deadlines.write, self.touch_it(key, expires, now)))
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.within(self.deadlines.write, self.delete_it(key)))
    }

    fn users(&self) -> Option<&dyn UserSessions> {
        Some(self)
    }
}
