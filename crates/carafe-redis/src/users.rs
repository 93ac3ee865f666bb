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
    store::{BoxFuture, Handle, StoreError, StoreKey, Summary, UserSessions, Which},
};
use futures_util::future::{try_join, try_join_all};

use crate::{
    RedisStore,
    call::unexpected,
    found::Found,
    layout::given,
    names::{member, member_of},
    reply::{self, Reply},
    script::{self, Call},
};

type Member = (Handle, StoreKey);

/// What became of a removal.
pub(crate) enum Removed {
    Yes,
    /// What was kept for a session on its way from this key, which may have been there still, or not.
    Reservation(StoreKey),
    /// There was nothing, or another user's.
    No,
    /// The key leads to this one.
    Moved(StoreKey),
}

impl RedisStore {
    pub(crate) async fn unlist(&self, user: &str, members: &[String]) -> Result<(), StoreError> {
        if members.is_empty() {
            return Ok(());
        }
        let mut command = redis::cmd("ZREM");
        command.arg(self.names.user(user)).arg(members);
        self.read(&command).await.map(drop)
    }

    /// Takes a record away, of this user if one is given, and out of the indices. `listed` is the handle by
    /// which the index of all sessions led to this key, if it did.
    pub(crate) async fn remove(
        &self,
        key: &StoreKey,
        user: Option<&str>,
        listed: Option<Handle>,
    ) -> Result<Removed, StoreError> {
        let removed = self.call(|_| {
            let listed = listed.map(|handle| handle.to_string());
            let args = [given(user), listed.unwrap_or_default()];
            let keys = [self.names.session(key)].into_iter();
            Call::new(&script::REMOVE, keys.chain(self.index_inside()), args)
        });
        match removed.await? {
            Reply::Ok(value) => self.forget(key, &value).await,
            Reply::Gone => Ok(Removed::No),
            Reply::Found(value) => match Found::glance(&value, key)? {
                Found::Alias(to, _) => Ok(Removed::Moved(to)),
                _ => Err(StoreError::corrupt("the facts of a record cannot be read")),
            },
            _ => Err(unexpected()),
        }
    }

    /// Takes what was under a key out of the indices.
    async fn forget(&self, key: &StoreKey, removed: &[u8]) -> Result<Removed, StoreError> {
        let (handle, user, what) = match Found::glance(removed, key)? {
            Found::Record(session) => (session.handle, session.user, Removed::Yes),
            Found::Pending(handle, from, user) => (handle, user, Removed::Reservation(from)),
            Found::Alias(..) | Found::Nothing => return Err(unexpected()),
        };
        let of_user = async {
            match user {
                Some(user) => self.unlist(&user, &[member(handle, key)]).await,
                None => Ok(()),
            }
        };
        // A reservation may go and its session stay.
        let ended = matches!(what, Removed::Yes);
        try_join(of_user, self.delist(handle, key, ended)).await?;
        Ok(what)
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
        let (mut seen, mut sessions) = (HashSet::new(), Vec::<Summary>::new());
        loop {
            let members = self.unseen(user, &mut seen).await?;
            let found = self.glances(members.iter().map(|(_, key)| key)).await?;
            let all_there = found.iter().all(Option::is_some);
            for session in found.into_iter().flatten() {
                let listed = sessions.iter().any(|other| other.handle == session.handle);
                if session.user.as_deref() == Some(user) && !session.is_expired(now) && !listed {
                    sessions.push(session);
                }
            }
            if all_there {
                sessions.sort_by_key(|session| Reverse(session.position()));
                return Ok(sessions);
            }
        }
    }

    async fn delete_of_user_it(&self, user: &str, which: Which) -> Result<u64, StoreError> {
        // By handle: a session that moves in a cluster is a record and a reservation at once.
        let (mut seen, mut deleted) = (HashSet::new(), HashSet::new());
        loop {
            let members = self.unseen(user, &mut seen).await?;
            if members.is_empty() {
                let meant = seen.iter().filter(|(handle, _)| which.includes(*handle));
                self.confirm(meant.map(|(_, key)| *key)).await?;
                return Ok(deleted.len() as u64);
            }
            let meant = members.iter().filter(|(handle, _)| which.includes(*handle));
            let removals = meant.map(|&(handle, key)| async move {
                let removed = self.remove(&key, Some(user), None).await?;
                let was_there = matches!(removed, Removed::Yes | Removed::Reservation(_));
                Ok(was_there.then_some(handle))
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
        Box::pin(async move {
            let ender = self.ender();
            ender.run(ender.delete_of_user_it(user, which)).await
        })
    }
}
