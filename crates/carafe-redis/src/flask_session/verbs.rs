//! The verbs in Flask-Session's layout, without their deadlines.
//!
//! A change names the value that it was computed from. If the stored value is another one, the
//! change is merged with that and tried again, so no write is lost. Each script has one key,
//! because a cluster may keep two sessions on two nodes.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Created, Patched, Record, StoreError, StoreKey},
};

use super::{
    FlaskSessionStore,
    reply::{Reply, unexpected_reply},
    script,
};
use crate::{
    error::{is_lost, store_error},
    layout::{check_size, second},
    script::{Call, LuaScript},
};

/// The last second of the year 9999. Redis counts milliseconds in 64 bits.
const MAX_SECOND: i64 = 253_402_300_799;

impl FlaskSessionStore {
    pub(super) async fn write_new(
        &self,
        key: &StoreKey,
        record: &Record,
    ) -> Result<Created, StoreError> {
        let value = self.layout.beginning(key, record)?;
        self.file(key, &value, record.meta.expires).await
    }

    async fn file(
        &self,
        key: &StoreKey,
        value: &[u8],
        expires: Timestamp,
    ) -> Result<Created, StoreError> {
        check_size(value.len())?;
        let args = vec![value.to_vec(), stored_second(expires)];
        let call = Call::new(&script::CREATE, [self.layout.name(key)], args);
        let answer = self.redis.connection.call(&call).await;
        let (answer, again) = match answer {
            // The key is random, so the same value can only come from the first attempt.
            Err(error) if is_lost(&error) => (self.redis.connection.call(&call).await, true),
            answer => (answer, false),
        };
        match Reply::read(answer.map_err(store_error)?)? {
            Reply::Ok(..) => Ok(Created::Created),
            Reply::Same if again => Ok(Created::Created),
            Reply::Taken | Reply::Same => Ok(Created::Taken),
            _ => Err(unexpected_reply()),
        }
    }

    pub(super) async fn read_record(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let found = self.found(key, now).await?;
        Ok(found.map(|(record, _)| record))
    }

    /// Returns the record of a key and its value.
    async fn found(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<Option<(Record, Vec<u8>)>, StoreError> {
        let args = vec![stored_second(now)];
        match self.harmless(&script::LOAD, key, args).await? {
            Reply::Ok(expires, value) => {
                let record = self.layout.record(key, &value, expires, now)?;
                Ok(Some((record, value)))
            }
            Reply::Gone => Ok(None),
            _ => Err(unexpected_reply()),
        }
    }

    pub(super) async fn extend_expiry(
        &self,
        key: &StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let args = vec![stored_second(now), stored_second(expires)];
        match self.harmless(&script::TOUCH, key, args).await? {
            Reply::Ok(..) => Ok(true),
            Reply::Gone => Ok(false),
            _ => Err(unexpected_reply()),
        }
    }

    pub(super) async fn remove_record(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let mut command = redis::cmd("DEL");
        command.arg(self.layout.name(key));
        match self.redis.read(&command).await? {
            redis::Value::Int(deleted) => Ok(deleted > 0),
            _ => Err(unexpected_reply()),
        }
    }

    pub(super) async fn apply_patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let (mut newest, mut value) = (base.clone(), self.layout.value(key, base)?);
        let (mut lock, mut is_base) = (None, true);
        loop {
            let next = self.layout.next(key, &newest, base, patch, None);
            if is_base && matches!(next, Err(StoreError::Unmet)) {
                // The caller's record is outdated: another request may have changed the session
                // since.
                let Some(found) = self.found(key, now).await? else {
                    return Ok(Patched::Gone);
                };
                (newest, value) = found;
                is_base = false;
                continue;
            }
            let Some(next) = next? else {
                return Ok(Patched::Gone);
            };
            let expires = next.record.meta.expires;
            match self.replace(key, &value, &next.value, expires, now).await? {
                Reply::Ok(expires, _) => return Ok(applied(next.record, expires)),
                Reply::Gone => return Ok(Patched::Gone),
                Reply::Stale(expires, found) => {
                    is_base = false;
                    newest = self.layout.record(key, &found, expires, now)?;
                    value = found;
                    if lock.is_none() {
                        lock = Some(self.redis.key_locks.lock(key).await);
                    }
                }
                _ => return Err(unexpected_reply()),
            }
        }
    }

    /// Creates the session under its new id, which no client has yet, and then deletes the old key.
    /// If this is interrupted, the session stays under the old id and the other copy expires
    /// unused.
    pub(super) async fn move_record(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let (mut newest, mut value) = (base.clone(), self.layout.value(from, base)?);
        let (mut filed, mut lock): (Option<Vec<u8>>, _) = (None, None);
        let (rotation, mut is_base) = (Some((to, now)), true);
        loop {
            let next = self.layout.next(from, &newest, base, patch, rotation);
            if is_base && matches!(next, Err(StoreError::Unmet)) {
                let Some(found) = self.found(from, now).await? else {
                    return Ok(Patched::Gone);
                };
                (newest, value) = found;
                is_base = false;
                continue;
            }
            if next.is_err() {
                self.gone(to, filed.take()).await?;
            }
            let Some(next) = next? else {
                return self.gone(to, filed).await;
            };
            self.refile(
                to,
                filed.as_deref(),
                &next.value,
                next.record.meta.expires,
                now,
            )
            .await?;
            filed = Some(next.value);
            match self.withdraw(from, &value, now).await? {
                Reply::Ok(..) => return Ok(Patched::Applied(next.record)),
                Reply::Gone => return self.gone(to, filed).await,
                Reply::Stale(expires, found) => {
                    is_base = false;
                    newest = self.layout.record(from, &found, expires, now)?;
                    value = found;
                    if lock.is_none() {
                        lock = Some(self.redis.key_locks.lock(from).await);
                    }
                }
                _ => return Err(unexpected_reply()),
            }
        }
    }

    /// Deletes the copy that was created for a rotation of a session that is gone.
    async fn gone(&self, to: &StoreKey, filed: Option<Vec<u8>>) -> Result<Patched, StoreError> {
        if filed.is_some() {
            self.remove_record(to).await?;
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
        check_size(after.len())?;
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

    /// Calls a script that may run twice.
    async fn harmless(
        &self,
        script: &'static LuaScript,
        key: &StoreKey,
        args: Vec<Vec<u8>>,
    ) -> Result<Reply, StoreError> {
        let call = Call::new(script, [self.layout.name(key)], args);
        let answer = match self.redis.connection.call(&call).await {
            Err(error) if is_lost(&error) => self.redis.connection.call(&call).await,
            answer => answer,
        };
        Reply::read(answer.map_err(store_error)?)
    }

    /// Calls a script that must not run twice: an `update` would be applied again after a lost
    /// reply.
    async fn once(
        &self,
        script: &'static LuaScript,
        key: &StoreKey,
        args: Vec<Vec<u8>>,
    ) -> Result<Reply, StoreError> {
        let call = Call::new(script, [self.layout.name(key)], args);
        Reply::read(
            self.redis
                .connection
                .call(&call)
                .await
                .map_err(store_error)?,
        )
    }
}

fn applied(mut record: Box<Record>, expires: Timestamp) -> Patched {
    record.meta.expires = expires;
    Patched::Applied(record)
}

fn stored_second(at: Timestamp) -> Vec<u8> {
    second(Timestamp::from_unix(at.unix().min(MAX_SECOND))).into_bytes()
}
