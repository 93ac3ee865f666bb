//! Deletes a user's surplus sessions.
//!
//! The sessions are counted again under a lock before a deletion: if two log-ins are concurrent and
//! both see one session too many, the second finds no surplus.

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, retired_until},
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

/// A live session: when its id was issued, and its public id.
type Place = (i64, Vec<u8>);

impl Trim<'_> {
    pub(crate) async fn run<D: Dialect>(&self, mut lease: Lease<D>) -> Result<u64, Failure> {
        let oldest = self.oldest(&mut lease, &self.statements.oldest_of_user);
        let mut ended = 0;
        if oldest.await?.len() > self.keep {
            D::batch(&mut lease, &self.statements.begin).await?;
            let oldest = self.oldest(&mut lease, &self.statements.lock_oldest_of_user);
            let surplus = self.surplus(oldest.await?);
            ended = self.retire(&mut lease, surplus).await?;
            D::batch(&mut lease, &self.statements.commit).await?;
        }
        lease.done();
        Ok(ended)
    }

    /// Returns the live sessions with the oldest ids, as many as needed.
    ///
    /// An unreadable row counts as a session: the statements that retire sessions do not read it.
    async fn oldest<D: Dialect>(
        &self,
        lease: &mut Lease<D>,
        query: &SqlStr,
    ) -> Result<Vec<Place>, Failure> {
        // One more than the number to keep or delete, because the session `own` may be skipped.
        let most = self.keep.saturating_add(self.limit).saturating_add(1);
        let user = self.user.into();
        let values = [user, user, self.now.into(), (most as u64).into()];
        let rows = D::rows(lease, query, &values).await?.into_iter();
        let places = rows.map(|columns| {
            let columns = columns.of(self.user)?;
            Ok((columns.renewed, columns.public_id))
        });
        places.collect()
    }

    /// Returns the number of other surplus sessions, and whether the session `own` is surplus.
    ///
    /// The session `own` sorts as the newest session of its second.
    fn surplus(&self, mut oldest: Vec<Place>) -> (u64, bool) {
        let own = self.own.as_bytes();
        oldest.sort_by_key(|(renewed, public_id)| (*renewed, public_id == own));
        let surplus = oldest.len().saturating_sub(self.keep).min(self.limit);
        let is_own = oldest[..surplus]
            .iter()
            .any(|(_, public_id)| public_id == own);
        (surplus as u64 - u64::from(is_own), is_own)
    }

    async fn retire<D: Dialect>(
        &self,
        lease: &mut Lease<D>,
        (others, is_own): (u64, bool),
    ) -> Result<u64, Failure> {
        let (statements, user, now) = (self.statements, self.user.into(), self.now.into());
        let (until, own) = (retired_until(self.now).into(), (&self.own).into());
        let mut ended = 0;
        if others > 0 {
            let values = [until, user, user, own, now, others.into(), user];
            ended += D::changed(lease, &statements.retire_oldest_of_user, &values).await?;
        }
        if is_own {
            let values = [until, own, user];
            ended += D::changed(lease, &statements.retire_one_of_user, &values).await?;
        }
        Ok(ended)
    }
}
