//! The sessions of a user in two stores.

use std::collections::HashSet;

use super::Moving;
use crate::{
    clock::Timestamp,
    store::{BoxFuture, StoreError, Summary, UserSessions, Which},
};

impl Moving {
    async fn of_user_in_both(
        &self,
        user: &str,
        now: Timestamp,
    ) -> Result<Vec<Summary>, StoreError> {
        let (Some(old), Some(new)) = (self.old.users(), self.new.users()) else {
            return Err(StoreError::Unsupported);
        };
        // The old store first: what comes over between the looks is then seen twice, not missed.
        let before = old.of_user(user, now).await?;
        let mut sessions = new.of_user(user, now).await?;
        let known: HashSet<_> = sessions.iter().map(|session| session.handle).collect();
        let rest = before
            .into_iter()
            .filter(|session| !known.contains(&session.handle));
        sessions.extend(rest);
        sessions.sort_by_key(|session| std::cmp::Reverse(session.position()));
        Ok(sessions)
    }

    async fn delete_of_user_in_both(&self, user: &str, which: Which) -> Result<u64, StoreError> {
        let (Some(old), Some(new)) = (self.old.users(), self.new.users()) else {
            return Err(StoreError::Unsupported);
        };
        let deleted = old.delete_of_user(user, which).await?;
        Ok(deleted + new.delete_of_user(user, which).await?)
    }
}

impl UserSessions for Moving {
    fn of_user<'a>(
        &'a self,
        user: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        Box::pin(self.of_user_in_both(user, now))
    }

    /// As of each store; a session that a dead move has left in both counts twice.
    fn delete_of_user<'a>(
        &'a self,
        user: &'a str,
        which: Which,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.delete_of_user_in_both(user, which))
    }
}
