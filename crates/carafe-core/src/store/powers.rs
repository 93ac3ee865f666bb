//! The optional operations of a store.

use super::{ErasedSessionListing, Position, Selection, SessionMeta, StoreError, erase::erased};
use crate::{clock::Timestamp, id::PublicId};

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
    users: Option<&'s dyn ErasedUserSessions>,
    sweeper: Option<&'s dyn ErasedExpiredSweep>,
    listing: Option<&'s dyn ErasedSessionListing>,
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
    pub const fn with_users(mut self, users: &'s dyn ErasedUserSessions) -> Self {
        self.users = Some(users);
        self
    }

    /// Adds the removal of expired records, for a store without a native time to live.
    #[must_use]
    pub const fn with_sweeper(mut self, sweeper: &'s dyn ErasedExpiredSweep) -> Self {
        self.sweeper = Some(sweeper);
        self
    }

    /// Adds the listing of all sessions.
    #[must_use]
    pub const fn with_listing(mut self, listing: &'s dyn ErasedSessionListing) -> Self {
        self.listing = Some(listing);
        self
    }

    /// Returns the operations on sessions of users, if the store can look up sessions by user.
    #[must_use]
    pub const fn users(&self) -> Option<&'s dyn ErasedUserSessions> {
        self.users
    }

    /// Returns the removal of expired records, if the store needs a sweep.
    #[must_use]
    pub const fn sweeper(&self) -> Option<&'s dyn ErasedExpiredSweep> {
        self.sweeper
    }

    /// Returns the listing of all sessions, if the store supports it.
    #[must_use]
    pub const fn listing(&self) -> Option<&'s dyn ErasedSessionListing> {
        self.listing
    }

    /// Removes the operations that the wrapped store `inner` does not support.
    ///
    /// ```
    /// use carafe_core::store::{MemoryStore, Powers, SessionStore};
    ///
    /// let memory = MemoryStore::new();
    /// let inner = Powers::new().with_users(&memory); // without a list of all sessions
    /// let powers = memory.powers().only_as(&inner);
    /// assert!(powers.users().is_some());
    /// assert!(powers.listing().is_none() && powers.sweeper().is_none());
    /// ```
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
///
/// ```
/// use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
/// use carafe_core::store::{Selection, UserSessions};
/// use std::sync::Arc;
///
/// # futures_executor::block_on(async {
/// let store = Arc::new(MemoryStore::new());
/// let side = ServerSide::shared(store.clone());
/// let manager = Arc::new(SessionManager::new(side, SessionConfig::default())?);
/// for _ in 0..3 {
///     TestClient::signed_in(&manager, "ada").await?;
/// }
/// let now = manager.time();
/// let sessions = UserSessions::list_by_user(&*store, "ada", None, 10, now).await?;
/// assert_eq!(sessions.len(), 3);
///
/// let own = sessions[0].public_id;
/// assert_eq!(UserSessions::trim(&*store, "ada", 2, own, 100, now).await?, 1);
/// let others = Selection::AllBut(own);
/// assert_eq!(UserSessions::delete_by_user(&*store, "ada", others, 100, now).await?, 1);
/// assert_eq!(UserSessions::delete_by_user(&*store, "ada", others, 100, now).await?, 0);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
pub trait UserSessions: Send + Sync + 'static {
    /// As [`SessionStore::NEVER_WAITS`](super::SessionStore::NEVER_WAITS).
    const NEVER_WAITS: bool = false;

    /// Returns at most `limit` live sessions of `user` after the position `after`, newest ID first.
    ///
    /// The list is shorter than `limit` only at its end.
    fn list_by_user(
        &self,
        user: &str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<SessionMeta>, StoreError>> + Send;

    /// Removes at most `limit` sessions of `user`, newest ID first.
    ///
    /// Returns the number of removed sessions.
    ///
    /// Each removed session leaves a marker. Once the call returns, none of the removed sessions is
    /// accepted any more. The caller repeats the call until it returns 0, which means that none is
    /// left.
    fn delete_by_user(
        &self,
        user: &str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Removes the sessions of `user` with the oldest IDs until `keep` live ones are left.
    ///
    /// Removes at most `limit` sessions, leaves markers and returns the number of removed sessions.
    /// Among sessions with IDs issued in the same second, `own` counts as the newest. The call is
    /// cheap if the user has at most `keep` sessions.
    fn trim(
        &self,
        user: &str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

erased! {
    /// The object-safe form of [`UserSessions`].
    trait ErasedUserSessions: UserSessions, never_waits: S::NEVER_WAITS;
    async {
        fn list_by_user(
            user: &'a str,
            after: Option<Position>,
            limit: usize,
            now: Timestamp
        ) -> Vec<SessionMeta>;
        fn delete_by_user(user: &'a str, which: Selection, limit: usize, now: Timestamp) -> u64;
        fn trim(user: &'a str, keep: usize, own: PublicId, limit: usize, now: Timestamp) -> u64;
    }
    sync {}
}

/// Bounded removal of expired records, for stores without a native time to live.
///
/// ```
/// use carafe_core::{clock::Timestamp, store::{ExpiredSweep, MemoryStore}};
///
/// # futures_executor::block_on(async {
/// let (store, at) = (MemoryStore::new(), Timestamp::from_unix);
/// assert!(ExpiredSweep::acquire_sweep_lease(&store, at(60), at(0)).await?);
/// let other_process = ExpiredSweep::acquire_sweep_lease(&store, at(70), at(10)).await?;
/// assert!(!other_process, "the lease is held until 60");
/// assert!(ExpiredSweep::acquire_sweep_lease(&store, at(120), at(60)).await?);
/// # Ok::<(), carafe_core::store::StoreError>(())
/// # }).unwrap();
/// ```
pub trait ExpiredSweep: Send + Sync + 'static {
    /// Returns whether the caller holds the sweep lease until `until`.
    ///
    /// Of all processes that share the records, one gets the lease, and another one can get it at
    /// `until`. An existing lease that extends more than twice as far into the future as the
    /// requested one was acquired under a wrong clock and is ignored.
    fn acquire_sweep_lease(
        &self,
        until: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes at most `limit` expired records. Returns the number of removed records.
    fn sweep(
        &self,
        limit: usize,
        now: Timestamp,
    ) -> impl Future<Output = Result<usize, StoreError>> + Send;
}

erased! {
    /// The object-safe form of [`ExpiredSweep`].
    trait ErasedExpiredSweep: ExpiredSweep, never_waits: false;
    async {
        fn acquire_sweep_lease(until: Timestamp, now: Timestamp) -> bool;
        fn sweep(limit: usize, now: Timestamp) -> usize;
    }
    sync {}
}

/// Returns whether a sweep lease until `claimed` has expired or is ignored, so that a lease until
/// `until` can be granted.
pub(super) fn claim_ends(claimed: i64, until: Timestamp, now: Timestamp) -> bool {
    let twice = until.saturating_add(until.seconds_since(now));
    claimed <= now.unix() || claimed > twice.unix()
}
