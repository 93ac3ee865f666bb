//! The contract of a store.

use super::{Capabilities, Created, KeyState, Patched, Powers, Record, Rotation, StoreError};
use crate::{
    clock::Timestamp,
    data::{Access, Patch},
    future::BoxFuture,
    id::StoreKey,
};

/// Stores sessions under their [`StoreKey`].
///
/// A key refers to one of three entries: a *record*; a *pointer* to the key that replaced it in a
/// timed renewal; or a *marker*, which has no content and indicates that the key was retired
/// recently. A key without an entry is absent.
///
/// Each operation is atomic: another node sees all of its effects or none. The argument `now`
/// decides which records have expired: a record with `expires` at or before `now` is absent for
/// every operation, whether or not it was swept. An error means that the store failed, never that a
/// session is missing. An unreadable record is reported as [`StoreError::Corrupt`] and left
/// unchanged. No operation creates a record where none existed, except `create` under a fresh key
/// and `rotate` under the new key.
///
/// Pointers: `load`, `patch`, `touch`, `delete` and a rotation by [`Rotation::Replacement`] follow
/// a pointer to the record. These operations do not check for how long the old ID is accepted: the
/// engine decides that ([`Renewal::accepts`]). A pointer lasts at least until the expiry that its
/// record had when the pointer was created, or when the record was last touched or patched through
/// the pointer. After that, the store may drop the pointer.
///
/// Markers: an operation that removes a record (`delete`, `delete_by_user` and similar ones) leaves
/// a marker in place of the record, [`Rotation::Replacement`] leaves a marker under the old key,
/// and a pointer to a marker counts as a marker. A marker lasts until
/// [`retired_until`](super::retired_until). Markers appear in no list and in no count.
///
/// [`Renewal::accepts`]: super::Renewal::accepts
///
/// Run `carafe_core::store::conformance` (feature `conformance`) against your store: the suite
/// tests every sentence above, including the interleavings that break naive stores.
///
/// A store that wraps another one implements every method. This one counts the loads:
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use carafe_core::clock::Timestamp;
/// use carafe_core::session::{Access, Patch};
/// use carafe_core::store::{
///     BoxFuture, Capabilities, Created, KeyState, MemoryStore, Patched, Powers, Record, Rotation,
///     SessionStore, StoreError, StoreKey,
/// };
///
/// struct Counted<S> {
///     inner: S,
///     loads: AtomicU64,
/// }
///
/// impl<S: SessionStore> SessionStore for Counted<S> {
///     const NEVER_WAITS: bool = S::NEVER_WAITS;
///
///     async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
///         self.loads.fetch_add(1, Ordering::Relaxed);
///         self.inner.load(key, now).await
///     }
///
///     async fn create(
///         &self,
///         key: &StoreKey,
///         record: &Record,
///         now: Timestamp,
///     ) -> Result<Created, StoreError> {
///         self.inner.create(key, record, now).await
///     }
///
///     async fn patch(
///         &self,
///         key: &StoreKey,
///         base: &Record,
///         patch: &Patch,
///         now: Timestamp,
///     ) -> Result<Patched, StoreError> {
///         self.inner.patch(key, base, patch, now).await
///     }
///
///     async fn rotate(
///         &self,
///         from: &StoreKey,
///         to: &StoreKey,
///         base: &Record,
///         patch: &Patch,
///         rotation: Rotation,
///         now: Timestamp,
///     ) -> Result<Patched, StoreError> {
///         self.inner.rotate(from, to, base, patch, rotation, now).await
///     }
///
///     async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
///         self.inner.touch(key, access).await
///     }
///
///     async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
///         self.inner.delete(key, now).await
///     }
///
///     fn capabilities(&self) -> Capabilities {
///         self.inner.capabilities()
///     }
///
///     fn powers(&self) -> Powers<'_> {
///         self.inner.powers()
///     }
///
///     fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
///         self.inner.budget()
///     }
/// }
///
/// # futures_executor::block_on(async {
/// let store = Counted { inner: MemoryStore::new(), loads: AtomicU64::new(0) };
/// let state = store.load(&StoreKey::of_id("unknown"), Timestamp::now()).await?;
/// assert!(matches!(state, KeyState::Absent), "a missing session is no error");
/// assert_eq!(store.loads.into_inner(), 1);
/// # Ok::<(), StoreError>(())
/// # }).unwrap();
/// ```
pub trait SessionStore: Send + Sync + 'static {
    /// Whether the future of every operation is ready at its first poll, as in a store in memory.
    ///
    /// The engine then polls each future once, on the stack. A future that is pending anyway is
    /// reported as [`StoreError::Unavailable`].
    const NEVER_WAITS: bool = false;

    /// Stores a new record.
    ///
    /// Returns [`Created::Taken`] if the key is in use, even by an expired record, a pointer or a
    /// marker. In this case nothing is overwritten, and the caller tries another ID.
    fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> impl Future<Output = Result<Created, StoreError>> + Send;

    /// Returns the state of `key`.
    fn load(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<KeyState, StoreError>> + Send;

    /// Applies `patch` to the newest state.
    ///
    /// `base` is the record that the caller loaded, so that a patch without contention is one
    /// conditional statement. If other requests have written in the meantime, keys that `patch`
    /// does not name keep their newest value, and updates run again on that value.
    /// [`Record::merge`] implements this merge. Returns [`Patched::Gone`] if the record is missing
    /// or belongs to another user by now.
    fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> impl Future<Output = Result<Patched, StoreError>> + Send;

    /// Applies `patch` and moves the record from `from` to `to` in one step: [`Record::rotated`].
    ///
    /// Returns [`Patched::Gone`] as `patch` does. If `to` is in use, which with 256 random bits
    /// indicates a broken random number generator, nothing changes and the call fails.
    ///
    /// * [`Rotation::Renewal`]: `from` becomes a pointer to `to`, as do the pointers to `from`. If
    ///   `from` is not the record's own key, because another request has renewed the session, the
    ///   call returns [`Patched::Gone`].
    /// * [`Rotation::Replacement`]: the key of the record and every pointer to it become markers.
    fn rotate(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        rotation: Rotation,
        now: Timestamp,
    ) -> impl Future<Output = Result<Patched, StoreError>> + Send;

    /// Records a use ([`Record::touched`]). Returns whether a record existed.
    ///
    /// The data stays unchanged, and times only increase. `access.at` is the current time.
    fn touch(
        &self,
        key: &StoreKey,
        access: &Access,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes the record and leaves a marker. Returns whether a record existed.
    ///
    /// An expired record is removed, too.
    fn delete(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Returns the store's key scheme and the values that its records can hold.
    ///
    /// A store with Carafe's own layout returns [`Capabilities::CARAFE`].
    fn capabilities(&self) -> Capabilities;

    /// Returns the optional operations that this store supports.
    fn powers(&self) -> Powers<'_>;

    /// Returns a future that completes when the calls of one request exceed their common deadline.
    ///
    /// The future resolves to the error of the exceeded deadline. The budget covers the calls that
    /// open the session of a request, or those that commit it. Returns `None` if each call only has
    /// its own deadline; a guard returns a future. The budget never cuts off a call that revokes a
    /// session.
    fn budget(&self) -> Option<BoxFuture<'static, StoreError>>;
}
