//! Deletes sessions that are found through the index of all sessions.
//!
//! A session that moves during the search is listed under its new key, in the same sets, before its
//! old key is retired. A search that repeats until it finds nothing new has therefore seen it.

use std::collections::HashSet;

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, StoreError, StoreKey},
};
use futures_util::future::try_join_all;

use crate::{
    RedisStore,
    layout::second,
    names::member_of,
    reply,
    script::{self, Call},
    users::Removal,
};

/// Number of members to read from a row of sets at once; one set may have more.
const PAGE: usize = 512;

type Member = (PublicId, StoreKey);

impl RedisStore {
    pub(crate) async fn remove_by_public_id(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (mut seen, mut was_there) = (HashSet::new(), false);
        loop {
            let members = self.members_of(public_id).await?;
            let mut is_new = false;
            for key in members {
                if seen.insert(key) {
                    is_new = true;
                    was_there |= self.revoke(public_id, &key, now).await?;
                }
            }
            if !is_new {
                self.confirm(seen).await?;
                return Ok(was_there);
            }
        }
    }

    /// Deletes the session of a member of the index. Returns whether it existed.
    async fn revoke(
        &self,
        public_id: PublicId,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self.remove(key, Some(public_id), now).await {
            Ok(Removal::Yes(_)) => Ok(true),
            Ok(Removal::Reservation(_, from, _)) => {
                self.revoke_moving(public_id, from, key, now).await
            }
            Ok(Removal::No | Removal::Retired(_)) => {
                self.delist_old(public_id, key).await.map(|()| false)
            }
            // A foreign value under the key is not touched, and gives no access.
            Ok(Removal::Moved(_)) | Err(StoreError::Corrupt(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes a session after its reservation was deleted. Returns whether it existed. If the move
    /// was committed, the reservation was all that was left; otherwise the session is still under
    /// the old key, unless another call has deleted it.
    pub(crate) async fn revoke_moving(
        &self,
        public_id: PublicId,
        mut from: StoreKey,
        to: &StoreKey,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        loop {
            match self.remove(&from, Some(public_id), now).await? {
                Removal::Yes(_) => return Ok(true),
                Removal::Moved(moved) | Removal::Retired(Some(moved)) if moved == *to => {
                    return Ok(true);
                }
                Removal::Moved(moved) => from = moved,
                Removal::No | Removal::Retired(_) | Removal::Reservation(..) => return Ok(false),
            }
        }
    }

    pub(crate) async fn remove_created_before(
        &self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (mut seen, mut ended) = (HashSet::new(), HashSet::new());
        for row in self.names.rows('c') {
            let mut sets = &row[..];
            while !sets.is_empty() && ended.len() < limit {
                let (whole, texts) = self.up_to(sets, until, PAGE).await?;
                let members = texts.iter().filter_map(|text| member_of(text));
                let unseen = members.filter(|member| !seen.contains(member));
                let some: Vec<_> = unseen.take(limit - ended.len()).collect();
                if some.is_empty() {
                    sets = sets.get(whole..).unwrap_or_default();
                }
                seen.extend(&some);
                ended.extend(self.revoke_all(&some, now).await?);
            }
        }
        self.confirm(seen.iter().map(|(_, key)| *key)).await?;
        Ok(ended.len() as u64)
    }

    /// Returns the public ids of the sessions that existed: a session that moves in a cluster is a
    /// record and a reservation at the same time, and two calls may find one each.
    async fn revoke_all(
        &self,
        members: &[Member],
        now: Timestamp,
    ) -> Result<Vec<PublicId>, StoreError> {
        let ends = members.iter().map(|(public_id, key)| async move {
            let was_there = self.revoke(*public_id, key, now).await?;
            Ok::<_, StoreError>(was_there.then_some(*public_id))
        });
        Ok(try_join_all(ends).await?.into_iter().flatten().collect())
    }

    /// Returns the members with a score up to `until` in the first of these sets, and the number of
    /// sets that were read.
    pub(crate) async fn up_to(
        &self,
        sets: &[String],
        until: Timestamp,
        enough: usize,
    ) -> Result<(usize, Vec<String>), StoreError> {
        let args = vec![second(until), enough.to_string()];
        let call = Call::new(&script::UP_TO, sets.to_vec(), args);
        let (whole, texts) = reply::reading(self.query(&call).await?)?;
        Ok((whole.max(1), texts))
    }
}
