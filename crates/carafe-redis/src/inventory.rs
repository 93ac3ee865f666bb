//! The index of all sessions, and what is found through it.
//!
//! Every session stands in three sorted sets, as `handle:key` or as its handle. The handle stays when the
//! session gets a new key, so all members of a session are in the same sets whatever happens:
//!
//! | set | scored by | for |
//! |---|---|---|
//! | `carafe:all` | the second of the id | pages, samples, walks |
//! | `carafe:all:c:xy` | the beginning | finding a handle, ending all that began by then |
//! | `carafe:all:u:xy` | the end | forgetting what is over |
//!
//! `xy` begins the handle. So the latter two are 4,096 small sets each, which Redis packs: up to half a million
//! sessions they take less than half of what two large ones would. A member never changes: a moved session gets another.
//!
//! On one server the scripts that change a record change these sets in the same step. In a cluster the index is in 16
//! parts in slots of their own, and what holds is what `users` says of its index: **a session is listed
//! before it is there, and until it is gone.** Members go with their records, by time, and otherwise never because a
//! record is not there, unless the look and the removal are one step.
//!
//! This file reads; `ends` ends sessions and `sweep` forgets them.

use std::collections::HashSet;

use carafe_core::{
    clock::Timestamp,
    store::{
        Batch, BoxFuture, Cursor, Handle, Inventory, Position, Record, Sample, StoreError,
        StoreKey, Summary,
    },
};
use futures_util::future::try_join_all;

use crate::{
    RedisStore,
    found::Found,
    names::member_of,
    place::Place,
    reply,
    script::{self, Call},
};

/// How many a sample looks at at least, so that its estimate of what is alive is worth something.
const LOOK: usize = 256;

impl RedisStore {
    async fn newest_it(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Summary>, StoreError> {
        let (mut after, mut page, mut seen) = (after.map(Place::of), Vec::new(), HashSet::new());
        while page.len() < limit {
            let wanted = limit - page.len();
            let found = self.newest_places(after.as_ref(), wanted.max(8)).await?;
            let sessions = self.live(&found.places, now).await?;
            let unseen = sessions
                .into_iter()
                .filter(|session| seen.insert(session.handle));
            page.extend(unseen.take(wanted));
            if found.is_end {
                break;
            }
            after = found.places.into_iter().last();
        }
        Ok(page)
    }

    /// The live sessions at these places, in their order.
    async fn live(&self, places: &[Place], now: Timestamp) -> Result<Vec<Summary>, StoreError> {
        let keys: Vec<_> = places.iter().filter_map(Place::session).collect();
        let found = self.glances(keys.iter().map(|(_, key)| key)).await?;
        let found = found.into_iter().flatten();
        Ok(found.filter(|session| !session.is_expired(now)).collect())
    }

    /// The members of a session: one, and a second while it moves.
    pub(crate) async fn members_of(&self, handle: Handle) -> Result<Vec<StoreKey>, StoreError> {
        let handle = handle.to_string();
        let call = Call::new(
            &script::NAMED,
            [self.names.sets(&handle).by_start],
            vec![handle],
        );
        let texts = reply::texts(self.ask(&call).await?)?;
        let members = texts.iter().filter_map(|text| member_of(text));
        Ok(members.map(|(_, key)| key).collect())
    }

    async fn of_handle_it(
        &self,
        handle: Handle,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let mut seen = HashSet::new();
        loop {
            let mut is_new = false;
            for key in self.members_of(handle).await? {
                is_new |= seen.insert(key);
                if let Some(record) = self.settled(&key).await?
                    && record.handle == handle
                {
                    return Ok((!record.is_expired(now)).then_some(record));
                }
            }
            // One that moves away while it is looked for is listed under its new key by then.
            if !is_new {
                return Ok(None);
            }
        }
    }

    /// The record under this key and no other, waiting for one that is on its way.
    pub(crate) async fn settled(&self, key: &StoreKey) -> Result<Option<Record>, StoreError> {
        loop {
            match self.find(key).await? {
                Found::Record(record) => return Ok(Some(record)),
                Found::Alias(..) | Found::Nothing => return Ok(None),
                Found::Pending(..) => self.pause().await,
            }
        }
    }

    async fn sample_it(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        let (listed, members) = self.some_members(limit.max(LOOK)).await?;
        let keys: HashSet<_> = members.iter().filter_map(|text| member_of(text)).collect();
        let found = self.glances(keys.iter().map(|(_, key)| key)).await?;
        let mut seen = HashSet::new();
        let mut sessions: Vec<_> = found.into_iter().flatten().collect();
        sessions.retain(|session| !session.is_expired(now) && seen.insert(session.handle));
        let (live, is_all) = (sessions.len() as u64, members.len() as u64 >= listed);
        sessions.truncate(limit);
        Ok(Sample {
            exact: is_all && sessions.len() as u64 == live,
            // What is listed, less as many of the dead as were met.
            total: if is_all {
                live
            } else {
                (u128::from(listed) * u128::from(live) / members.len().max(1) as u128) as u64
            },
            sessions,
        })
    }

    /// How many members there are, and about `count` of them at random, or all if they are no more. In a cluster
    /// each part gives as many, since handles are random and the parts therefore alike.
    async fn some_members(&self, count: usize) -> Result<(u64, Vec<String>), StoreError> {
        let share = count.div_ceil(self.names.parts());
        let parts = self.names.indices().map(|index| async move {
            let (mut length, mut members) = (redis::cmd("ZCARD"), redis::cmd("ZRANDMEMBER"));
            length.arg(&index);
            members.arg(&index).arg(share);
            let length = redis::from_redis_value(self.read(&length).await?);
            let length: u64 = length.map_err(StoreError::corrupt)?;
            let members = reply::texts(self.read(&members).await?)?;
            // Fewer than asked for are all of them, whatever has come or gone since they were counted.
            let is_all = members.len() < share;
            let length = if is_all { members.len() as u64 } else { length };
            Ok::<_, StoreError>((length, members))
        });
        let parts = try_join_all(parts).await?;
        let listed = parts.iter().map(|(length, _)| length).sum();
        Ok((listed, parts.into_iter().flat_map(|part| part.1).collect()))
    }
}

impl Inventory for RedisStore {
    fn newest<'a>(
        &'a self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(self.within(self.deadlines.read, self.newest_it(after, limit, now)))
    }

    fn of_handle<'a>(
        &'a self,
        handle: Handle,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.within(self.deadlines.read, self.of_handle_it(handle, now)))
    }

    fn delete_of_handle<'a>(&'a self, handle: Handle) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let ender = self.ender();
            ender.run(ender.delete_of_handle_it(handle)).await
        })
    }

    fn delete_begun<'a>(
        &'a self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let ender = self.ender();
            ender.run(ender.delete_begun_it(until, limit)).await
        })
    }

    fn sample<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Sample, StoreError>> {
        Box::pin(self.within(self.deadlines.read, self.sample_it(limit, now)))
    }

    fn walk<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Batch, StoreError>> {
        Box::pin(self.within(self.deadlines.read, self.walk_it(after, limit)))
    }
}
