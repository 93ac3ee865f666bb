//! The verbs on Flask-Session's layout, without their deadlines.
//!
//! A change states the value that its new one was made from, so that nothing is lost that was there when it
//! arrived; where the value is another one, the change is merged with it and tried again. One key a script: a
//! cluster keeps two sessions on two nodes.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Created, Patched, Record, StoreError, StoreKey},
};

use super::{
    FlaskSessionStore,
    reply::{Reply, strange},
    script,
};
use crate::{
    error::{is_lost, typed},
    layout::second,
    script::{Call, Source},
};

/// The last second of the year 9999: Redis takes no number of milliseconds beyond its 64 bits.
const LAST: i64 = 253_402_300_799;

impl FlaskSessionStore {
    pub(super) async fn create_it(
        &self,
        key: &StoreKey,
        record: &Record,
    ) -> Result<Created, StoreError> {
        let value = self.layout.beginning(key, record)?;
        self.file(key, &value, record.expires).await
    }

    async fn file(
        &self,
        key: &StoreKey,
        value: &[u8],
        expires: Timestamp,
    ) -> Result<Created, StoreError> {
        let args = vec![value.to_vec(), stored_second(expires)];
        let call = Call::new(&script::CREATE, [self.layout.name(key)], args);
        let answer = self.redis.link.call(&call).await;
        let (answer, again) = match answer {
            // The value under this random key can only be that of the attempt whose reply was lost.
            Err(error) if is_lost(&error) => (self.redis.link.call(&call).await, true),
            answer => (answer, false),
        };
        match Reply::read(answer.map_err(typed)?)? {
            Reply::Ok(..) => Ok(Created::Created),
            Reply::Same if again => Ok(Created::Created),
            Reply::Taken | Reply::Same => Ok(Created::Taken),
            _ => Err(strange()),
        }
    }

    pub(super) async fn load_it(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let args = vec![stored_second(now)];
        match self.harmless(&script::LOAD, key, args).await? {
            Reply::Ok(expires, value) => self.layout.record(key, &value, expires, now).map(Some),
            Reply::Gone => Ok(None),
            _ => Err(strange()),
        }
    }

    pub(super) async fn touch_it(
        &self,
        key: &StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let args = vec![stored_second(now), stored_second(expires)];
        match self.harmless(&script::TOUCH, key, args).await? {
            Reply::Ok(..) => Ok(true),
            Reply::Gone => Ok(false),
            _ => Err(strange()),
        }
    }

    pub(super) async fn delete_it(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let mut command = redis::cmd("DEL");
        command.arg(self.layout.name(key));
        match self.redis.read(&command).await? {
            redis::Value::Int(deleted) => Ok(deleted > 0),
            _ => Err(strange()),
        }
    }

    pub(super) async fn patch_it(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let (mut newest, mut value) = (base.clone(), self.layout.value(key, base)?);
        let mut turn = None;
        loop {
            let Some(next) = self.layout.next(key, &newest, base, patch, None)? else {
                return Ok(Patched::Gone);
            };
            let expires = next.record.expires;
            match self.replace(key, &value, &next.value, expires, now).await? {
                Reply::Ok(expires, _) => return Ok(applied(next.record, expires)),
                Reply::Gone => return Ok(Patched::Gone),
                Reply::Stale(expires, found) => {
                    newest = self.layout.record(key, &found, expires, now)?;
                    value = found;
                    if turn.is_none() {
                        turn = Some(self.redis.turns.take(key).await);
                    }
                }
                _ => return Err(strange()),
            }
        }
    }

    /// Files the session under its new id, which nobody has yet, and then takes it away under the old one. Where
    /// this is cut short, the session lives on under the old id, and the other copy expires unseen.
    pub(super) async fn rotate_it(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let (mut newest, mut value) = (base.clone(), self.layout.value(from, base)?);
        let (mut filed, mut turn): (Option<Vec<u8>>, _) = (None, None);
        let rotation = Some((to, now));
        loop {
            let Some(next) = self.layout.next(from, &newest, base, patch, rotation)? else {
                return self.gone(to, filed).await;
            };
            self.refile(to, filed.as_deref(), &next.value, next.record.expires, now)
                .await?;
            filed = Some(next.value);
            match self.withdraw(from, &value, now).await? {
                Reply::Ok(..) => return Ok(Patched::Applied(Box::new(next.record))),
                Reply::Gone => return self.gone(to, filed).await,
                Reply::Stale(expires, found) => {
                    newest = self.layout.record(from, &found, expires, now)?;
                    value = found;
                    if turn.is_none() {
                        turn = Some(self.redis.turns.take(from).await);
                    }
                }
                _ => return Err(strange()),
            }
        }
    }

    /// There is nothing to rotate: what was filed for it goes.
    async fn gone(&self, to: &StoreKey, filed: Option<Vec<u8>>) -> Result<Patched, StoreError> {
        if filed.is_some() {
            self.delete_it(to).await?;
        }
        Ok(Patched::Gone)
    }

    async fn refile(
        &self,
        to: &StoreKey,
        filed: Option<&[u8]>,
        value: &[u8],
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let good = match filed {
            None => self.file(to, value, expires).await? == Created::Created,
            Some(filed) => {
                let reply = self.replace(to, filed, value, expires, now).await?;
                matches!(reply, Reply::Ok(..))
            }
        };
        good.then_some(()).ok_or(StoreError::Conflict)
    }

    async fn replace(
        &self,
        key: &StoreKey,
        before: &[u8],
        after: &[u8],
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<Reply, StoreError> {
        let args = vec![
            stored_second(now),
            before.to_vec(),
            after.to_vec(),
            stored_second(expires),
        ];
        self.once(&script::REPLACE, key, args).await
    }

    async fn withdraw(
        &self,
        key: &StoreKey,
        value: &[u8],
        now: Timestamp,
    ) -> Result<Reply, StoreError> {
        let args = vec![stored_second(now), value.to_vec()];
        self.once(&script::WITHDRAW, key, args).await
    }

    /// Calls a script that does no harm when it runs twice.
    async fn harmless(
        &self,
        script: &'static Source,
        key: &StoreKey,
        args: Vec<Vec<u8>>,
    ) -> Result<Reply, StoreError> {
        let call = Call::new(script, [self.layout.name(key)], args);
        let answer = match self.redis.link.call(&call).await {
            Err(error) if is_lost(&error) => self.redis.link.call(&call).await,
            answer => answer,
        };
        Reply::read(answer.map_err(typed)?)
    }

    /// Calls a script that must not run twice: an update whose reply was lost would count again.
    async fn once(
        &self,
        script: &'static Source,
        key: &StoreKey,
        args: Vec<Vec<u8>>,
    ) -> Result<Reply, StoreError> {
        let call = Call::new(script, [self.layout.name(key)], args);
        Reply::read(self.redis.link.call(&call).await.map_err(typed)?)
    }
}

fn applied(record: Record, expires: Timestamp) -> Patched {
    Patched::Applied(Box::new(Record { expires, ..record }))
}

fn stored_second(at: Timestamp) -> Vec<u8> {
    second(Timestamp::from_unix(at.unix().min(LAST))).into_bytes()
}
