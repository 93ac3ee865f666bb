//! The sessions of a user: a sorted set of `handle:key`, scored by the second until which it counts.
//!
//! The set and the sessions are in different slots of a cluster, so no script changes both. What holds
//! instead: **a session is listed before it is there, and until it is gone.** `create` and `rotate`
//! list the new key first; the record notes until when it is listed, and a refresh past that makes the
//! scripts ask for a longer listing before they prolong the record. So the set may name too much, never
//! too little; readers ask the record itself. A key that moves away while the set is read has its new
//! name in the set already, therefore readers look again until they see nothing new.
//!
//! A member is taken out by whoever has deleted its record, and by time: never because a record is not
//! there, since it may be about to come.

use std::{cmp::Reverse, collections::HashSet};

use carafe_core::{
    clock::Timestamp,
    store::{BoxFuture, Handle, Record, StoreError, StoreKey, Summary, UserSessions, Which},
};
use futures_util::future::try_join_all;

use crate::{
    RedisStore,
    changes::given,
    found::Found,
    layout::{listed_until, second},
    names::{member, member_of, text_of_key},
    reply::{self, Reply},
    script::{self, Call},
};

type Member = (Handle, StoreKey);

impl RedisStore {
    /// Lists a session that expires at `expires`; until when.
    pub(crate) async fn list(
        &self,
        user: &str,
        handle: Handle,
        key: &StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        let until = listed_until(expires, now);
        let listed = self.call(|_| {
            let args = vec![second(until), member(handle, key)];
            Call::new(&script::LIST, [self.names.user(user)], args)
        });
        listed.await.map(|_| until)
    }

    pub(crate) async fn unlist(&self, user: &str, members: &[String]) -> Result<(), StoreError> {
        if members.is_empty() {
            return Ok(());
        }
        let mut command = redis::cmd("ZREM");
        command.arg(self.names.user(user)).arg(members);
        self.read(&command).await.map(drop)
    }

    /// Takes a record away, of this user if one is given, and out of the index.
    pub(crate) async fn remove(
        &self,
        key: &StoreKey,
        user: Option<&str>,
    ) -> Result<Reply, StoreError> {
        let removed = self.call(|_| {
            let args = vec![given(user)];
            Call::new(&script::REMOVE, [self.names.session(key)], args)
        });
        let reply = removed.await?;
        if let Reply::Ok(fields) = &reply
            && let Some((user, handle)) = fields.first()
            && let Some(user) = user.strip_prefix('+')
        {
            self.unlist(user, &[format!("{handle}:{}", text_of_key(key))])
                .await?;
        }
        Ok(reply)
    }

    /// The members that are not in `seen`, which they are added to.
    async fn unseen(
        &self,
        user: &str,
        seen: &mut HashSet<Member>,
    ) -> Result<Vec<Member>, StoreError> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(self.names.user(user)).arg(0).arg(-1);
        let texts = reply::texts(self.read(&command).await?)?;
        // What is no member of ours is nobody's session.
        let members = texts.iter().filter_map(|text| member_of(text));
        Ok(members.filter(|&member| seen.insert(member)).collect())
    }

    async fn of_user_it(&self, user: &str, now: Timestamp) -> Result<Vec<Summary>, StoreError> {
        let (mut seen, mut records) = (HashSet::new(), Vec::<Record>::new());
        loop {
            let members = self.unseen(user, &mut seen).await?;
            let reads = members.iter().map(|(_, key)| self.settled(key));
            let found = try_join_all(reads).await?;
            let all_there = found.iter().all(Option::is_some);
            for record in found.into_iter().flatten() {
                let listed = records.iter().any(|other| other.handle == record.handle);
                if record.user.as_deref() == Some(user) && !record.is_expired(now) && !listed {
                    records.push(record);
                }
            }
            if all_there {
                records.sort_by_key(|record| Reverse((record.renewed, record.handle)));
                return Ok(records.iter().map(Record::summary).collect());
            }
        }
    }

    /// The record under this key and no other, waiting for one that is on its way.
    async fn settled(&self, key: &StoreKey) -> Result<Option<Record>, StoreError> {
        loop {
            match self.find(key).await? {
                Found::Record(record) => return Ok(Some(*record)),
                Found::Alias(..) | Found::Nothing => return Ok(None),
                Found::Pending => self.pause().await,
            }
        }
    }

    async fn delete_of_user_it(&self, user: &str, which: Which) -> Result<u64, StoreError> {
        // By handle: a session that moves in a cluster is a record and a reservation at once.
        let (mut seen, mut deleted) = (HashSet::new(), HashSet::new());
        loop {
            let members = self.unseen(user, &mut seen).await?;
            if members.is_empty() {
                return Ok(deleted.len() as u64);
            }
            let meant = members.iter().filter(|(handle, _)| which.includes(*handle));
            let removals = meant.map(|&(handle, key)| async move {
                let reply = self.remove(&key, Some(user)).await?;
                Ok(matches!(reply, Reply::Ok(_)).then_some(handle))
            });
            let removed: Vec<_> = try_join_all(removals).await?;
            deleted.extend(removed.into_iter().flatten());
        }
    }
}

impl UserSessions for RedisStore {
    fn of_user<'a>(
        &'a self,
        user: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(self.within(self.deadlines.read, self.of_user_it(user, now)))
    }

    fn delete_of_user<'a>(
        &'a self,
        user: &'a str,
        which: Which,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.within(self.deadlines.write, self.delete_of_user_it(user, which)))
    }
}
