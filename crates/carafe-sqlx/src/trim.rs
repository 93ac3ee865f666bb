//! Deletes a user's surplus sessions.
//!
//! The sessions are counted again under a lock before a deletion: if two log-ins are concurrent and
//! both see one session too many, the second finds no surplus.

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, ReadableRows, SessionMeta, retired_until},
};
use sqlx::SqlStr;

use crate::{dialect::Dialect, failure::Failure, lease::Lease, statements::Statements};

pub(crate) struct Trim<'t> {
    pub(crate) statements: &'t Statements,
    pub(crate) user: &'t str,
    pub(crate) keep: usize,
    pub(crate) own: PublicId,
    pub(crate) limit: usize,
    pub(crate) now: Timestamp,
}

impl Trim<'_> {
    pub(crate) async fn run<D: Dialect>(&self, mut lease: Lease<D>) -> Result<u64, Failure> {
        let oldest = self.oldest(&mut lease, &self.statements.oldest_of_user);
        let mut ended = 0;
        if oldest.await?.len() > self.keep {
            D::batch(&mut lease, &self.statements.begin).await?;
            let oldest = self.oldest(&mut lease, &self.statements.lock_oldest_of_user);
            let surplus = self.surplus(oldest.await?);
            ended = self.retire(&mut lease, &surplus).await?;
            D::batch(&mut lease, &self.statements.commit).await?;
        }
        lease.done();
        Ok(ended)
    }

    /// Returns the live sessions with the oldest ids, as many as needed.
    async fn oldest<D: Dialect>(
        &self,
        lease: &mut Lease<D>,
        query: &SqlStr,
    ) -> Result<Vec<SessionMeta>, Failure> {
        // One more than the number to keep or delete, because the session `own` may be skipped.
        let most = self.keep.saturating_add(self.limit).saturating_add(1);
        let user = self.user.into();
        let values = [user, user, self.now.into(), (most as u64).into()];
        let mut sessions = ReadableRows::default();
        for columns in D::rows(lease, query, &values).await? {
            sessions.push(columns.of(self.user)?.summary())?;
        }
        Ok(sessions.into_read())
    }

    /// Returns the public ids of the surplus sessions.
    ///
    /// `own` sorts as the newest session of its second.
    fn surplus(&self, mut oldest: Vec<SessionMeta>) -> Vec<PublicId> {
        oldest.sort_by_key(|session| {
            let is_own = session.public_id == self.own;
            (session.renewed, is_own, session.public_id)
        });
        let surplus = oldest.len().saturating_sub(self.keep).min(self.limit);
        let first = oldest.iter().take(surplus);
        first.map(|session| session.public_id).collect()
    }

    async fn retire<D: Dialect>(
        &self,
        lease: &mut Lease<D>,
        handles: &[PublicId],
    ) -> Result<u64, Failure> {
        let (until, mut ended) = (retired_until(self.now).into(), 0);
        for public_id in handles {
            let values = [until, public_id.into(), self.user.into()];
            ended += D::changed(lease, &self.statements.retire_one_of_user, &values).await?;
        }
        Ok(ended)
    }
}
