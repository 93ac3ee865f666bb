//! The verbs, without their deadlines. `rotate` and the sessions of users have files of their own.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Created, Patched, Record, StoreError, StoreKey},
};

use crate::{
    RedisStore,
    call::{rebased, unexpected},
    changes::{Attempt, arguments, flag},
    found::Found,
    layout::{self, second},
    listing::{Entry, Listing},
    reply::Reply,
    script::{self, Call},
};

impl RedisStore {
    pub(crate) async fn create_it(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        if !self.lists_apart(record.user.as_deref()) {
            return self.file(key, record, Timestamp::from_unix(0)).await;
        }
        let entry = Entry {
            user: record.user.clone(),
            handle: record.handle,
            created: record.created,
            renewed: record.renewed,
            expires: record.expires,
        };
        let listed = self.list(&entry, key, now).await?;
        self.file(key, record, listed).await
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
            let keys = [self.names.session(key)].into_iter();
            Call::new(&script::CREATE, keys.chain(self.index_inside()), args)
        });
        match filed.await? {
            Reply::Ok(_) => Ok(Created::Created),
            // Handles are random: this one is there because an attempt whose reply was lost filed it.
            Reply::Taken(Some(handle)) if handle == record.handle => Ok(Created::Created),
            Reply::Taken(_) => Ok(Created::Taken),
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
                Found::Record(record) => return Ok((!record.is_expired(now)).then_some(*record)),
                Found::Alias(to, until) if now < until => key = to,
                Found::Alias(..) | Found::Nothing => return Ok(None),
                Found::Pending => self.pause().await,
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
        let (mut key, mut patch, mut listed) = (*key, patch.clone(), None);
        let (mut version, mut turn) = (base.version, None);
        loop {
            let attempt = |again| Attempt {
                listed,
                to: None,
                again,
                version,
                all: self.listing == Listing::Apart,
            };
            let answer = self.call(|again| {
                let args = arguments(base, &patch, now, attempt(again));
                let keys = [self.names.session(&key)].into_iter();
                Call::new(&script::PATCH, keys.chain(self.index_inside()), args)
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
                Reply::List(entry) => listed = Some(self.list(&entry, &key, now).await?),
                Reply::Taken(_) | Reply::Unknown => return Err(unexpected()),
            }
        }
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
                let all = flag(self.listing == Listing::Apart);
                let args = vec![second(now), second(expires), listed, all];
                let keys = [self.names.session(&key)].into_iter();
                Call::new(&script::TOUCH, keys.chain(self.index_inside()), args)
            });
            match answer.await? {
                Reply::Ok(_) => return Ok(true),
                Reply::Moved(to, until) if now < until => key = to,
                Reply::Gone | Reply::Moved(..) => return Ok(false),
                Reply::Pending => self.pause().await,
                Reply::List(entry) => listed = Some(self.list(&entry, &key, now).await?),
                _ => return Err(unexpected()),
            }
        }
    }

    /// Follows aliases whatever the time: whoever logs out with an old id ends the session. An alias goes
    /// after its record, so that a delete that was cut short can be repeated.
    pub(crate) async fn delete_it(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let (mut key, mut aliases) = (*key, Vec::new());
        let was_there = loop {
            match self.remove(&key, None, None).await? {
                Reply::Moved(to, _) => aliases.push(std::mem::replace(&mut key, to)),
                Reply::Ok(_) => break true,
                _ => break false,
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
