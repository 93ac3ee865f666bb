//! The sessions of a user: two sorted sets of `public_id:key`, one scored by the second until which
//! a session counts (`e`), and one by the second of its id (`n`). Lists and revocations read as
//! many of them as requested.
//!
//! In a cluster the sets and the sessions are in different slots, so no script changes both. The
//! invariant instead: **a session is listed before its record exists and until its record is
//! gone.** `create` and `rotate` list the new key first. The record notes until when it is listed;
//! if a use prolongs it past that, the scripts request a longer listing before they prolong the
//! record. So the sets may name too many keys, never too few, and readers check the record itself.
//! When a key moves while the set is read, its new key is already in the set, so readers repeat
//! until they find nothing new.
//!
//! A member is removed by the call that has deleted its record, after it expires, or by a
//! revocation that finds its key retired, or finds no record and an id that is an hour old. A
//! missing record alone is no reason, since it may not be stored yet: a session that is created
//! with an old id is listed once more after its record is stored.

mod trim;

use std::collections::HashSet;

use carafe_core::{
    clock::Timestamp,
    store::{
        Position, PublicId, Selection, SessionMeta, StoreError, StoreKey, UserSessions,
        retired_until,
    },
};
use futures_util::future::{try_join, try_join_all};

use crate::{
    RedisStore,
    call::unexpected_reply,
    index_entry::{IndexEntry, Order},
    layout::{marker, optional_text, second},
    names::{member, member_of},
    reply::Reply,
    script::{self, Call},
    value::StoredValue,
};

type Member = (PublicId, StoreKey);

/// Number of concurrent commands of one call.
const MAX_CONCURRENT: usize = 250;
/// Smaller pages are not worth a command.
const MIN_PAGE: usize = 8;
/// Seconds after which the record of a listed key must be stored.
pub(crate) const LISTED_BEFORE: i64 = 3_600;

/// The result of a removal.
pub(crate) enum Removal {
    Yes(Box<SessionMeta>),
    /// A key that was reserved for this session, which moves from the second key. The session may
    /// still be under that key.
    Reservation(PublicId, StoreKey, Option<String>),
    /// There was no session, or it belongs to another user.
    No,
    /// The key leads to this one.
    Moved(StoreKey),
    /// The key was retired before, by a move to this key or by a revocation.
    Retired(Option<StoreKey>),
}

/// The sessions that were revoked together.
struct Revoked {
    sessions: Vec<SessionMeta>,
    /// Sessions that were moving in a cluster.
    moving: Vec<PublicId>,
}

impl RedisStore {
    pub(crate) async fn unlist(&self, user: &str, members: &[String]) -> Result<(), StoreError> {
        if members.is_empty() {
            return Ok(());
        }
        let removals = self.names.user(user).all().map(|set| async move {
            let mut command = redis::cmd("ZREM");
            command.arg(set).arg(members);
            self.read(&command).await
        });
        try_join_all(removals).await.map(drop)
    }

    /// Retires the key of a record and removes it from the indices. `listed` is the public id by
    /// which the index of all sessions led to this key, if it did.
    pub(crate) async fn remove(
        &self,
        key: &StoreKey,
        listed: Option<PublicId>,
        now: Timestamp,
    ) -> Result<Removal, StoreError> {
        let removed = self.retire(key, None, listed, now).await?;
        let (public_id, user) = match &removed {
            Removal::Yes(session) => (session.public_id, session.user.as_deref()),
            Removal::Reservation(public_id, _, user) => (*public_id, user.as_deref()),
            _ => return Ok(removed),
        };
        let of_user = async {
            match user {
                Some(user) => self.unlist(user, &[member(public_id, key)]).await,
                None => Ok(()),
            }
        };
        // The reservation is gone, but the session may still exist.
        let ended = matches!(removed, Removal::Yes(_));
        try_join(of_user, self.delist(public_id, key, ended)).await?;
        Ok(removed)
    }

    /// Like [`RedisStore::remove`], but leaves the indices that the script does not maintain. With
    /// `user`, only that user's session is retired.
    async fn retire(
        &self,
        key: &StoreKey,
        user: Option<&str>,
        listed: Option<PublicId>,
        now: Timestamp,
    ) -> Result<Removal, StoreError> {
        let removed = self.call(|_| {
            let listed = listed.map(|public_id| public_id.to_string());
            let until = retired_until(now);
            let args = [
                optional_text(user),
                listed.unwrap_or_default(),
                marker(until, None),
                second(until),
            ];
            let keys = [self.names.session(key)].into_iter();
            Call::new(&script::REMOVE, keys.chain(self.script_index()), args)
        });
        match removed.await? {
            Reply::Ok(value) => match StoredValue::parse_meta(&value, key)? {
                StoredValue::Record(session) => Ok(Removal::Yes(Box::new(session))),
                StoredValue::Pending(public_id, from, user) => {
                    Ok(Removal::Reservation(public_id, from, user))
                }
                _ => Err(unexpected_reply()),
            },
            Reply::Gone => Ok(Removal::No),
            Reply::Found(value) => match StoredValue::parse_meta(&value, key)? {
                StoredValue::Pointer(to, _) => Ok(Removal::Moved(to)),
                StoredValue::Marker(_, to) => Ok(Removal::Retired(to)),
                _ => Err(StoreError::corrupt("the facts of a record cannot be read")),
            },
            _ => Err(unexpected_reply()),
        }
    }

    /// Retires the keys of these sessions of a user, [`MAX_CONCURRENT`] per round trip, and removes
    /// from the indices those that are revoked and those that can no longer get a record.
    async fn retire_all(
        &self,
        user: &str,
        members: &[Member],
        entries: &[IndexEntry],
        now: Timestamp,
    ) -> Result<Revoked, StoreError> {
        let mut removed = Vec::with_capacity(members.len());
        for some in members.chunks(MAX_CONCURRENT) {
            let removals = some
                .iter()
                .map(|(_, key)| self.retire(key, Some(user), None, now));
            let removals = removals.map(|removal| async {
                match removal.await {
                    // A foreign value under the key is not touched, and gives no access.
                    Err(StoreError::Corrupt(_)) => Ok(Removal::No),
                    removed => removed,
                }
            });
            removed.extend(try_join_all(removals).await?);
        }
        let over = IndexEntry::first_score(now.saturating_add(-LISTED_BEFORE));
        let (mut unlisted, mut delisted, mut moving) = (Vec::new(), Vec::new(), Vec::new());
        for ((&(public_id, key), entry), removed) in members.iter().zip(entries).zip(&removed) {
            match removed {
                Removal::Yes(_) => delisted.push((public_id, key, true)),
                &Removal::Reservation(public_id, from, _) => {
                    delisted.push((public_id, key, false));
                    moving.push((public_id, from, key));
                }
                // No record is ever stored under a retired key.
                Removal::Moved(_) | Removal::Retired(_) => {}
                Removal::No if entry.score < over => {}
                Removal::No => continue,
            }
            unlisted.push(entry.member.clone());
        }
        let delisted = delisted
            .iter()
            .map(|(public_id, key, ended)| self.delist(*public_id, key, *ended));
        try_join(self.unlist(user, &unlisted), try_join_all(delisted)).await?;
        let ended = removed.into_iter().filter_map(|removed| match removed {
            Removal::Yes(session) => Some(*session),
            _ => None,
        });
        let ends = moving.iter().map(|(public_id, from, to)| async {
            let was_there = self.revoke_moving(*public_id, *from, to, now).await?;
            Ok::<_, StoreError>(was_there.then_some(*public_id))
        });
        Ok(Revoked {
            sessions: ended.collect(),
            moving: try_join_all(ends).await?.into_iter().flatten().collect(),
        })
    }

    /// Returns about `count` entries of a user's sessions.
    async fn entries_of_user(
        &self,
        user: &str,
        order: Order,
        after: Option<&IndexEntry>,
        count: usize,
    ) -> Result<(Vec<IndexEntry>, bool), StoreError> {
        let set = self.names.user(user).by_renewal;
        let found = self
            .entries_in(&set, order, after, count.clamp(MIN_PAGE, MAX_CONCURRENT))
            .await?;
        Ok((found.entries, found.is_end))
    }

    async fn list_from_index(
        &self,
        user: &str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        self.adopt(user).await?;
        let start = after.map(IndexEntry::of);
        let (mut seen, mut sessions) = (HashSet::new(), Vec::<SessionMeta>::new());
        loop {
            let (mut at, mut is_new, mut all_there) = (start.clone(), false, true);
            while sessions.len() < limit {
                let wanted = limit - sessions.len();
                let found = self.entries_of_user(user, Order::NewestFirst, at.as_ref(), wanted);
                let (entries, is_end) = found.await?;
                let members = entries.iter().filter_map(IndexEntry::session);
                let members: Vec<_> = members.filter(|&member| seen.insert(member)).collect();
                let found = self.metas(members.iter().map(|(_, key)| key)).await?;
                is_new |= !members.is_empty();
                all_there &= found.iter().all(Option::is_some);
                for session in found.into_iter().flatten() {
                    let is_theirs = session.user.as_deref() == Some(user);
                    let listed = sessions
                        .iter()
                        .any(|other| other.public_id == session.public_id);
                    if is_theirs && !session.is_expired(now) && !listed {
                        sessions.push(session);
                    }
                }
                at = entries.into_iter().last();
                if is_end {
                    break;
                }
            }
            // A session that got a new id since the list was started is found by starting again
            // from the top.
            if all_there || !is_new || start.is_some() {
                sessions.sort_by_cached_key(|session| {
                    std::cmp::Reverse(IndexEntry::of(session.position()))
                });
                sessions.truncate(limit);
                return Ok(sessions);
            }
        }
    }

    /// Revokes sessions, newest first, up to the limit. Repeats from the top while there are new
    /// members, because a session that moves during the search is listed under its new key.
    async fn remove_by_user(
        &self,
        user: &str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.adopt(user).await?;
        // By public id: a session that moves in a cluster is a record and a reservation at the same
        // time.
        let (mut seen, mut ended) = (HashSet::new(), HashSet::new());
        loop {
            let (mut at, mut is_new) = (None, false);
            while ended.len() < limit {
                let wanted = MAX_CONCURRENT.min(limit - ended.len());
                let found = self.entries_of_user(user, Order::NewestFirst, at.as_ref(), wanted);
                let (entries, is_end) = found.await?;
                let meant = entries
                    .iter()
                    .filter_map(|entry| Some((entry.session()?, entry)));
                let meant = meant.filter(|((public_id, key), _)| {
                    which.includes(*public_id) && !seen.contains(&(*public_id, *key))
                });
                let (members, met): (Vec<_>, Vec<_>) = meant
                    .take(wanted)
                    .map(|(member, entry)| (member, entry.clone()))
                    .unzip();
                is_new |= !members.is_empty();
                seen.extend(&members);
                let some = self.retire_all(user, &members, &met, now).await?;
                ended.extend(some.sessions.iter().map(|session| session.public_id));
                ended.extend(some.moving);
                // Members beyond the limit follow the last one that was processed.
                at = match met.len() == wanted {
                    true => met.into_iter().last(),
                    false => entries.into_iter().last(),
                };
                if is_end && members.len() < wanted {
                    break;
                }
            }
            if !is_new || !ended.is_empty() {
                self.confirm(seen.iter().map(|(_, key)| *key)).await?;
                return Ok(ended.len() as u64);
            }
        }
    }

    /// Converts the listing of layout 2: one set per user, scored by the second until which a
    /// session counts.
    async fn adopt(&self, user: &str) -> Result<(), StoreError> {
        let old = self.names.old_user(user);
        loop {
            let mut command = redis::cmd("ZRANGE");
            command
                .arg(&old)
                .arg(0)
                .arg(MAX_CONCURRENT - 1)
                .arg("WITHSCORES");
            let listed = redis::from_redis_value(self.read(&command).await?);
            let listed: Vec<(String, f64)> = listed.map_err(StoreError::corrupt)?;
            if listed.is_empty() {
                return Ok(());
            }
            let members = listed
                .iter()
                .map(|(text, until)| Some((member_of(text)?, *until)));
            let members: Vec<_> = members.flatten().collect();
            let found = self.metas(members.iter().map(|((_, key), _)| key)).await?;
            let moves = members
                .iter()
                .zip(&found)
                .map(|(&((public_id, key), until), session)| {
                    let renewed = session.as_ref().map(|session| session.renewed);
                    let position = Position {
                        // A session without a record yet is listed as the oldest.
                        renewed: renewed.unwrap_or(Timestamp::from_unix(0)),
                        public_id,
                    };
                    let until = Timestamp::from_unix(until as i64);
                    async move { self.list_of_user(user, position, &key, until).await }
                });
            try_join_all(moves).await?;
            let mut command = redis::cmd("ZREM");
            command.arg(&old);
            listed.iter().for_each(|(text, _)| {
                command.arg(text);
            });
            self.read(&command).await?;
        }
    }
}

impl UserSessions for RedisStore {
    async fn list_by_user(
        &self,
        user: &str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let list = self.list_from_index(user, after, limit, now);
        self.with_deadline(self.deadlines.read, list).await
    }

    async fn delete_by_user(
        &self,
        user: &str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let revoker = self.revoker();
        let deletion = revoker.remove_by_user(user, which, limit, now);
        revoker.run(deletion).await
    }

    async fn trim(
        &self,
        user: &str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let revoker = self.revoker();
        revoker
            .run(revoker.trim_user(user, keep, own, limit, now))
            .await
    }
}
