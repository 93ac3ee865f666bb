//! The trim of a user's sessions to a limit: the newest are kept, and the oldest are revoked.

use std::collections::HashSet;

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, StoreError, StoreKey},
};
use futures_util::future::try_join;

use super::MAX_CONCURRENT;
use crate::{
    RedisStore,
    index_entry::{IndexEntry, Order},
};

/// The sessions that a trim keeps.
struct Kept {
    public_ids: HashSet<PublicId>,
    /// The highest score of sessions to revoke.
    last: i64,
}

impl RedisStore {
    /// Revokes the oldest sessions of a user beyond `keep`, at most `limit` of them.
    pub(super) async fn trim_user(
        &self,
        user: &str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (old, listed) = (self.names.old_user(user), self.names.user(user).by_renewal);
        let (old, listed) = try_join(self.members_in(&old), self.members_in(&listed)).await?;
        if old + listed <= keep as u64 {
            return Ok(0);
        }
        // Two concurrent trims would each keep their own session as the newest, and revoke the
        // other's.
        let _lock = self.key_locks.lock(&StoreKey::of_id(user)).await;
        self.adopt(user).await?;
        let Some(kept) = self.kept(user, keep, own, now).await? else {
            return Ok(0);
        };
        let (mut seen, mut ended, mut at) = (Vec::new(), HashSet::new(), None);
        while ended.len() < limit {
            let wanted = MAX_CONCURRENT.min(limit - ended.len());
            let found = self.entries_of_user(user, Order::OldestFirst, at.as_ref(), wanted);
            let (entries, is_end) = found.await?;
            let meant = entries
                .iter()
                .filter_map(|entry| Some((entry.session()?, entry)));
            let meant = meant.filter(|((public_id, _), entry)| {
                !kept.public_ids.contains(public_id) && entry.score <= kept.last
            });
            let (members, met): (Vec<_>, Vec<_>) = meant
                .take(wanted)
                .map(|(member, entry)| (member, entry.clone()))
                .unzip();
            let some = self.retire_all(user, &members, &met, now).await?;
            seen.extend(members.iter().map(|(_, key)| *key));
            let live = some
                .sessions
                .iter()
                .filter(|session| !session.is_expired(now));
            ended.extend(live.map(|session| session.public_id));
            let is_past = entries.last().is_none_or(|entry| entry.score > kept.last);
            at = match met.len() == wanted {
                true => met.into_iter().last(),
                false => entries.into_iter().last(),
            };
            if (is_end || is_past) && members.len() < wanted {
                break;
            }
        }
        self.confirm(seen).await?;
        Ok(ended.len() as u64)
    }

    /// Returns the live sessions that a trim keeps, or `None` if there are no others.
    async fn kept(
        &self,
        user: &str,
        keep: usize,
        own: PublicId,
        now: Timestamp,
    ) -> Result<Option<Kept>, StoreError> {
        let (mut live, mut at) = (Vec::<(Timestamp, bool, IndexEntry)>::new(), None);
        let mut public_ids = HashSet::new();
        loop {
            let wanted = (keep + 1).saturating_sub(live.len());
            let found = self.entries_of_user(user, Order::NewestFirst, at.as_ref(), wanted);
            let (entries, is_end) = found.await?;
            let members: Vec<_> = entries.iter().filter_map(IndexEntry::session).collect();
            let found = self.metas(members.iter().map(|(_, key)| key)).await?;
            for session in found.into_iter().flatten() {
                let is_theirs = session.user.as_deref() == Some(user);
                if is_theirs && !session.is_expired(now) && public_ids.insert(session.public_id) {
                    let entry = IndexEntry::of(session.position());
                    live.push((session.renewed, session.public_id == own, entry));
                }
            }
            at = entries.into_iter().last();
            // All sessions of the last second that is kept must be known: the caller's own counts
            // as its newest.
            let last = live.last().map(|(renewed, ..)| *renewed);
            let is_known = live
                .get(keep.max(1) - 1)
                .is_some_and(|(renewed, ..)| last < Some(*renewed));
            if is_end || is_known {
                break;
            }
        }
        if live.len() <= keep {
            return Ok(None);
        }
        live.sort_by(|a, b| b.cmp(a));
        let first_out = IndexEntry::last_score(live[keep].0);
        live.truncate(keep);
        let kept = live.into_iter();
        Ok(Some(Kept {
            public_ids: kept
                .filter_map(|(.., entry)| entry.member.parse().ok())
                .collect(),
            last: first_out,
        }))
    }

    async fn members_in(&self, set: &str) -> Result<u64, StoreError> {
        let mut command = redis::cmd("ZCARD");
        command.arg(set);
        redis::from_redis_value(self.read(&command).await?).map_err(StoreError::corrupt)
    }
}
