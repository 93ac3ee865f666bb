//! The optional operations of a store.

use super::{Position, Selection, SessionListing, SessionMeta, StoreError};
use crate::{
    clock::Timestamp,
    future::{BoxFuture, MaybeReady},
    id::PublicId,
};

/// The optional operations that a store supports.
///
/// ```
/// use carafe_core::store::{MemoryStore, SessionStore};
///
/// let store = MemoryStore::new();
/// assert!(store.powers().users().is_some());
/// ```
#[derive(Clone, Copy, Default)]
pub struct Powers<'s> {
    users: Option<&'s dyn UserSessions>,
    sweeper: Option<&'s dyn ExpiredSweep>,
    listing: Option<&'s dyn SessionListing>,
}

impl<'s> Powers<'s> {
    /// Returns a value without optional operations.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            users: None,
            sweeper: None,
            listing: None,
        }
    }

    /// Adds the sessions of users.
    #[must_use]
    pub const fn with_users(mut self, users: &'s dyn UserSessions) -> Self {
        self.users = Some(users);
        self
    }

    /// Adds the removal of expired records, for a store without a native time to live.
    #[must_use]
    pub const fn with_sweeper(mut self, sweeper: &'s dyn ExpiredSweep) -> Self {
        self.sweeper = Some(sweeper);
        self
    }

    /// Adds the listing of all sessions.
    #[must_use]
    pub const fn with_listing(mut self, listing: &'s dyn SessionListing) -> Self {
        self.listing = Some(listing);
        self
    }

    /// Returns the operations on sessions of users, if the store can look up sessions by user.
    #[must_use]
    pub const fn users(&self) -> Option<&'s dyn UserSessions> {
        self.users
    }

    /// Returns the removal of expired records, if the store needs a sweep.
    #[must_use]
    pub const fn sweeper(&self) -> Option<&'s dyn ExpiredSweep> {
        self.sweeper
    }

    /// Returns the listing of all sessions, if the store supports it.
    #[must_use]
    pub const fn listing(&self) -> Option<&'s dyn SessionListing> {
        self.listing
    }

    /// Removes the operations that the wrapped store `inner` does not support.
    #[must_use]
    pub const fn only_as(mut self, inner: &Powers<'_>) -> Self {
        if inner.users.is_none() {
            self.users = None;
        }
        if inner.sweeper.is_none() {
            self.sweeper = None;
        }
        if inner.listing.is_none() {
            self.listing = None;
        }
        self
    }
}

impl std::fmt::Debug for Powers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Powers")
            .field("users", &self.users.is_some())
            .field("sweeper", &self.sweeper.is_some())
            .field("listing", &self.listing.is_some())
            .finish()
    }
}

/// The sessions of a user, for stores that can look them up.
pub trait UserSessions: Send + Sync {
    /// Returns at most `limit` live sessions of `user` after the position `after`, newest ID first.
    ///
    /// The list is shorter than `limit` only at its end.
    fn list_by_user<'a>(
        &'a self,
        user: &'a str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<SessionMeta>, StoreError>>;

    /// Removes at most `limit` sessions of `user`, newest ID first.
    ///
    /// Returns the number of removed sessions.
    ///
    /// Each removed session leaves a marker. Once the call returns, none of the removed sessions is
    /// accepted any more. The caller repeats the call until it returns 0, which means that none is
    /// left.
    fn delete_by_user<'a>(
        &'a self,
        user: &'a str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Removes the sessions of `user` with the oldest IDs until `keep` live ones are left.
    ///
    /// Removes at most `limit` sessions, leaves markers and returns the number of removed sessions.
    /// Among sessions with IDs issued in the same second, `own` counts as the newest. The call is
    /// cheap if the user has at most `keep` sessions.
    fn trim<'a>(
        &'a self,
        user: &'a str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<u64, StoreError>>;
}

/// Bounded removal of expired records, for stores without a native time to live.
pub trait ExpiredSweep: Send + Sync {
    /// Returns whether the caller holds the sweep lease until `until`.
    ///
    /// Of all processes that share the records, one gets the lease, and another one can get it at
    /// `until`. An existing lease that extends more than twice as far into the future as the
    /// requested one was acquired under a wrong clock and is ignored.
    fn acquire_sweep_lease<'a>(
        &'a self,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Removes at most `limit` expired records. Returns the number of removed records.
    fn sweep<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<usize, StoreError>>;
}

/// Returns whether a sweep lease until `claimed` has expired or is ignored, so that a lease until
/// `until` can be granted.
pub(super) fn claim_ends(claimed: i64, until: Timestamp, now: Timestamp) -> bool {
    let twice = until.saturating_add(until.seconds_since(now));
    claimed <= now.unix() || claimed > twice.unix()
}
