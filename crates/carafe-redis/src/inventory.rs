//! The index of all sessions, and reading it.
//!
//! Every session is in three sorted sets, as `public_id:key` or as its public id. The public id
//! does not change when the session gets a new key, so all members of a session are always in the
//! same sets:
//!
//! | set | score | used for |
//! |---|---|---|
//! | `carafe:all` | the second of the id | pages, samples, iteration |
//! | `carafe:all:c:xy` | the creation | finding a public id, `delete_created_before` |
//! | `carafe:all:u:xy` | the expiry | removing expired sessions |
//!
//! `xy` are the first two characters of the public id. The latter two are therefore 4,096 small
//! sets each, which Redis packs: up to half a million sessions they take less than half the memory
//! of two large sets. A member is never changed: a session with a new key gets a new member.
//!
//! On a single server the scripts that change a record change these sets in the same step. In a
//! cluster the index has 16 parts in slots of their own, with the same invariant as the index of a
//! user (`users`): **a session is listed before its record exists and until its record is gone.**
//! Members are removed with their records or after they expire. A missing record alone is no reason
//! to remove a member, unless one script checks and removes.
//!
//! This file reads the index; `revoke` deletes sessions through it and `sweep` removes expired
//! ones.

use std::collections::HashSet;

use carafe_core::{
    clock::Timestamp,
    store::{
        Cursor, Position, PublicId, Record, Sample, ScanPage, SessionListing, SessionMeta,
        StoreError, StoreKey,
    },
};
use futures_util::future::try_join_all;

use crate::{
    RedisStore,
    index_entry::IndexEntry,
    names::member_of,
    reply,
    script::{self, Call},
    value::StoredValue,
};

/// Minimum size of a sample, for a useful estimate of the number of live sessions.
const MIN_SAMPLE: usize = 256;

impl RedisStore {
    async fn read_page(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let (mut after, mut page, mut seen) =
            (after.map(IndexEntry::of), Vec::new(), HashSet::new());
        while page.len() < limit {
            let wanted = limit - page.len();
            let found = self.newest_entries(after.as_ref(), wanted.max(8)).await?;
            let sessions = self.live(&found.entries, now).await?;
            let unseen = sessions
                .into_iter()
                .filter(|session| seen.insert(session.public_id));
            page.extend(unseen.take(wanted));
            if found.is_end {
                break;
            }
            after = found.entries.into_iter().last();
        }
        Ok(page)
    }

    /// Returns the live sessions of these entries, in the same order.
    async fn live(
        &self,
        entries: &[IndexEntry],
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let keys: Vec<_> = entries.iter().filter_map(IndexEntry::session).collect();
        let found = self.metas(keys.iter().map(|(_, key)| key)).await?;
        let found = found.into_iter().flatten();
        Ok(found.filter(|session| !session.is_expired(now)).collect())
    }

    /// Returns the keys of a session: one, and a second one while the session moves.
    pub(crate) async fn members_of(
        &self,
        public_id: PublicId,
    ) -> Result<Vec<StoreKey>, StoreError> {
        let public_id = public_id.to_string();
        let call = Call::new(
            &script::NAMED,
            [self.names.sets(&public_id).by_creation],
            vec![public_id],
        );
        let texts = reply::texts(self.query(&call).await?)?;
        let members = texts.iter().filter_map(|text| member_of(text));
        Ok(members.map(|(_, key)| key).collect())
    }

    async fn read_by_public_id(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let mut seen = HashSet::new();
        loop {
            let mut is_new = false;
            for key in self.members_of(public_id).await? {
                is_new |= seen.insert(key);
                if let Some(record) = self.record_at(&key).await?
                    && record.meta.public_id == public_id
                {
                    return Ok((!record.is_expired(now)).then_some(record));
                }
            }
            // A session that moves during the search is listed under its new key before the old one
            // is gone.
            if !is_new {
                return Ok(None);
            }
        }
    }

    /// Returns the record of this key without following pointers.
    pub(crate) async fn record_at(&self, key: &StoreKey) -> Result<Option<Record>, StoreError> {
        match self.stored(key).await? {
            StoredValue::Record(record) => Ok(Some(*record)),
            _ => Ok(None),
        }
    }

    async fn read_sample(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        let (listed, members) = self.some_members(limit.max(MIN_SAMPLE)).await?;
        let keys: HashSet<_> = members.iter().filter_map(|text| member_of(text)).collect();
        let found = self.metas(keys.iter().map(|(_, key)| key)).await?;
        let mut seen = HashSet::new();
        let mut sessions: Vec<_> = found.into_iter().flatten().collect();
        sessions.retain(|session| !session.is_expired(now) && seen.insert(session.public_id));
        let (live, is_all) = (sessions.len() as u64, members.len() as u64 >= listed);
        sessions.truncate(limit);
        Ok(Sample {
            exact: is_all && sessions.len() as u64 == live,
            // The number of members, scaled by the share of live ones in the sample.
            total: if is_all {
                live
            } else {
                (u128::from(listed) * u128::from(live) / members.len().max(1) as u128) as u64
            },
            sessions,
        })
    }

    /// Returns the number of members, and about `count` random ones, or all if there are no more.
    /// In a cluster each part gives the same number: public ids are random, so the parts are of
    /// similar size.
    async fn some_members(&self, count: usize) -> Result<(u64, Vec<String>), StoreError> {
        let share = count.div_ceil(self.names.parts());
        let parts = self.names.indices().map(|index| async move {
            let (mut length, mut members) = (redis::cmd("ZCARD"), redis::cmd("ZRANDMEMBER"));
            length.arg(&index);
            members.arg(&index).arg(share);
            let length = redis::from_redis_value(self.read(&length).await?);
            let length: u64 = length.map_err(StoreError::corrupt)?;
            let members = reply::texts(self.read(&members).await?)?;
            // Fewer members than requested are all there are, even if some were added or removed
            // after the count.
            let is_all = members.len() < share;
            let length = if is_all { members.len() as u64 } else { length };
            Ok::<_, StoreError>((length, members))
        });
        let parts = try_join_all(parts).await?;
        let listed = parts.iter().map(|(length, _)| length).sum();
        Ok((listed, parts.into_iter().flat_map(|part| part.1).collect()))
    }
}

impl SessionListing for RedisStore {
    async fn list(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        self.with_deadline(self.deadlines.read, self.read_page(after, limit, now))
            .await
    }

    async fn find(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        self.with_deadline(self.deadlines.read, self.read_by_public_id(public_id, now))
            .await
    }

    async fn delete_by_public_id(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let revoker = self.revoker();
        revoker
            .run(revoker.remove_by_public_id(public_id, now))
            .await
    }

    async fn delete_created_before(
        &self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let revoker = self.revoker();
        revoker
            .run(revoker.remove_created_before(until, limit, now))
            .await
    }

    async fn sample(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        self.with_deadline(self.deadlines.read, self.read_sample(limit, now))
            .await
    }

    async fn scan(&self, after: Option<&Cursor>, limit: usize) -> Result<ScanPage, StoreError> {
        self.with_deadline(self.deadlines.read, self.scan_page(after, limit))
            .await
    }
}
