//! The sessions of a user and of all users, in two stores.

use std::collections::{HashSet, VecDeque};

use super::MigratingStore;
use crate::{
    clock::Timestamp,
    store::{
        Cursor, ErasedSessionListing, ErasedUserSessions, Position, PublicId, Record, Sample,
        ScanPage, Selection, SessionListing, SessionMeta, StoreError, UserSessions,
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
    fn users(&self) -> Result<[&dyn ErasedUserSessions; 2], StoreError> {
        let both = self.old.powers().users().zip(self.new.powers().users());
        both.map(<[_; 2]>::from).ok_or(StoreError::Unsupported)
    }

    fn listings(&self) -> Result<[&dyn ErasedSessionListing; 2], StoreError> {
        let both = self.old.powers().listing().zip(self.new.powers().listing());
        both.map(<[_; 2]>::from).ok_or(StoreError::Unsupported)
    }

    /// Returns the `limit` sessions of `user` with the oldest IDs that are not among `keep` others.
    async fn surplus(
        &self,
        user: &str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let (mut kept, mut last_kept, mut surplus) = (0, None, VecDeque::new());
        let mut after = None;
        loop {
            let page = UserSessions::list_by_user(self, user, after, STEP, now).await?;
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
        sessions.truncate(limit);
        Ok(sessions)
    }
}

/// Queries the old store first.
///
/// A session that is migrated between the calls is then listed twice and not missed.
impl SessionListing for MigratingStore {
    async fn list(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let [old, new] = self.listings()?;
        let before = old.list(after, limit, now).await?;
        Ok(merged(before, new.list(after, limit, now).await?, limit))
    }

    async fn find(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let [old, new] = self.listings()?;
        let before = old.find(public_id, now).await?;
        Ok(new.find(public_id, now).await?.or(before))
    }

    async fn delete_by_public_id(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let [old, new] = self.listings()?;
        let was_old = old.delete_by_public_id(public_id, now).await?;
        Ok(new.delete_by_public_id(public_id, now).await? || was_old)
    }

    async fn delete_created_before(
        &self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let [old, new] = self.listings()?;
        match old.delete_created_before(until, limit, now).await? {
            0 => new.delete_created_before(until, limit, now).await,
            deleted => Ok(deleted),
        }
    }

    /// Samples each store in proportion to its number of sessions.
    async fn sample(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        let [old, new] = self.listings()?;
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

    /// Unsupported: scan each store separately.
    async fn scan(&self, _: Option<&Cursor>, _: usize) -> Result<ScanPage, StoreError> {
        Err(StoreError::Unsupported)
    }
}

/// Queries the old store first, as above.
impl UserSessions for MigratingStore {
    async fn list_by_user(
        &self,
        user: &str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let [old, new] = self.users()?;
        let before = old.list_by_user(user, after, limit, now).await?;
        let sessions = new.list_by_user(user, after, limit, now).await?;
        Ok(merged(before, sessions, limit))
    }

    /// A session that an interrupted migration left in both stores counts twice.
    async fn delete_by_user(
        &self,
        user: &str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let [old, new] = self.users()?;
        match old.delete_by_user(user, which, limit, now).await? {
            0 => new.delete_by_user(user, which, limit, now).await,
            deleted => Ok(deleted),
        }
    }

    async fn trim(
        &self,
        user: &str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut trimmed = 0;
        for session in self.surplus(user, keep, own, limit, now).await? {
            let only = Selection::Only(session.public_id);
            trimmed += UserSessions::delete_by_user(self, user, only, 1, now).await?;
        }
        Ok(trimmed)
    }
}
