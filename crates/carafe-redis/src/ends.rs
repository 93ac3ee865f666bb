//! Ending sessions that the index of all leads to.
//!
//! A session that moves away while it is looked for is listed under its new key by then, in the same sets: so
//! whoever looks again until nothing new is there has met it.

use std::collections::HashSet;

use carafe_core::{
    clock::Timestamp,
    store::{Handle, StoreError, StoreKey},
};
use futures_util::future::try_join_all;

use crate::{
    RedisStore,
    layout::second,
    names::member_of,
    reply,
    script::{self, Call},
    users::Removed,
};

/// How many members one look at a row of sets gives, if a set is not larger.
const ENOUGH: usize = 512;

type Member = (Handle, StoreKey);

impl RedisStore {
    pub(crate) async fn delete_of_handle_it(&self, handle: Handle) -> Result<bool, StoreError> {
        let (mut seen, mut was_there) = (HashSet::new(), false);
        loop {
            let members = self.members_of(handle).await?;
            let mut is_new = false;
            for key in members {
                if seen.insert(key) {
                    is_new = true;
                    was_there |= self.end(handle, &key).await?;
                }
            }
            if !is_new {
                self.confirm(seen).await?;
                return Ok(was_there);
            }
        }
    }

    /// Takes the session away that the index names; whether it was there.
    async fn end(&self, handle: Handle, key: &StoreKey) -> Result<bool, StoreError> {
        match self.remove(key, None, Some(handle)).await {
            Ok(Removed::Yes) => Ok(true),
            Ok(Removed::Reservation(from)) => self.end_on_its_way(handle, &from, key).await,
            Ok(Removed::No) => self.delist_old(handle, key).await.map(|()| false),
            // Something else under the key is not touched, and lets nobody in.
            Ok(Removed::Moved(_)) | Err(StoreError::Corrupt(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes the session away whose reservation was taken away; whether it was there. If it had moved, the reservation
    /// was all that there was of it; if not, it is where it was, unless somebody else has ended it.
    async fn end_on_its_way(
        &self,
        handle: Handle,
        from: &StoreKey,
        to: &StoreKey,
    ) -> Result<bool, StoreError> {
        match self.remove(from, None, Some(handle)).await? {
            Removed::Yes => Ok(true),
            Removed::Moved(moved) => Ok(moved == *to),
            Removed::No | Removed::Reservation(_) => Ok(false),
        }
    }

    pub(crate) async fn delete_begun_it(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let (mut seen, mut ended) = (HashSet::new(), HashSet::new());
        for row in self.names.rows('c') {
            let mut sets = &row[..];
            while !sets.is_empty() && ended.len() < limit {
                let (whole, texts) = self.up_to(sets, until, ENOUGH).await?;
                let members = texts.iter().filter_map(|text| member_of(text));
                let unseen = members.filter(|member| !seen.contains(member));
                let some: Vec<_> = unseen.take(limit - ended.len()).collect();
                if some.is_empty() {
                    sets = sets.get(whole..).unwrap_or_default();
                }
                seen.extend(&some);
                ended.extend(self.end_all(&some).await?);
            }
        }
        self.confirm(seen.iter().map(|(_, key)| *key)).await?;
        Ok(ended.len() as u64)
    }

    /// The handles of those that were there: a session that moves in a cluster is a record and a reservation at
    /// once, of which two calls may meet one each.
    async fn end_all(&self, members: &[Member]) -> Result<Vec<Handle>, StoreError> {
        let ends = members.iter().map(|(handle, key)| async move {
            let was_there = self.end(*handle, key).await?;
            Ok::<_, StoreError>(was_there.then_some(*handle))
        });
        Ok(try_join_all(ends).await?.into_iter().flatten().collect())
    }

    /// What stands in the first of these sets up to a moment, and how many sets that were.
    pub(crate) async fn up_to(
        &self,
        sets: &[String],
        until: Timestamp,
        enough: usize,
    ) -> Result<(usize, Vec<String>), StoreError> {
        let args = vec![second(until), enough.to_string()];
        let call = Call::new(&script::UP_TO, sets.to_vec(), args);
        let (whole, texts) = reply::reading(self.ask(&call).await?)?;
        Ok((whole.max(1), texts))
    }
}
