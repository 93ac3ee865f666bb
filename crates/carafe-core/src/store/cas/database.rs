//! A database that compares and swaps the value of one key.

use crate::{
    clock::Timestamp,
    store::{StoreError, StoreKey},
};

/// A database with compare-and-swap of the value of one key.
///
/// [`CasStore`](super::CasStore) stores sessions in it. Each operation is atomic for its key.
/// Values are opaque bytes, of which the database keeps every one.
///
/// Each write gives the key a version that the key has never had before, not even before its value
/// was removed. The database must not drop a value before the time `expires` of its last write. The
/// time includes a margin for clock skew, and a database without expiry may ignore it.
///
/// After an error of a write, the value may have changed. An implementation must not retry a write:
/// if the first attempt was applied and only its reply was lost, the retry would look like a lost
/// race.
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
///     async fn insert(
///         &self,
///         key: &StoreKey,
///         value: &[u8],
///         _: Timestamp,
///     ) -> Result<bool, StoreError> {
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
///
/// Test an implementation with
/// [`session_store_conformance`](crate::session_store_conformance), which includes interrupted and
/// concurrent rotations.
pub trait CompareAndSwap: Send + Sync + 'static {
    /// Whether the future of every operation is ready at its first poll:
    /// [`SessionStore::NEVER_WAITS`](crate::store::SessionStore::NEVER_WAITS).
    const NEVER_WAITS: bool = false;

    /// Identifies one write of a key.
    type Version: Clone + PartialEq + Send + Sync;

    /// Returns the value of `key` and its version, or `None` if the key has no value.
    #[expect(
        clippy::type_complexity,
        reason = "an alias would hide what an implementation writes"
    )]
    fn read(
        &self,
        key: &StoreKey,
    ) -> impl Future<Output = Result<Option<(Vec<u8>, Self::Version)>, StoreError>> + Send;

    /// Stores `value` if `key` has no value. Returns whether it was stored.
    fn insert(
        &self,
        key: &StoreKey,
        value: &[u8],
        expires: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Stores `value` if the version of `key` is `version`. Returns whether it was stored.
    fn replace(
        &self,
        key: &StoreKey,
        version: &Self::Version,
        value: &[u8],
        expires: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes the value of `key` if its version is `version`. Returns whether it was removed.
    fn remove(
        &self,
        key: &StoreKey,
        version: &Self::Version,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
