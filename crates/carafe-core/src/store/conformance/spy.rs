//! A wrapper of a store that records each call and runs a test's hooks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    clock::Timestamp,
    session::{Access, Patch},
    store::{
        BoxFuture, Capabilities, Created, Cursor, ErasedExpiredSweep, ErasedSessionListing,
        ErasedStore, ErasedUserSessions, ExpiredSweep, KeyState, Patched, Position, Powers,
        PublicId, Record, Rotation, Sample, ScanPage, Selection, SessionListing, SessionMeta,
        SessionStore, StoreError, StoreKey, UserSessions,
    },
};

/// The method of a [`Spy`] that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are the methods of these names")]
pub enum Verb {
    Create,
    Load,
    Patch,
    Rotate,
    Touch,
    Delete,
    OfUser,
    DeleteOfUser,
    Trim,
    Claim,
    Sweep,
    Newest,
    OfHandle,
    DeleteOfHandle,
    DeleteBegun,
    Sample,
    Walk,
}

/// One call of a [`Spy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub verb: Verb,
    /// The key of the call, if any; the old key of a rotation.
    pub key: Option<StoreKey>,
    /// The time of the call, if any.
    pub now: Option<Timestamp>,
    /// The number of entries that were found, created, changed or removed, after a success.
    pub answer: Option<u64>,
}

type Act = Arc<dyn Fn(Call) -> BoxFuture<'static, Result<(), StoreError>> + Send + Sync>;

/// A wrapper of a store that records each call, and runs hooks before and after it.
///
/// A hook may fail, wait, hang or panic. For tests of code that wraps a store, such as a guard or
/// an application.
///
/// ```
/// use carafe_core::{clock::Timestamp, store::{MemoryStore, SessionStore, StoreError, StoreKey}};
/// use carafe_core::store::conformance::{Spy, Verb};
///
/// # futures_executor::block_on(async {
/// let (store, now) = (Spy::new(MemoryStore::new()), Timestamp::from_unix(1_700_000_000));
/// store.before(|call| {
///     Box::pin(async move {
///         match call.verb {
///             Verb::Load => Err(StoreError::unavailable("connection refused")),
///             _ => Ok(()),
///         }
///     })
/// });
/// let key = StoreKey::of_id("1");
/// assert!(store.load(&key, now).await.is_err());
/// assert!(!store.delete(&key, now).await?);
/// assert_eq!((store.count(Verb::Load), store.calls().len()), (1, 2));
/// # Ok::<(), StoreError>(())
/// # }).unwrap();
/// ```
pub struct Spy<S: ?Sized> {
    /// A plain mutex: held for a few instructions, never across an await.
    notes: Mutex<Notes>,
    layout: Option<Capabilities>,
    inner: Arc<S>,
}

#[derive(Default)]
struct Notes {
    calls: Vec<Call>,
    /// The number of calls already returned, so that a late result is assigned to its own call
    /// only.
    taken: usize,
    before: Option<Act>,
    after: Option<Act>,
    to_take: usize,
}

impl<S: SessionStore> Spy<S> {
    /// Wraps `store` without hooks.
    pub fn new(store: S) -> Self {
        Self::shared(Arc::new(store))
    }

    /// Overrides the capabilities that the store reports.
    #[must_use]
    pub fn with_layout(mut self, layout: Capabilities) -> Self {
        self.layout = Some(layout);
        self
    }
}

impl<S: ErasedStore + ?Sized> Spy<S> {
    /// Like [`Spy::new`], for a store that has other users.
    pub fn shared(store: Arc<S>) -> Self {
        Self {
            notes: Mutex::default(),
            layout: None,
            inner: store,
        }
    }

    /// Returns the wrapped store.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Sets a hook that runs before each call.
    ///
    /// If the hook fails, the call returns its error, and the store is not called.
    pub fn before(
        &self,
        act: impl Fn(Call) -> BoxFuture<'static, Result<(), StoreError>> + Send + Sync + 'static,
    ) {
        self.notes().before = Some(Arc::new(act));
    }

    /// Sets a hook that runs after each call of the store.
    ///
    /// If the hook fails, its error replaces the result of the store.
    pub fn after(
        &self,
        act: impl Fn(Call) -> BoxFuture<'static, Result<(), StoreError>> + Send + Sync + 'static,
    ) {
        self.notes().after = Some(Arc::new(act));
    }

    /// Removes all hooks.
    pub fn works(&self) {
        let mut notes = self.notes();
        (notes.before, notes.after) = (None, None);
    }

    /// Makes the next `creates` calls of `create` return [`Created::Taken`].
    ///
    /// The store is not called.
    pub fn takes(&self, creates: usize) {
        self.notes().to_take = creates;
    }

    /// Returns the calls since the last call of `calls`, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        let mut notes = self.notes();
        notes.taken += notes.calls.len();
        std::mem::take(&mut notes.calls)
    }

    /// Returns the number of `verb` calls that [`Spy::calls`] would return, without consuming them.
    #[must_use]
    pub fn count(&self, verb: Verb) -> usize {
        let notes = self.notes();
        notes.calls.iter().filter(|call| call.verb == verb).count()
    }

    /// Returns the results of the `verb` calls among [`Spy::calls`], without consuming them.
    #[must_use]
    pub fn answers(&self, verb: Verb) -> Vec<u64> {
        let notes = self.notes();
        let calls = notes.calls.iter().filter(|call| call.verb == verb);
        calls.filter_map(|call| call.answer).collect()
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Awaits the call of the store after the first hook.
    async fn spied<T: Number>(
        &self,
        verb: Verb,
        key: Option<&StoreKey>,
        now: Option<Timestamp>,
        ask: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut call = Call {
            verb,
            key: key.copied(),
            now,
            answer: None,
        };
        let (place, before) = {
            let mut notes = self.notes();
            notes.calls.push(call);
            let place = notes.taken + notes.calls.len() - 1;
            (place, notes.before.clone())
        };
        if let Some(before) = before {
            before(call).await?;
        }
        let answer = ask.await?;
        call.answer = Some(answer.number());
        let after = {
            let mut notes = self.notes();
            let noted = place.checked_sub(notes.taken);
            if let Some(noted) = noted.and_then(|place| notes.calls.get_mut(place)) {
                *noted = call;
            }
            notes.after.clone()
        };
        if let Some(after) = after {
            after(call).await?;
        }
        Ok(answer)
    }

    fn takes_this(&self) -> bool {
        let mut notes = self.notes();
        let takes = notes.to_take > 0;
        notes.to_take -= usize::from(takes);
        takes
    }

    fn inner_users(&self) -> Result<&dyn ErasedUserSessions, StoreError> {
        self.inner.powers().users().ok_or(StoreError::Unsupported)
    }

    fn inner_sweeper(&self) -> Result<&dyn ErasedExpiredSweep, StoreError> {
        self.inner.powers().sweeper().ok_or(StoreError::Unsupported)
    }

    fn inner_inventory(&self) -> Result<&dyn ErasedSessionListing, StoreError> {
        self.inner.powers().listing().ok_or(StoreError::Unsupported)
    }
}

/// Converts a result to the number in [`Call::answer`].
trait Number {
    fn number(&self) -> u64;
}

macro_rules! numbers {
    ($($answer:ty: $number:expr;)*) => {
        $(impl Number for $answer {
            fn number(&self) -> u64 {
                let number: fn(&Self) -> u64 = $number;
                number(self)
            }
        })*
    };
}

numbers! {
    bool: |yes| u64::from(*yes);
    u64: |count| *count;
    usize: |count| *count as u64;
    Created: |created| u64::from(*created == Created::Created);
    Patched: |patched| u64::from(matches!(patched, Patched::Applied(_)));
    KeyState: |found| u64::from(found.record().is_some());
    Option<Record>: |found| u64::from(found.is_some());
    Vec<SessionMeta>: |list| list.len() as u64;
    Sample: |sample| sample.sessions.len() as u64;
    ScanPage: |batch| batch.records.len() as u64;
}

#[deny(clippy::missing_trait_methods)]
impl<S: ErasedStore + ?Sized> SessionStore for Spy<S> {
    const NEVER_WAITS: bool = false;

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        self.spied(Verb::Create, Some(key), Some(now), async {
            match self.takes_this() {
                true => Ok(Created::Taken),
                false => self.inner.create(key, record, now).await,
            }
        })
        .await
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        self.spied(Verb::Load, Some(key), Some(now), async {
            self.inner.load(key, now).await
        })
        .await
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        self.spied(Verb::Patch, Some(key), Some(now), async {
            self.inner.patch(key, base, patch, now).await
        })
        .await
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
        self.spied(Verb::Rotate, Some(from), Some(now), async {
            self.inner
                .rotate(from, to, base, patch, rotation, now)
                .await
        })
        .await
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        self.spied(Verb::Touch, Some(key), Some(access.at), async {
            self.inner.touch(key, access).await
        })
        .await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        self.spied(Verb::Delete, Some(key), Some(now), async {
            self.inner.delete(key, now).await
        })
        .await
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        self.inner.budget()
    }

    fn capabilities(&self) -> Capabilities {
        self.layout.unwrap_or_else(|| self.inner.capabilities())
    }

    fn powers(&self) -> Powers<'_> {
        Powers::new()
            .with_users(self)
            .with_sweeper(self)
            .with_listing(self)
            .only_as(&self.inner.powers())
    }
}

impl<S: ErasedStore + ?Sized> UserSessions for Spy<S> {
    async fn list_by_user(
        &self,
        user: &str,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        self.spied(Verb::OfUser, None, Some(now), async {
            self.inner_users()?
                .list_by_user(user, after, limit, now)
                .await
        })
        .await
    }

    async fn delete_by_user(
        &self,
        user: &str,
        which: Selection,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.spied(Verb::DeleteOfUser, None, Some(now), async {
            self.inner_users()?
                .delete_by_user(user, which, limit, now)
                .await
        })
        .await
    }

    async fn trim(
        &self,
        user: &str,
        keep: usize,
        own: PublicId,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.spied(Verb::Trim, None, Some(now), async {
            self.inner_users()?.trim(user, keep, own, limit, now).await
        })
        .await
    }
}

impl<S: ErasedStore + ?Sized> ExpiredSweep for Spy<S> {
    async fn acquire_sweep_lease(
        &self,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.spied(Verb::Claim, None, Some(now), async {
            self.inner_sweeper()?.acquire_sweep_lease(until, now).await
        })
        .await
    }

    async fn sweep(&self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        self.spied(Verb::Sweep, None, Some(now), async {
            self.inner_sweeper()?.sweep(limit, now).await
        })
        .await
    }
}

impl<S: ErasedStore + ?Sized> SessionListing for Spy<S> {
    async fn list(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        self.spied(Verb::Newest, None, Some(now), async {
            self.inner_inventory()?.list(after, limit, now).await
        })
        .await
    }

    async fn find(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        self.spied(Verb::OfHandle, None, Some(now), async {
            self.inner_inventory()?.find(public_id, now).await
        })
        .await
    }

    async fn delete_by_public_id(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.spied(Verb::DeleteOfHandle, None, Some(now), async {
            self.inner_inventory()?
                .delete_by_public_id(public_id, now)
                .await
        })
        .await
    }

    async fn delete_created_before(
        &self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.spied(Verb::DeleteBegun, None, Some(now), async {
            self.inner_inventory()?
                .delete_created_before(until, limit, now)
                .await
        })
        .await
    }

    async fn sample(&self, limit: usize, now: Timestamp) -> Result<Sample, StoreError> {
        self.spied(Verb::Sample, None, Some(now), async {
            self.inner_inventory()?.sample(limit, now).await
        })
        .await
    }

    async fn scan(&self, after: Option<&Cursor>, limit: usize) -> Result<ScanPage, StoreError> {
        self.spied(Verb::Walk, None, None, async {
            self.inner_inventory()?.scan(after, limit).await
        })
        .await
    }
}

impl<S: SessionStore + Default> Default for Spy<S> {
    fn default() -> Self {
        Self::new(S::default())
    }
}

impl<S: ?Sized> std::fmt::Debug for Spy<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spy { .. }")
    }
}
