//! A store over a database that can only compare and swap single keys.
//!
//! [`CompareAndSwap`] has four operations on one key. [`CasStore`] makes a [`SessionStore`] of
//! them. The functions of this module are the operations of the contract: a store that can do one
//! of them better implements [`SessionStore`] itself and calls the functions for the rest.
//!
//! A rotation changes two keys, which such a database cannot change in one step. It takes these
//! steps, of which the second one decides:
//!
//! 1. Insert a *reservation* under the new key, which names the old one.
//! 2. Replace the record under the old key by a *move*: the changed record, the new key, and the
//!    pointer or marker that remains. If the record has changed, merge and repeat. If it is gone,
//!    remove the reservation.
//! 3. Replace the reservation by the record.
//! 4. Replace the move by its pointer or marker.
//!
//! A crash before step 2 leaves the session under its old key, and a reservation that counts as
//! absent. After step 2, every operation that finds the move, or the reservation and then the move,
//! completes steps 3 and 4 first. Only a reservation is ever replaced by a moved record, so a
//! deleted session does not come back. A delete that finds a reservation before step 2 deletes the
//! session under its old key.
//!
//! | file | content |
//! |---|---|
//! | `entry` | the content of a key, and its bytes (`docs/wire-format.md`) |
//! | `operations` | the operations of the contract, and the steps above |

mod entry;
mod operations;

#[cfg(test)]
mod tests;

pub use operations::{create, delete, load, patch, rotate, touch};

use super::{
    BoxFuture, Capabilities, Created, KeyState, Patched, Powers, Record, Rotation, SessionStore,
    StoreError, StoreKey,
};
use crate::{
    clock::Timestamp,
    data::{Access, Patch},
};

/// A database that compares and swaps the value of one key.
///
/// [`CasStore`] stores sessions in it. Each operation is atomic for its key. Values are opaque
/// bytes, of which the database keeps every one.
///
/// Each write gives the key a version that the key never had before, not even before its value was
/// removed. The database drops no value before the time `expires` of its last write; the time has a
/// margin for clocks that differ, and a database without expiry may ignore it.
///
/// An error of a write says that the value may have changed. An implementation sends no write a
/// second time, because a write that was carried out and whose reply was lost would then look like
/// a lost race.
///
/// ```
/// use std::{collections::HashMap, sync::Mutex};
/// use carafe_core::{
///     clock::Timestamp,
///     session::ServerSide,
///     store::{CasStore, CompareAndSwap, StoreError, StoreKey},
/// };
///
/// /// Values with their versions, and the last version that was given.
/// #[derive(Default)]
/// struct Map(Mutex<(HashMap<StoreKey, (Vec<u8>, u64)>, u64)>);
///
/// impl Map {
///     /// Stores `value`, or removes it, if the version of `key` is `expected`.
///     fn swap(&self, key: &StoreKey, expected: Option<&u64>, value: Option<&[u8]>) -> bool {
///         let (values, last) = &mut *self.0.lock().expect("no thread has panicked");
///         if values.get(key).map(|(_, version)| version) != expected {
///             return false;
///         }
///         *last += 1;
///         match value {
///             Some(value) => drop(values.insert(*key, (value.to_vec(), *last))),
///             None => drop(values.remove(key)),
///         }
///         true
///     }
/// }
///
/// impl CompareAndSwap for Map {
///     const NEVER_WAITS: bool = true;
///     type Version = u64;
///
///     async fn read(&self, key: &StoreKey) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
///         Ok(self.0.lock().expect("no thread has panicked").0.get(key).cloned())
///     }
///
///     async fn insert(&self, key: &StoreKey, value: &[u8], _: Timestamp) -> Result<bool, StoreError> {
///         Ok(self.swap(key, None, Some(value)))
///     }
///
///     async fn replace(
///         &self,
///         key: &StoreKey,
///         version: &u64,
///         value: &[u8],
///         _: Timestamp,
///     ) -> Result<bool, StoreError> {
///         Ok(self.swap(key, Some(version), Some(value)))
///     }
///
///     async fn remove(&self, key: &StoreKey, version: &u64) -> Result<bool, StoreError> {
///         Ok(self.swap(key, Some(version), None))
///     }
/// }
///
/// let side = ServerSide::new(CasStore::new(Map::default()));
/// ```
pub trait CompareAndSwap: Send + Sync + 'static {
    /// Whether the future of every operation is ready at its first poll:
    /// [`SessionStore::NEVER_WAITS`].
    const NEVER_WAITS: bool = false;

    /// Identifies one write of a key.
    type Version: Clone + PartialEq + Send + Sync;

    /// Returns the value of `key` and its version. `None` if the key has no value.
    #[expect(
        clippy::type_complexity,
        reason = "an alias would hide what an implementation writes"
    )]
    fn read(
        &self,
        key: &StoreKey,
    ) -> impl Future<Output = Result<Option<(Vec<u8>, Self::Version)>, StoreError>> + Send;

    /// Stores `value` if `key` has no value, and returns whether it was stored.
    fn insert(
        &self,
        key: &StoreKey,
        value: &[u8],
        expires: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Stores `value` if the version of `key` is `version`, and returns whether it was stored.
    fn replace(
        &self,
        key: &StoreKey,
        version: &Self::Version,
        value: &[u8],
        expires: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes the value of `key` if its version is `version`, and returns whether it was removed.
    fn remove(
        &self,
        key: &StoreKey,
        version: &Self::Version,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Stores sessions in a database that compares and swaps single keys.
///
/// Such a store cannot list sessions, neither all nor those of a user. A log-out that another
/// request's [`Session::renew`](crate::session::Session::renew) or log-in overtakes therefore does
/// not end the session under its new id; in other stores it finds the session by its user.
///
/// A change of a loaded record is one `replace`, because the record carries the version that it was
/// loaded in ([`Record::with_stored_version`]). If another change came first, the key is read, and
/// its value replaced. A use is noted by a `read` and a `replace`. A rotation takes six operations of
/// the database.
#[derive(Debug, Default)]
pub struct CasStore<C>(C);

impl<C: CompareAndSwap> CasStore<C> {
    /// Creates a store of the sessions in `database`.
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
