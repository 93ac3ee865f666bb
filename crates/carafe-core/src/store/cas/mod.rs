//! A store over a database that only supports compare-and-swap of single keys.
//!
//! [`CompareAndSwap`] has four operations on one key, and [`CasStore`] implements [`SessionStore`]
//! with them. The functions of this module implement the operations of the contract: a store with a
//! better implementation of some of them implements [`SessionStore`] itself and calls the functions
//! for the others.
//!
//! A rotation changes two keys, which such a database cannot change in one step. It takes these
//! steps, of which the second one is decisive:
//!
//! 1. Insert a *reservation* under the new key, which names the old key.
//! 2. Replace the record under the old key by a *move*: the changed record, the new key, and the
//!    pointer or marker that will remain. If the record has changed, merge and repeat. If the
//!    record is gone, remove the reservation.
//! 3. Replace the reservation by the record.
//! 4. Replace the move by its pointer or marker.
//!
//! After a crash before step 2, the session is under its old key, and the reservation counts as
//! absent. After step 2, every operation that reads the move, or the reservation and then the move,
//! first completes steps 3 and 4. A moved record only ever replaces a reservation, so a deleted
//! session does not reappear. A delete that reads a reservation before step 2 deletes the session
//! under its old key.
//!
//! | file | content |
//! |---|---|
//! | `database` | [`CompareAndSwap`], what such a database can do |
//! | `entry` | the entry of a key and its encoding (`docs/wire-format.md`) |
//! | `operations` | the operations of the contract, and the steps above |
//!
//! A database implements [`CompareAndSwap`], whose documentation has an implementation in memory.

mod database;
mod entry;
mod operations;

#[cfg(test)]
mod tests;

pub use database::CompareAndSwap;
pub use operations::{create, delete, load, patch, rotate, touch};

use super::{
    BoxFuture, Capabilities, Created, KeyState, Patched, Powers, Record, Rotation, SessionStore,
    StoreError, StoreKey,
};
use crate::{
    clock::Timestamp,
    data::{Access, Patch},
};

/// Stores sessions in a database with compare-and-swap of single keys.
///
/// Such a store cannot list sessions, neither all of them nor those of a user. If another request's
/// [`Session::renew`](crate::session::Session::renew) or log-in precedes a concurrent log-out, the
/// log-out does not revoke the session under its new ID. In other stores, the log-out looks the
/// session up by its user.
///
/// A change of a loaded record is one `replace`, because the record carries the version that it was
/// loaded in ([`Record::with_stored_version`]). If another change came first, the key is read, and
/// its value replaced. A use is noted by a `read` and a `replace`. A rotation takes six operations
/// of the database.
///
/// See [`CompareAndSwap`] for an example.
#[derive(Debug, Default)]
pub struct CasStore<C>(C);

impl<C: CompareAndSwap> CasStore<C> {
    /// Creates a store over `database`.
    #[must_use]
    pub const fn new(database: C) -> Self {
        Self(database)
    }

    /// Returns the database.
    #[must_use]
    pub const fn database(&self) -> &C {
        &self.0
    }
}

impl<C: CompareAndSwap> SessionStore for CasStore<C> {
    const NEVER_WAITS: bool = C::NEVER_WAITS;

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        _: Timestamp,
    ) -> Result<Created, StoreError> {
        create(&self.0, key, record).await
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        load(&self.0, key, now).await
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        operations::patch(&self.0, key, base, patch, now).await
    }

    async fn rotate(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        rotate(&self.0, (from, to), base, patch, rotation, now).await
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        touch(&self.0, key, access).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        delete(&self.0, key, now).await
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::CARAFE
    }

    fn powers(&self) -> Powers<'_> {
        Powers::new()
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        None
    }
}
