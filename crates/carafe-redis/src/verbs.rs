//! The verbs, without their deadlines. `rotate` and the sessions of users have files of their own.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Created, Patched, Record, StoreError, StoreKey},
};
use redis::Cmd;

use crate::{
    RedisStore,
    call::unexpected,
    change::{Change, Next},
    found::Found,
    layout::{self, flag, second},
    listing::Listing,
    reply::Reply,
    script::{self, Call, Callable, Source},
    users::Removed,
};

/// A call of the script of a patch, the one that nearly every write is.
struct PatchCall<'c> {
    store: &'c RedisStore,
    change: &'c Change<'c>,
    next: &'c Next,
    listed: Option<Timestamp>,
    again: bool,
}

impl PatchCall<'_> {
    /// The index on one server, which is told if the session lives longer.
    fn index(&self) -> Option<String> {
        let store = self.store;
        self.next.grows.then(|| store.index_inside()).flatten()
    }
}

impl Callable for PatchCall<'_> {
    fn source(&self) -> &'static Source {
        &script::PATCH
    }

    fn size(&self) -> (usize, usize) {
        let texts = self.change.was.len() + self.next.rest.len();
        (1 + usize::from(self.index().is_some()), 256 + texts)
    }

    fn write(&self, command: &mut Cmd) {
        let record = &self.next.record;
        let index = self.index();
        command.arg(self.store.names.session(&self.change.key));
        command.arg(index.as_deref());
        command.arg(&self.change.was).arg(&self.next.rest);
        command.arg(record.expires.unix());
        command.arg(layout::dropped_at(record.expires));
        match self.listed {
            Some(listed) => command.arg(listed.unix()),
            None => command.arg(""),
        };
        command.arg(flag(self.store.lists_apart(record.user.as_deref())));
        command.arg(flag(self.again));
        if index.is_some() {
            command.arg(record.handle.to_string());
            command.arg(record.created.unix());
            command.arg(record.renewed.unix());
        }
    }
}

impl RedisStore {
    pub(crate) async fn create_it(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        let listed = match self.lists_apart(record.user.as_deref()) {
            true => self.list(&record.summary(), key, now).await?,
            false => Timestamp::from_unix(0),
        };
        let value = layout::value_of(listed, &layout::rest_of(key, record));
        let filed = self.call(|_| {
            let handle = record.handle.to_string();
            let [expires, created, renewed] =
                [record.expires, record.created, record.renewed].map(second);
            let args = [value.clone(), expires, handle, created, renewed];
            let keys = [self.names.session(key)].into_iter();
            Call::new(&script::CREATE, keys.chain(self.index_inside()), args)
        });
        match filed.await? {
            Reply::Ok(_) => Ok(Created::Created),
            Reply::Found(value) => match Found::glance(&value, key) {
                // Handles are random: this one is there because an attempt whose reply was lost filed it.
                Ok(Found::Record(found)) if found.handle == record.handle => Ok(Created::Created),
                _ => Ok(Created::Taken),
            },
            _ => Err(unexpected()),
        }
    }

    pub(crate) async fn load_it(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let mut key = *key;
        loop {
            match self.find(&key).await? {
                Found::Record(record) => return Ok((!record.is_expired(now)).then_some(record)),
                Found::Alias(to, until) if now < until => key = to,
                Found::Alias(..) | Found::Nothing => return Ok(None),
                Found::Pending(..) => self.pause().await,
            }
        }
    }

    pub(crate) async fn patch_it(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let (mut change, mut listed) = (Change::new(self, key, None, base, patch, now), None);
        while let Some(next) = change.next().await? {
            let answer = self.call(|again| PatchCall {
                store: self,
                change: &change,
                next: &next,
                listed,
                again,
            });
            match answer.await? {
                Reply::Ok(_) => return Ok(Patched::Applied(next.record)),
                Reply::Found(value) => {
                    if !Box::pin(change.meet(Some(value))).await? {
                        break;
                    }
                    listed = None;
                }
                Reply::Gone => break,
                Reply::List(_) => {
                    let session = next.record.summary();
                    listed = Some(Box::pin(self.list(&session, &change.key, now)).await?);
                }
                Reply::Taken | Reply::Unknown => return Err(unexpected()),
            }
        }
        Ok(Patched::Gone)
    }

    pub(crate) async fn touch_it(
        &self,
        key: &StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (mut key, mut listed) = (*key, None);
        loop {
            let answer = self.call(|_| {
                let listed = listed.map(second).unwrap_or_default();
                let all = flag(self.listing == Listing::Apart).to_owned();
                let args = [second(now), second(expires), listed, all];
                let keys = [self.names.session(&key)].into_iter();
                Call::new(&script::TOUCH, keys.chain(self.index_inside()), args)
            });
            let found = match answer.await? {
                Reply::Ok(_) => return Ok(true),
                Reply::Gone => return Ok(false),
                Reply::List(value) => match Found::glance(&value, &key)? {
                    Found::Record(session) => {
                        listed = Some(Box::pin(self.list(&session, &key, now)).await?);
                        continue;
                    }
                    _ => return Err(unexpected()),
                },
                Reply::Found(value) => Found::glance(&value, &key)?,
                Reply::Taken | Reply::Unknown => return Err(unexpected()),
            };
            match found {
                Found::Record(session) if session.is_expired(now) => return Ok(false),
                Found::Alias(to, until) if now < until => (key, listed) = (to, None),
                Found::Alias(..) | Found::Nothing => return Ok(false),
                Found::Pending(..) => self.pause().await,
                // The script knows better what it may write over.
                Found::Record(_) => {
                    return Err(StoreError::corrupt("the facts of a record cannot be read"));
                }
            }
        }
    }

    /// Follows aliases whatever the time: whoever logs out with an old id ends the session. An alias goes
    /// after its record, so that a delete that was cut short can be repeated.
    pub(crate) async fn delete_it(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let (mut key, mut aliases) = (*key, Vec::new());
        let was_there = loop {
            match self.remove(&key, None, None).await? {
                Removed::Moved(to) => aliases.push(std::mem::replace(&mut key, to)),
                Removed::Yes | Removed::Reservation(_) => break true,
                Removed::No => break false,
            }
        };
        // Before the aliases go, which lead whoever repeats this to the same key.
        let keys = aliases.iter().copied().chain([key]);
        self.confirm(keys).await?;
        for alias in &aliases {
            let mut command = redis::cmd("DEL");
            command.arg(self.names.session(alias));
            self.read(&command).await?;
        }
        Ok(was_there)
    }
}
