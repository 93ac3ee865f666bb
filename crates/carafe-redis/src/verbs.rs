//! The verbs, without their deadlines. `rotate` and the sessions of a user have files of their own.

use carafe_core::{
    clock::Timestamp,
    session::{Access, Patch},
    store::{Created, KeyState, Patched, Record, StoreError, StoreKey},
};
use futures_util::future::try_join_all;
use redis::Cmd;

use crate::{
    RedisStore,
    call::unexpected_reply,
    change::{self, Change, Expected, NewValue},
    header::number,
    layout::{self, flag, second},
    reply::Reply,
    script::{self, Call, Callable, LuaScript},
    store::Listing,
    users::{LISTED_BEFORE, Removal},
    value::StoredValue,
};

/// A call of the script of a patch, which is what most writes are.
struct PatchCall<'c> {
    store: &'c RedisStore,
    expected: &'c Expected,
    next: &'c NewValue,
    listed: Option<Timestamp>,
    again: bool,
}

impl PatchCall<'_> {
    /// Returns the index of a single server, which is updated if the session lives longer.
    fn index(&self) -> Option<String> {
        let store = self.store;
        self.next.grows.then(|| store.script_index()).flatten()
    }
}

impl Callable for PatchCall<'_> {
    fn source(&self) -> &'static LuaScript {
        &script::PATCH
    }

    fn size(&self) -> (usize, usize) {
        let texts = self.expected.rest.len() + self.next.rest.len();
        (1 + usize::from(self.index().is_some()), 256 + texts)
    }

    fn write(&self, command: &mut Cmd) {
        let record = &self.next.record;
        let index = self.index();
        command.arg(self.store.names.session(&self.expected.key));
        command.arg(index.as_deref());
        command.arg(&self.expected.rest).arg(&self.next.rest);
        command.arg(record.meta.expires.unix());
        command.arg(layout::purge_at(record.meta.expires));
        match self.listed {
            Some(listed) => command.arg(listed.unix()),
            None => command.arg(""),
        };
        command.arg(flag(
            self.store.lists_separately(record.meta.user.as_deref()),
        ));
        command.arg(flag(self.again));
        if index.is_some() {
            command.arg(record.meta.public_id.to_string());
            command.arg(record.meta.created.unix());
            command.arg(record.meta.renewed.unix());
        }
    }
}

impl RedisStore {
    pub(crate) async fn write_new(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        let rest = layout::rest_of(key, record);
        layout::check_size(rest.len())?;
        let listed = match self.lists_separately(record.meta.user.as_deref()) {
            true => self.list(&record.meta, key, now).await?,
            false => Timestamp::from_unix(0),
        };
        let value = layout::value_of(listed, &rest);
        let filed = self.call(|_| {
            let public_id = record.meta.public_id.to_string();
            let [expires, created, renewed] = [
                record.meta.expires,
                record.meta.created,
                record.meta.renewed,
            ]
            .map(second);
            let args = [value.clone(), expires, public_id, created, renewed];
            let keys = [self.names.session(key)].into_iter();
            Call::new(&script::CREATE, keys.chain(self.script_index()), args)
        });
        match filed.await? {
            Reply::Ok(_) => {}
            Reply::Found(value) => match StoredValue::parse_meta(&value, key) {
                // Public ids are random, so an earlier attempt with a lost reply has created this
                // record.
                Ok(StoredValue::Record(found)) if found.public_id == record.meta.public_id => {}
                _ => return Ok(Created::Taken),
            },
            _ => return Err(unexpected_reply()),
        }
        if record.meta.user.is_some() && record.meta.renewed < now.saturating_add(-LISTED_BEFORE) {
            // A revocation of the user's sessions may have removed the member before the record was
            // stored.
            Box::pin(self.list(&record.meta, key, now)).await?;
        }
        Ok(Created::Created)
    }

    pub(crate) async fn read_record(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<KeyState, StoreError> {
        // Boxed: pointers are rare, and otherwise every future of a load would contain a key.
        let mut target: Option<Box<StoreKey>> = None;
        loop {
            match self.stored(target.as_deref().unwrap_or(key)).await? {
                StoredValue::Record(record) if record.is_expired(now) => {
                    return Ok(KeyState::Absent);
                }
                StoredValue::Record(record) if target.is_none() => {
                    return Ok(KeyState::Current(record));
                }
                StoredValue::Record(record) => return Ok(KeyState::Moved(record)),
                StoredValue::Marker(until, _) if now < until => return Ok(KeyState::Retired),
                StoredValue::Pointer(to, _) => target = Some(Box::new(to)),
                StoredValue::Marker(..) | StoredValue::Pending(..) | StoredValue::Missing => {
                    return Ok(KeyState::Absent);
                }
            }
        }
    }

    /// Prolongs these pointers until the record expires that they lead to.
    async fn lead(&self, pointers: &[StoreKey], expires: Timestamp) -> Result<(), StoreError> {
        let moves = pointers.iter().map(|pointer| {
            self.call(|_| {
                let keys = [self.names.session(pointer)];
                Call::new(&script::LEAD, keys, [second(expires)])
            })
        });
        try_join_all(moves).await.map(drop)
    }

    pub(crate) async fn apply_patch(
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
                expected: &change.expected,
                next: &next,
                listed,
                again,
            });
            match answer.await? {
                Reply::Ok(_) => {
                    if !change.pointers().is_empty() {
                        Box::pin(self.lead(change.pointers(), next.record.meta.expires)).await?;
                    }
                    return Ok(Patched::Applied(next.record));
                }
                Reply::Found(value) => {
                    if !Box::pin(change.rebase(Some(value))).await? {
                        break;
                    }
                    listed = None;
                }
                Reply::Gone => break,
                Reply::List(_) => {
                    let (session, key) = (&next.record.meta, &change.expected.key);
                    listed = Some(Box::pin(self.list(session, key, now)).await?);
                }
                Reply::Taken | Reply::Unknown => return Err(unexpected_reply()),
            }
        }
        Ok(Patched::Gone)
    }

    pub(crate) async fn extend_expiry(
        &self,
        key: &StoreKey,
        access: &Access,
    ) -> Result<bool, StoreError> {
        if access.confirms.is_some() {
            return Box::pin(self.touch_renewed(key, access)).await;
        }
        match self.touch_call(key, access, None, false).await? {
            Reply::Ok(_) => Ok(true),
            Reply::Gone => Ok(false),
            // Boxed: rare, and otherwise part of every future.
            reply => Box::pin(self.touch_found(*key, access, reply)).await,
        }
    }

    /// Calls the script of a touch. With `tells`, the reply contains the expiry of the record.
    ///
    /// Not an `async fn`: its future would hold the arguments twice.
    fn touch_call<'a>(
        &'a self,
        key: &'a StoreKey,
        access: &'a Access,
        listed: Option<Timestamp>,
        tells: bool,
    ) -> impl Future<Output = Result<Reply, StoreError>> + 'a {
        self.call(move |_| {
            let listed = listed.map(second).unwrap_or_default();
            let all = flag(self.listing == Listing::Separate).to_owned();
            let tells = flag(tells).to_owned();
            let args = [
                second(access.at),
                second(access.expires),
                listed,
                all,
                tells,
            ];
            let keys = [self.names.session(key)].into_iter();
            Call::new(&script::TOUCH, keys.chain(self.script_index()), args)
        })
    }

    /// Continues a touch after a first reply other than plain success.
    async fn touch_found(
        &self,
        mut key: StoreKey,
        access: &Access,
        mut reply: Reply,
    ) -> Result<bool, StoreError> {
        let (mut listed, mut pointers) = (None, Vec::new());
        loop {
            match reply {
                Reply::Ok(_) if pointers.is_empty() => return Ok(true),
                Reply::Ok(expires) => {
                    let expires = str::from_utf8(&expires).ok().and_then(number);
                    let expires = expires
                        .map(Timestamp::from_unix)
                        .ok_or_else(unexpected_reply)?;
                    self.lead(&pointers, expires).await?;
                    return Ok(true);
                }
                Reply::Gone => return Ok(false),
                Reply::List(value) => match StoredValue::parse_meta(&value, &key)? {
                    StoredValue::Record(session) => {
                        listed = Some(self.list(&session, &key, access.at).await?);
                    }
                    _ => return Err(unexpected_reply()),
                },
                Reply::Found(value) => match StoredValue::parse_meta(&value, &key)? {
                    StoredValue::Record(session) if session.is_expired(access.at) => {
                        return Ok(false);
                    }
                    // The script could not parse the record, and it decides what may be
                    // overwritten.
                    StoredValue::Record(_) => {
                        return Err(StoreError::corrupt("the facts of a record cannot be read"));
                    }
                    StoredValue::Pointer(to, _) => {
                        pointers.push(key);
                        (key, listed) = (to, None);
                    }
                    StoredValue::Pending(..) => {
                        if self.finish_move(&key).await?.is_none() {
                            return Ok(false);
                        }
                    }
                    StoredValue::Marker(..) | StoredValue::Missing => return Ok(false),
                },
                Reply::Taken | Reply::Unknown => return Err(unexpected_reply()),
            }
            let tells = !pointers.is_empty();
            reply = self.touch_call(&key, access, listed, tells).await?;
        }
    }

    /// Notes a use that confirms a renewal, which happens once per renewal. The new record is
    /// computed here, because only the core interprets renewals.
    async fn touch_renewed(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        let (mut key, mut listed, mut pointers) = (*key, None, Vec::new());
        while let Some(value) = self.finish_move(&key).await? {
            let (record, was) = match change::read(value, &key)? {
                (StoredValue::Record(record), was) if !record.is_expired(access.at) => {
                    (record, was)
                }
                (StoredValue::Pointer(to, _), _) => {
                    pointers.push(std::mem::replace(&mut key, to));
                    continue;
                }
                _ => return Ok(false),
            };
            let Some(touched) = record.touched(access) else {
                return Ok(true);
            };
            let next = NewValue::new(&key, Box::new(touched), record.meta.expires);
            let expected = Expected { key, rest: was };
            let answer = self.call(|again| PatchCall {
                store: self,
                expected: &expected,
                next: &next,
                listed,
                again,
            });
            match answer.await? {
                Reply::Ok(_) => {
                    self.lead(&pointers, next.record.meta.expires).await?;
                    return Ok(true);
                }
                Reply::Gone => return Ok(false),
                Reply::List(_) => {
                    listed = Some(self.list(&next.record.meta, &key, access.at).await?);
                }
                // Another request has written since, or the reply to our own write was lost. A use
                // may be noted twice.
                Reply::Found(_) | Reply::Unknown => listed = None,
                Reply::Taken => return Err(unexpected_reply()),
            }
        }
        Ok(false)
    }

    /// Follows pointers of any age: a log-out with an old id deletes the session.
    pub(crate) async fn remove_record(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut keys = vec![*key];
        let mut target = *key;
        let was_there = loop {
            match self.remove(&target, None, now).await? {
                Removal::Moved(to) => {
                    target = to;
                    keys.push(to);
                }
                Removal::Yes(_) => break true,
                Removal::Reservation(public_id, from, _) => {
                    let end = self.revoke_moving(public_id, from, &target, now);
                    break Box::pin(end).await?;
                }
                Removal::No | Removal::Retired(_) => break false,
            }
        };
        self.confirm(keys).await?;
        Ok(was_there)
    }
}
