//! The sessions of a user and of all users, in two stores.

use std::collections::{HashSet, VecDeque};

use super::MigratingStore;
use crate::{
    clock::Timestamp,
    future::MaybeReady,
    store::{
        BoxFuture, Cursor, Position, PublicId, Record, Sample, ScanPage, Selection, SessionListing,
        SessionMeta, StoreError, UserSessions,
    },
};

/// Number of a user's sessions that are read in one call.
const STEP: usize = 500;

/// Merges the lists of both stores. For a session in both, the new store's entry is used.
fn merged(old: Vec<SessionMeta>, mut new: Vec<SessionMeta>, limit: usize) -> Vec<SessionMeta> {
    let known: HashSet<_> = new.iter().map(|session| session.public_id).collect();
    let only_old = |session: &SessionMeta| !known.contains(&session.public_id);
    new.extend(old.into_iter().filter(only_old));
    new.sort_by_key(|session| std::cmp::Reverse(session.position()));
    new.truncate(limit);
    new
}

impl MigratingStore {
    async fn list_by_user_in_both(
        &self,
        user: &str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let (Some(old), Some(new)) = (self.old.powers().users(), self.new.powers().users()) else {
            return Err(StoreError::Unsupported);
        };
        // The old store first, so that a session migrated between the calls is listed twice and not
        // missed.
        let before = old.list_by_user(user, after, limit, now).await?;
        let sessions = new.list_by_user(user, after, limit, now).await?;
        Ok(merged(before, sessions, limit))
    }

    /// The old store first, so that a session migrated in the meantime is not missed.
    async fn delete_by_user_in_both(
        &self,
        user: &str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (Some(old), Some(new)) = (self.old.powers().users(), self.new.powers().users()) else {
            return Err(StoreError::Unsupported);
        };
        match old.delete_by_user(user, which, limit, now).await? {
            0 => new.delete_by_user(user, which, limit, now).await,
            deleted => Ok(deleted),
        }
    }

    async fn trim_both(
        &self,
        user: &str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (mut kept, mut last_kept, mut surplus) = (0, None, VecDeque::new());
        let mut after = None;
        loop {
            let page = self.list_by_user_in_both(user, after, STEP, now).await?;
            let is_last = page.len() < STEP;
            after = page.last().map(SessionMeta::position);
            for session in page {
                if kept < keep {
                    (kept, last_kept) = (kept + 1, Some(session));
                    continue;
                }
                surplus.push_back(session);
                if surplus.len() > limit.saturating_add(1) {
                    surplus.pop_front();
                }
            }
            if is_last {
                break;
            }
        }
        // If `own` has the same second as the last kept session, `own` is kept in its place.
        if let Some(last) = last_kept
            && let Some(session) = surplus
                .iter_mut()
                .find(|session| session.public_id == own && session.renewed == last.renewed)
        {
            *session = last;
        }
        let mut sessions = Vec::from(surplus);
        sessions
            .sort_by_key(|session| (session.renewed, session.public_id == own, session.public_id));
        let mut trimmed = 0;
        for session in sessions.iter().take(limit) {
            let only = Selection::Only(session.public_id);
            trimmed += self.delete_by_user_in_both(user, only, 1, now).await?;
        }
        Ok(trimmed)
    }
}

/// Queries the old store's listing first.
///
/// A session that is migrated between the calls is then listed twice and not missed.
impl MigratingStore {
    fn inventories(&self) -> Result<[&dyn SessionListing; 2], StoreError> {
        let both = self.old.powers().listing().zip(self.new.powers().listing());
        both.map(<[_; 2]>::from).ok_or(StoreError::Unsupported)
    }

    async fn list_in_both(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let [old, new] = self.inventories()?;
        let before = old.list(after, limit, now).await?;
        Ok(merged(before, new.list(after, limit, now).await?, limit))
    }

    async fn find_in_both(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let [old, new] = self.inventories()?;
        let before = old.find(public_id, now).await?;
        Ok(new.find(public_id, now).await?.or(before))
    }

    async fn delete_by_public_id_in_both(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let [old, new] = self.inventories()?;
        let was_old = old.delete_by_public_id(public_id, now).await?;
        Ok(new.delete_by_public_id(public_id, now).await? || was_old)
    }

    async fn delete_created_before_in_both(
        &self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let [old, new] = self.inventories()?;
        match old.delete_created_before(until, limit, now).await? {
            0 => new.delete_created_before(until, limit, now).await,
            deleted => Ok(deleted),
        }
    }

    /// Samples each store in proportion to its number of sessions.
    async fn sample_of_both(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        let [old, new] = self.inventories()?;
        let (mut old, mut new) = (old.sample(limit, now).await?, new.sample(limit, now).await?);
        if old.exact && new.exact {
            let sessions = merged(old.sessions, new.sessions, usize::MAX);
            if sessions.len() <= limit {
                let total = sessions.len() as u64;
                return Ok(Sample {
                    sessions,
                    total,
                    exact: true,
                });
            }
            return Ok(Sample {
                total: sessions.len() as u64,
                sessions: sessions.into_iter().take(limit).collect(),
                exact: false,
            });
        }
        let total = old.total.saturating_add(new.total);
        let part = limit as u128 * u128::from(old.total) / u128::from(total.max(1));
        let part = usize::try_from(part).unwrap_or(limit);
        old.sessions.truncate(part);
        new.sessions.truncate(limit - old.sessions.len());
        Ok(Sample {
            sessions: merged(old.sessions, new.sessions, limit),
            total,
            exact: false,
        })
    }
}

impl SessionListing for MigratingStore {
    fn list<'a>(
        &'a self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<SessionMeta>, StoreError>> {
        Box::pin(self.list_in_both(after, limit, now))
    }

    fn find<'a>(
        &'a self,
        public_id: PublicId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.find_in_both(public_id, now))
    }

    fn delete_by_public_id<'a>(
        &'a self,
        public_id: PublicId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.delete_by_public_id_in_both(public_id, now))
    }

    fn delete_created_before<'a>(
        &'a self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.delete_created_before_in_both(until, limit, now))
    }

    fn sample<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Sample, StoreError>> {
        Box::pin(self.sample_of_both(limit, now))
    }

    /// Unsupported: scan each store separately.
    fn scan<'a>(
        &'a self,
        _: Option<&'a Cursor>,
        _: usize,
    ) -> BoxFuture<'a, Result<ScanPage, StoreError>> {
        Box::pin(async { Err(StoreError::Unsupported) })
    }
}

impl UserSessions for MigratingStore {
    fn list_by_user<'a>(
        &'a self,
        user: &'a str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<SessionMeta>, StoreError>> {
        Box::pin(self.list_by_user_in_both(user, after, limit, now))
    }

    /// A session that an interrupted migration left in both stores counts twice.
    fn delete_by_user<'a>(
        &'a self,
        user: &'a str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.delete_by_user_in_both(user, which, limit, now))
    }

    fn trim<'a>(
        &'a self,
        user: &'a str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<u64, StoreError>> {
        MaybeReady::later(self.trim_both(user, keep, own, limit, now))
    }
}
