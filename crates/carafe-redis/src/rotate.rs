//! `rotate`: gives a session a new key.
//!
//! On a single server this is one script. In a cluster the two keys are in two slots, which a
//! script cannot change together, so it takes four steps, each a script on one key:
//!
//! 1. `reserve` the new key, so that it can be filled once, or deleted and then never filled;
//! 2. `commit` at the old key. This is when the move takes effect: one caller wins, and from then
//!    on the old key leads to the new one or is retired. It carries the record;
//! 3. `fill` the new key with the changed record, only if it is still reserved;
//! 4. `settle` the old key, which no longer carries the record.
//!
//! A crash before step 2 changes nothing. After step 2, a reader that finds the reservation
//! completes the move (`finish`), so that nothing is lost. The session never exists twice. A delete
//! in between deletes the reservation, so that the session does not come back.

use std::borrow::Cow;

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Patched, Record, Rotation, StoreError, StoreKey, retired_until},
};
use futures_util::future::{join, try_join};

use crate::{
    RedisStore,
    call::unexpected_reply,
    change::{Change, NewValue},
    layout::{carrying, flag, marker, pointer, reservation, second, value_of},
    names::member,
    reply::Reply,
    script::{self, Call},
};

/// Seconds until the reservation of a new key expires if nothing completes the move.
const RESERVED_FOR: &str = "86400";

/// One rotation.
struct Move<'a> {
    /// The key of the request. Pointers may lead from it to the key of the record.
    from: &'a StoreKey,
    to: &'a StoreKey,
    rotation: Rotation,
    base: &'a Record,
    /// The user of the session after the move.
    user: Option<&'a str>,
    now: Timestamp,
}

impl RedisStore {
    pub(crate) async fn move_record(
        &self,
        (from, to): (&StoreKey, &StoreKey),
        base: &Record,
        patch: &Patch,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let target = (to, rotation);
        let mut change = Change::new(self, from, Some(&target), base, patch, now);
        let movement = Move {
            from,
            to,
            rotation,
            base,
            user: patch.facts.user.as_deref().or(base.meta.user.as_deref()),
            now,
        };
        let patched = match self.moved(&movement, &mut change).await? {
            Some(record) => Patched::Applied(record),
            None => Patched::Gone,
        };
        self.relist(&movement, &change.expected.key, &patched)
            .await?;
        // A replacement retires the old id.
        self.confirm([*from, change.expected.key, *to]).await?;
        Ok(patched)
    }

    async fn moved(
        &self,
        movement: &Move<'_>,
        change: &mut Change<'_>,
    ) -> Result<Option<Box<Record>>, StoreError> {
        let Some(next) = change.next().await? else {
            return Ok(None);
        };
        let (reserved, listed) = join(
            self.reserve(movement),
            self.list_new(movement, &next.record, None),
        )
        .await;
        reserved?;
        match self.merged(movement, change, next, listed?).await {
            Ok(Some((next, listed))) => {
                self.fill(movement, &change.expected.key, next, listed)
                    .await
            }
            Ok(None) => {
                self.unreserve(movement).await?;
                Ok(None)
            }
            Err(error @ (StoreError::Unmet | StoreError::Conflict)) => {
                self.unreserve(movement).await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Tries the change until there is no conflict. Returns the new record, and until when it is
    /// listed.
    async fn merged(
        &self,
        movement: &Move<'_>,
        change: &mut Change<'_>,
        mut next: NewValue,
        mut listed: Option<Timestamp>,
    ) -> Result<Option<(NewValue, Timestamp)>, StoreError> {
        loop {
            let until = listed.unwrap_or(Timestamp::from_unix(0));
            let answer = self.call(|again| match self.connection.is_cluster() {
                true => self.commit_call(movement, change, &next, until),
                false => self.rotate_call(movement, change, &next, until, again),
            });
            match answer.await? {
                Reply::Ok(_) => return Ok(Some((next, until))),
                Reply::Found(value) => {
                    if !change.rebase(Some(value)).await? {
                        return Ok(None);
                    }
                }
                Reply::Gone => return Ok(None),
                Reply::Taken => return Err(StoreError::Conflict),
                Reply::List(_) | Reply::Unknown => return Err(unexpected_reply()),
            }
            let Some(newer) = change.next().await? else {
                return Ok(None);
            };
            next = newer;
            listed = self.list_new(movement, &next.record, listed).await?;
        }
    }

    /// Lists the session under its new key until it expires, before its record exists.
    async fn list_new(
        &self,
        movement: &Move<'_>,
        next: &Record,
        listed: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        if !self.lists_separately(movement.user)
            || listed.is_some_and(|until| until >= next.meta.expires)
        {
            return Ok(listed);
        }
        let listing = self.list(&next.meta, movement.to, movement.now);
        listing.await.map(Some)
    }

    fn rotate_call<'c>(
        &self,
        movement: &Move<'_>,
        change: &'c Change<'_>,
        next: &'c NewValue,
        listed: Timestamp,
        again: bool,
    ) -> Call<'c> {
        let record = &next.record;
        let (trace, until) = movement.trace(record);
        let args: [Cow<'c, str>; 10] = [
            change.expected.rest.as_str().into(),
            next.rest.as_str().into(),
            second(record.meta.expires).into(),
            second(listed).into(),
            flag(again).into(),
            trace.into(),
            second(until).into(),
            record.meta.public_id.to_string().into(),
            second(record.meta.created).into(),
            second(record.meta.renewed).into(),
        ];
        let keys = [&change.expected.key, movement.to].map(|key| self.names.session(key));
        let keys = keys.into_iter().chain(self.script_index());
        Call::new(&script::ROTATE, keys, args)
    }

    fn commit_call<'c>(
        &self,
        movement: &Move<'_>,
        change: &'c Change<'_>,
        next: &NewValue,
        listed: Timestamp,
    ) -> Call<'c> {
        let trace = carrying(
            &movement.trace(&next.record).0,
            &value_of(listed, &next.rest),
        );
        let args: [Cow<'c, str>; 3] = [
            change.expected.rest.as_str().into(),
            trace.into(),
            second(next.record.meta.expires).into(),
        ];
        Call::new(
            &script::COMMIT,
            [self.names.session(&change.expected.key)],
            args,
        )
    }

    /// In a cluster, reserves the new key for the record.
    async fn reserve(&self, movement: &Move<'_>) -> Result<(), StoreError> {
        if !self.connection.is_cluster() {
            return Ok(());
        }
        let reserved = self.call(|_| {
            let args = [movement.reservation(), RESERVED_FOR.to_owned()];
            Call::new(&script::RESERVE, [self.names.session(movement.to)], args)
        });
        match reserved.await? {
            Reply::Ok(_) => Ok(()),
            Reply::Taken => Err(StoreError::Conflict),
            _ => Err(unexpected_reply()),
        }
    }

    /// Reverts [`RedisStore::reserve`].
    async fn unreserve(&self, movement: &Move<'_>) -> Result<(), StoreError> {
        if !self.connection.is_cluster() {
            return Ok(());
        }
        let reservation = movement.reservation();
        self.settle(movement.to, &reservation, "", "").await
    }

    /// Stores the record under its new key, unless a single script has done so. Returns `None` if
    /// the session was deleted during the move.
    async fn fill(
        &self,
        movement: &Move<'_>,
        from: &StoreKey,
        next: NewValue,
        listed: Timestamp,
    ) -> Result<Option<Box<Record>>, StoreError> {
        if !self.connection.is_cluster() {
            return Ok(Some(next.record));
        }
        let value = value_of(listed, &next.rest);
        let filled = self.call(|_| {
            let until = second(next.record.meta.expires);
            let args = [value.clone(), until, movement.reservation()];
            Call::new(&script::FILL, [self.names.session(movement.to)], args)
        });
        let filled = filled.await?;
        let (trace, until) = movement.trace(&next.record);
        let before = carrying(&trace, &value);
        self.settle(from, &before, &trace, &second(until)).await?;
        match filled {
            Reply::Ok(_) => Ok(Some(next.record)),
            Reply::Gone => Ok(None),
            _ => Err(unexpected_reply()),
        }
    }

    /// Removes the key that no longer has a record from the index.
    async fn relist(
        &self,
        movement: &Move<'_>,
        from: &StoreKey,
        patched: &Patched,
    ) -> Result<(), StoreError> {
        let public_id = movement.base.meta.public_id;
        let (key, user) = match patched {
            Patched::Applied(_) => (from, movement.base.meta.user.as_deref()),
            Patched::Gone => (movement.to, movement.user),
        };
        let of_user = async {
            match user {
                Some(user) => self.unlist(user, &[member(public_id, key)]).await,
                None => Ok(()),
            }
        };
        // Not as deleted: a session that is gone from one key may exist under another.
        try_join(of_user, self.delist(public_id, key, false)).await?;
        Ok(())
    }
}

impl Move<'_> {
    /// Returns the value of the new key until the record is stored.
    fn reservation(&self) -> String {
        reservation(self.base.meta.public_id, self.from, self.user)
    }

    /// Returns the value that remains under the old key, and until when.
    fn trace(&self, next: &Record) -> (String, Timestamp) {
        match self.rotation {
            Rotation::Renewal(_) => (pointer(self.to, next.meta.expires), next.meta.expires),
            Rotation::Replacement => {
                let until = retired_until(self.now);
                (marker(until, Some(self.to)), until)
            }
        }
    }
}
