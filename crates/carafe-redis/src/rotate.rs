//! `rotate`: a session gets a new key.
//!
//! On one server it is one script. In a cluster the two keys are in two slots, which no script may
//! touch together, so it is four steps, each a script on one key:
//!
//! 1. `reserve` the new key, so that it can be filled once, or deleted and then never filled;
//! 2. `commit` at the old key, the moment it takes place: one caller wins, and from then on the old key leads to
//!    the new one (or nowhere, without an alias);
//! 3. `fill` the new key with the record after the change, only if it is still reserved;
//! 4. without an alias, `settle` the old key: nothing.
//!
//! A crash before 2 changes nothing. Between 2 and 3 the session is lost (its user is logged out); it
//! never exists twice, and a delete in between deletes the reservation, so that nothing comes back.

use std::borrow::Cow;

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Patched, Record, StoreError, StoreKey},
};
use futures_util::future::{join, try_join};

use crate::{
    RedisStore,
    call::unexpected,
    change::{Change, Next},
    layout::{alias, flag, reservation, second, value_of},
    names::member,
    reply::Reply,
    script::{self, Call},
};

/// One rotation.
struct Rotation<'a> {
    from: &'a StoreKey,
    to: &'a StoreKey,
    /// An alias that is over already is none.
    alias_until: Option<Timestamp>,
    base: &'a Record,
    /// Whose session it will be.
    user: Option<&'a str>,
    now: Timestamp,
}

impl RedisStore {
    pub(crate) async fn rotate_it(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let rotation = Rotation {
            from,
            to,
            alias_until: alias_until.filter(|&until| until > now),
            base,
            user: patch.facts.user.as_deref().or(base.user.as_deref()),
            now,
        };
        let patched = match self.moved(&rotation, patch).await? {
            Some(record) => Patched::Applied(record),
            None => Patched::Gone,
        };
        self.relist(&rotation, &patched).await?;
        // Without an alias the old id has ended.
        self.confirm([*from, *to]).await?;
        Ok(patched)
    }

    async fn moved(
        &self,
        rotation: &Rotation<'_>,
        patch: &Patch,
    ) -> Result<Option<Box<Record>>, StoreError> {
        let &Rotation {
            from,
            to,
            base,
            now,
            ..
        } = rotation;
        let mut change = Change::new(self, from, Some(to), base, patch, now);
        let Some(next) = change.next().await? else {
            return Ok(None);
        };
        let (reserved, listed) = join(
            self.reserve(rotation),
            self.list_new(rotation, &next.record, None),
        )
        .await;
        reserved?;
        match self.merged(rotation, &mut change, next, listed?).await? {
            Some((next, listed)) => self.fill(rotation, next, listed).await,
            None if self.link.is_cluster() => {
                self.remove(to, None, None).await?;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Makes the change until nothing stands against it; the record after it, and until when it is listed.
    async fn merged(
        &self,
        rotation: &Rotation<'_>,
        change: &mut Change<'_>,
        mut next: Next,
        mut listed: Option<Timestamp>,
    ) -> Result<Option<(Next, Timestamp)>, StoreError> {
        loop {
            let until = listed.unwrap_or(Timestamp::from_unix(0));
            let answer = self.call(|again| match self.link.is_cluster() {
                true => self.commit_call(rotation, change),
                false => self.rotate_call(rotation, change, &next, until, again),
            });
            match answer.await? {
                Reply::Ok(_) => return Ok(Some((next, until))),
                Reply::Found(value) => {
                    if !change.meet(Some(value)).await? {
                        return Ok(None);
                    }
                }
                Reply::Gone => return Ok(None),
                Reply::Taken => return Err(taken()),
                Reply::List(_) | Reply::Unknown => return Err(unexpected()),
            }
            let Some(newer) = change.next().await? else {
                return Ok(None);
            };
            next = newer;
            listed = self.list_new(rotation, &next.record, listed).await?;
        }
    }

    /// Lists the session under its new key, before it is there, for as long as it lives.
    async fn list_new(
        &self,
        rotation: &Rotation<'_>,
        next: &Record,
        listed: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        if !self.lists_apart(rotation.user) || listed.is_some_and(|until| until >= next.expires) {
            return Ok(listed);
        }
        let session = next.summary();
        let listing = self.list(&session, rotation.to, rotation.now);
        listing.await.map(Some)
    }

    fn rotate_call<'c>(
        &self,
        rotation: &Rotation<'_>,
        change: &'c Change<'_>,
        next: &'c Next,
        listed: Timestamp,
        again: bool,
    ) -> Call<'c> {
        let (record, until) = (&next.record, rotation.alias_until);
        let alias = until.map(|until| alias(rotation.to, until));
        let args: [Cow<'c, str>; 10] = [
            change.was.as_str().into(),
            next.rest.as_str().into(),
            second(record.expires).into(),
            second(listed).into(),
            flag(again).into(),
            alias.unwrap_or_default().into(),
            until.map(second).unwrap_or_default().into(),
            record.handle.to_string().into(),
            second(record.created).into(),
            second(record.renewed).into(),
        ];
        let keys = [rotation.from, rotation.to].map(|key| self.names.session(key));
        let keys = keys.into_iter().chain(self.index_inside());
        Call::new(&script::ROTATE, keys, args)
    }

    fn commit_call<'c>(&self, rotation: &Rotation<'_>, change: &'c Change<'_>) -> Call<'c> {
        let until = rotation.alias_until.map(second).unwrap_or_default();
        let args: [Cow<'c, str>; 3] = [
            change.was.as_str().into(),
            rotation.trace().into(),
            until.into(),
        ];
        Call::new(&script::COMMIT, [self.names.session(rotation.from)], args)
    }

    /// In a cluster, keeps the new key for the record.
    async fn reserve(&self, rotation: &Rotation<'_>) -> Result<(), StoreError> {
        if !self.link.is_cluster() {
            return Ok(());
        }
        // Long enough for the slowest rotation that its deadline lets live.
        let seconds = self.deadlines.write.as_secs() + 10;
        let reserved = self.call(|_| {
            let args = [rotation.reservation(), seconds.to_string()];
            Call::new(&script::RESERVE, [self.names.session(rotation.to)], args)
        });
        match reserved.await? {
            Reply::Ok(_) => Ok(()),
            Reply::Taken => Err(taken()),
            _ => Err(unexpected()),
        }
    }

    /// The record under its new key, where one script did not put it; `None` if it was deleted on its way.
    async fn fill(
        &self,
        rotation: &Rotation<'_>,
        next: Next,
        listed: Timestamp,
    ) -> Result<Option<Box<Record>>, StoreError> {
        if !self.link.is_cluster() {
            return Ok(Some(next.record));
        }
        let value = value_of(listed, &next.rest);
        let filled = self.call(|_| {
            let until = second(next.record.expires);
            let args = [value.clone(), until, rotation.reservation()];
            Call::new(&script::FILL, [self.names.session(rotation.to)], args)
        });
        match filled.await? {
            Reply::Ok(_) => {
                if rotation.alias_until.is_none() {
                    self.settle(rotation).await?;
                }
                Ok(Some(next.record))
            }
            // The old key keeps its trace for a minute: it tells who took the reservation away that the session had moved.
            Reply::Gone => Ok(None),
            _ => Err(unexpected()),
        }
    }

    async fn settle(&self, rotation: &Rotation<'_>) -> Result<(), StoreError> {
        let settled = self.call(|_| {
            let key = self.names.session(rotation.from);
            Call::new(&script::SETTLE, [key], [rotation.trace()])
        });
        settled.await.map(drop)
    }

    /// Takes the key that no longer leads to a session of its own out of the index.
    async fn relist(&self, rotation: &Rotation<'_>, patched: &Patched) -> Result<(), StoreError> {
        let handle = rotation.base.handle;
        let (key, user) = match patched {
            Patched::Applied(_) => (rotation.from, rotation.base.user.as_deref()),
            Patched::Gone => (rotation.to, rotation.user),
        };
        let of_user = async {
            match user {
                Some(user) => self.unlist(user, &[member(handle, key)]).await,
                None => Ok(()),
            }
        };
        // Not ended: a session that is gone from one key may live under another.
        try_join(of_user, self.delist(handle, key, false)).await?;
        Ok(())
    }
}

impl Rotation<'_> {
    /// What stands at the new key until the record does.
    fn reservation(&self) -> String {
        reservation(self.base.handle, self.from, self.user)
    }

    /// What a commit leaves at the old key: the alias, or one that is over.
    fn trace(&self) -> String {
        alias(self.to, self.alias_until.unwrap_or(Timestamp::from_unix(0)))
    }
}

fn taken() -> StoreError {
    StoreError::unavailable("the new key of a session is in use")
}
