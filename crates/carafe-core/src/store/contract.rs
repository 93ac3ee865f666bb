//! The contract of a store.

use std::{future::Future, pin::Pin};

use super::{Handle, Inventory, Layout, Record, StoreError, StoreKey, Summary};
use crate::{clock::Timestamp, session::Patch};

/// A boxed future: the one border at which futures are boxed, because `Session` is one type for all stores.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps sessions under their [`StoreKey`].
///
/// Each verb is atomic: another node sees all of its effect or none. `now` decides what has expired;
/// a record whose `expires` is not after `now` is absent for every verb, whether it was swept or not.
/// An error means trouble, never "not there"; a record that cannot be read is
/// [`StoreError::Corrupt`] and is not touched. No verb ever makes a record where there was none,
/// except `create` under a fresh key and `rotate` under the new key.
///
/// Run `carafe_core::store::conformance` (feature `conformance`) against your store: it holds every
/// sentence above, with the interleavings that break naive stores.
pub trait SessionStore: Send + Sync + 'static {
    /// Files a new record. [`Created::Taken`] if the key is in use, be it by an expired record or an
    /// alias: nothing is overwritten, and the caller tries another id.
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>>;

    /// The record of a key, or of the key that it is an alias of.
    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>>;

    /// Applies `patch` to the newest state. `base` is what the caller loaded, so that an uncontended
    /// patch is one conditional statement; where others have written meanwhile, keys that `patch` does
    /// not name keep their newest value and updates run again on it: [`Record::after`] is that merge.
    /// [`Patched::Gone`] if the record is no longer there or now belongs to another user.
    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>>;

    /// Applies `patch` and moves the record from `from` to `to` in one step. Until `alias_until`, `from`
    /// still loads the record, so that requests in flight are not logged out; without it, `from` is
    /// absent at once. [`Patched::Gone`] as for `patch`, and if `from` is an alias already because another
    /// request has rotated it. The record's `renewed` becomes `now`: [`Record::rotated`]. If `to` is in use,
    /// which 256 random bits make a sign of broken randomness, nothing changes and the answer is an error.
    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>>;

    /// Notes a use at `now` and moves the expiry, without touching the data; whether the record was there.
    /// Never moves either of them back.
    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Takes the record away, and every alias of it with it; whether it was there.
    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Ends when the calls that one request needs in a row, to open its session or to commit it, have taken long enough
    /// together, with the error that says so. A guard has one; a store need not. `None`: each call has its own bound. What ends
    /// a session is not cut off by it.
    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        None
    }

    /// How this store's records are named and what they cannot hold, for stores on a layout that is not Carafe's.
    fn layout(&self) -> Layout {
        Layout::CARAFE
    }

    /// This store's power to find the sessions of a user, if it has it.
    fn users(&self) -> Option<&dyn UserSessions> {
        None
    }

    /// This store's power to remove what has expired, if it needs it.
    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        None
    }

    /// This store's power to look through all sessions, if it has it.
    fn inventory(&self) -> Option<&dyn Inventory> {
        None
    }

    /// This store's power to answer without waiting, if it has it.
    fn at_once(&self) -> Option<&dyn AtOnce> {
        None
    }
}

/// The verbs of a store that never waits, such as one in memory: nobody makes a future for them. Each does what the
/// verb of its name does.
pub trait AtOnce: SessionStore {
    /// [`SessionStore::create`].
    ///
    /// # Errors
    /// As there.
    fn create_at_once(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError>;

    /// [`SessionStore::load`].
    ///
    /// # Errors
    /// As there.
    fn load_at_once(&self, key: &StoreKey, now: Timestamp) -> Result<Option<Record>, StoreError>;

    /// [`SessionStore::patch`]; whether the record was there.
    ///
    /// # Errors
    /// As there.
    fn patch_at_once(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// [`SessionStore::rotate`], in which `from` comes first and `to` second; whether the record was there.
    ///
    /// # Errors
    /// As there.
    fn rotate_at_once(
        &self,
        keys: (&StoreKey, &StoreKey),
        base: &Record,
        patch: &Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// [`SessionStore::touch`].
    ///
    /// # Errors
    /// As there.
    fn touch_at_once(
        &self,
        key: &StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// [`SessionStore::delete`].
    ///
    /// # Errors
    /// As there.
    fn delete_at_once(&self, key: &StoreKey) -> Result<bool, StoreError>;
}

/// The sessions of a user, for stores that can find them.
pub trait UserSessions: SessionStore {
    /// The live sessions of `user`, the newest id first.
    fn of_user<'a>(
        &'a self,
        user: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>>;

    /// Takes sessions of `user` away; how many there were. When the call returns, no request is let in
    /// with one of them any more.
    fn delete_of_user<'a>(
        &'a self,
        user: &'a str,
        which: Which,
    ) -> BoxFuture<'a, Result<u64, StoreError>>;
}

/// Which sessions of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    /// All.
    All,
    /// The one with this handle.
    Only(Handle),
    /// All but the one with this handle: "log out everywhere else".
    AllBut(Handle),
}

impl Which {
    /// Whether the session with `handle` is meant.
    #[must_use]
    pub fn includes(self, handle: Handle) -> bool {
        match self {
            Self::All => true,
            Self::Only(one) => handle == one,
            Self::AllBut(one) => handle != one,
        }
    }
}

/// Bounded removal of what has expired, for stores without a time to live of their own.
pub trait ExpiredSweep: SessionStore {
    /// Whether it is the caller who sweeps until `until`: of all who share the records, in whatever process,
    /// one is told so, and the next one at `until`. A claim that reaches twice as far as the one that is asked
    /// for was made under a clock that is wrong, and does not count.
    fn claim<'a>(
        &'a self,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Removes at most `limit` expired records; how many it was.
    fn sweep<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<usize, StoreError>>;
}

/// Whether a claim of the sweep until `claimed` gives way to one until `until`.
pub(super) fn claim_ends(claimed: i64, until: Timestamp, now: Timestamp) -> bool {
    let twice = until.saturating_add(until.seconds_since(now));
    claimed <= now.unix() || claimed > twice.unix()
}

/// What became of a `create`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The record is there.
    Created,
    /// The key was in use; nothing happened.
    Taken,
}

/// What became of a `patch` or a `rotate`.
#[derive(Clone, Debug)]
pub enum Patched {
    /// The record after the change.
    Applied(Box<Record>),
    /// There was none to change; nothing happened.
    Gone,
}
