//! A store before another one that sees each call, and does to it what a test says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    clock::Timestamp,
    session::Patch,
    store::{
        Batch, BoxFuture, Created, Cursor, ExpiredSweep, Handle, Inventory, Layout, Patched,
        Position, Record, Sample, SessionStore, StoreError, StoreKey, Summary, UserSessions, Which,
    },
};

/// What was asked of a [`Spy`].
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
    /// Which.
    pub verb: Verb,
    /// The key it was for, if for one; of a rotation the old one.
    pub key: Option<StoreKey>,
    /// Its time, if it has one.
    pub now: Option<Timestamp>,
    /// How many it has found, made, changed or taken away, once it has gone well.
    pub answer: Option<u64>,
}

type Act = Arc<dyn Fn(Call) -> BoxFuture<'static, Result<(), StoreError>> + Send + Sync>;

/// A store before another that notes what it is asked, and does what it is told before and after: fail, wait,
/// hang, panic. For tests of what stands before a store, such as a guard or an application.
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
/// assert!(!store.delete(&key).await?);
/// assert_eq!((store.count(Verb::Load), store.calls().len()), (1, 2));
/// # Ok::<(), StoreError>(())
/// # }).unwrap();
/// ```
pub struct Spy<S: ?Sized> {
    /// A plain mutex: held for a few instructions, never across an await.
    notes: Mutex<Notes>,
    layout: Option<Layout>,
    inner: Arc<S>,
}

#[derive(Default)]
struct Notes {
    calls: Vec<Call>,
    /// How many were given away, so that a late answer finds its place or none.
    taken: usize,
    before: Option<Act>,
    after: Option<Act>,
    to_take: usize,
}

impl<S: SessionStore> Spy<S> {
    /// Before `store`, to which it lets everything through.
    pub fn new(store: S) -> Self {
        Self::shared(Arc::new(store))
    }

    /// Says that its records are laid out so.
    #[must_use]
    pub fn with_layout(mut self, layout: Layout) -> Self {
        self.layout = Some(layout);
        self
    }
}

impl<S: SessionStore + ?Sized> Spy<S> {
    /// [`Spy::new`] for a store that others use too.
    pub fn shared(store: Arc<S>) -> Self {
        Self {
            notes: Mutex::default(),
            layout: None,
            inner: store,
        }
    }

    /// The store behind.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// From now on each call does this first. An error is the call's, and the store is not asked.
    pub fn before(
        &self,
        act: impl Fn(Call) -> BoxFuture<'static, Result<(), StoreError>> + Send + Sync + 'static,
    ) {
        self.notes().before = Some(Arc::new(act));
    }

    /// From now on each call does this when the store has answered. An error takes the place of the answer.
    pub fn after(
        &self,
        act: impl Fn(Call) -> BoxFuture<'static, Result<(), StoreError>> + Send + Sync + 'static,
    ) {
        self.notes().after = Some(Arc::new(act));
    }

    /// From now on all calls go through.
    pub fn works(&self) {
        let mut notes = self.notes();
        (notes.before, notes.after) = (None, None);
    }

    /// The next so many `create` are answered with [`Created::Taken`], and the store is not asked.
    pub fn takes(&self, creates: usize) {
        self.notes().to_take = creates;
    }

    /// What was asked since the last time that this was, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        let mut notes = self.notes();
        notes.taken += notes.calls.len();
        std::mem::take(&mut notes.calls)
    }

    /// How many calls of this verb [`Spy::calls`] would give, which stay.
    #[must_use]
    pub fn count(&self, verb: Verb) -> usize {
        let notes = self.notes();
        notes.calls.iter().filter(|call| call.verb == verb).count()
    }

    /// What the calls of this verb among [`Spy::calls`] have come to, which stay.
    #[must_use]
    pub fn answers(&self, verb: Verb) -> Vec<u64> {
        let notes = self.notes();
        let calls = notes.calls.iter().filter(|call| call.verb == verb);
        calls.filter_map(|call| call.answer).collect()
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lazily: the store is asked when what comes before is over.
    fn spied<'a, T: Number + Send + 'a>(
        &'a self,
        verb: Verb,
        key: Option<&StoreKey>,
        now: Option<Timestamp>,
        ask: impl FnOnce() -> Answer<'a, T> + Send + 'a,
    ) -> Answer<'a, T> {
        let mut call = Call {
            verb,
            key: key.copied(),
            now,
            answer: None,
        };
        Box::pin(async move {
            let (place, before) = {
                let mut notes = self.notes();
                notes.calls.push(call);
                let place = notes.taken + notes.calls.len() - 1;
                (place, notes.before.clone())
            };
            if let Some(before) = before {
                before(call).await?;
            }
            let answer = ask().await?;
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
        })
    }

    fn takes_this(&self) -> bool {
        let mut notes = self.notes();
        let takes = notes.to_take > 0;
        notes.to_take -= usize::from(takes);
        takes
    }

    fn inner_users(&self) -> Result<&dyn UserSessions, StoreError> {
        self.inner.users().ok_or(StoreError::Unsupported)
    }

    fn inner_sweeper(&self) -> Result<&dyn ExpiredSweep, StoreError> {
        self.inner.sweeper().ok_or(StoreError::Unsupported)
    }

    fn inner_inventory(&self) -> Result<&dyn Inventory, StoreError> {
        self.inner.inventory().ok_or(StoreError::Unsupported)
    }
}

type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// An answer as [`Call::answer`] has it.
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
    Option<Record>: |found| u64::from(found.is_some());
    Vec<Summary>: |list| list.len() as u64;
    Sample: |sample| sample.sessions.len() as u64;
    Batch: |batch| batch.records.len() as u64;
}

impl<S: SessionStore + ?Sized> SessionStore for Spy<S> {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> Answer<'a, Created> {
        self.spied(Verb::Create, Some(key), Some(now), move || {
            match self.takes_this() {
                true => Box::pin(async { Ok(Created::Taken) }),
                false => self.inner.create(key, record, now),
            }
        })
    }

    fn load<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Answer<'a, Option<Record>> {
        self.spied(Verb::Load, Some(key), Some(now), move || {
            self.inner.load(key, now)
        })
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> Answer<'a, Patched> {
        self.spied(Verb::Patch, Some(key), Some(now), move || {
            self.inner.patch(key, base, patch, now)
        })
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'a, Patched> {
        self.spied(Verb::Rotate, Some(from), Some(now), move || {
            self.inner.rotate(from, to, base, patch, alias_until, now)
        })
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'a, bool> {
        self.spied(Verb::Touch, Some(key), Some(now), move || {
            self.inner.touch(key, expires, now)
        })
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> Answer<'a, bool> {
        self.spied(Verb::Delete, Some(key), None, move || {
            self.inner.delete(key)
        })
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        self.inner.budget()
    }

    fn layout(&self) -> Layout {
        self.layout.unwrap_or_else(|| self.inner.layout())
    }

    fn users(&self) -> Option<&dyn UserSessions> {
        self.inner.users().is_some().then_some(self as _)
    }

    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        self.inner.sweeper().is_some().then_some(self as _)
    }

    fn inventory(&self) -> Option<&dyn Inventory> {
        self.inner.inventory().is_some().then_some(self as _)
    }
}

/// The answer of a store that lacks the power.
fn lacking<'a, T: Send + 'a>(error: StoreError) -> Answer<'a, T> {
    Box::pin(async { Err(error) })
}

impl<S: SessionStore + ?Sized> UserSessions for Spy<S> {
    fn of_user<'a>(&'a self, user: &'a str, now: Timestamp) -> Answer<'a, Vec<Summary>> {
        self.spied(Verb::OfUser, None, Some(now), move || {
            let users = self.inner_users();
            users.map_or_else(lacking, |users| users.of_user(user, now))
        })
    }

    fn delete_of_user<'a>(&'a self, user: &'a str, which: Which) -> Answer<'a, u64> {
        self.spied(Verb::DeleteOfUser, None, None, move || {
            let users = self.inner_users();
            users.map_or_else(lacking, |users| users.delete_of_user(user, which))
        })
    }
}

impl<S: SessionStore + ?Sized> ExpiredSweep for Spy<S> {
    fn claim<'a>(&'a self, until: Timestamp, now: Timestamp) -> Answer<'a, bool> {
        self.spied(Verb::Claim, None, Some(now), move || {
            let sweeper = self.inner_sweeper();
            sweeper.map_or_else(lacking, |sweeper| sweeper.claim(until, now))
        })
    }

    fn sweep<'a>(&'a self, limit: usize, now: Timestamp) -> Answer<'a, usize> {
        self.spied(Verb::Sweep, None, Some(now), move || {
            let sweeper = self.inner_sweeper();
            sweeper.map_or_else(lacking, |sweeper| sweeper.sweep(limit, now))
        })
    }
}

impl<S: SessionStore + ?Sized> Inventory for Spy<S> {
    fn newest<'a>(
        &'a self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> Answer<'a, Vec<Summary>> {
        self.spied(Verb::Newest, None, Some(now), move || {
            let inner = self.inner_inventory();
            inner.map_or_else(lacking, |inner| inner.newest(after, limit, now))
        })
    }

    fn of_handle<'a>(&'a self, handle: Handle, now: Timestamp) -> Answer<'a, Option<Record>> {
        self.spied(Verb::OfHandle, None, Some(now), move || {
            let inner = self.inner_inventory();
            inner.map_or_else(lacking, |inner| inner.of_handle(handle, now))
        })
    }

    fn delete_of_handle<'a>(&'a self, handle: Handle) -> Answer<'a, bool> {
        self.spied(Verb::DeleteOfHandle, None, None, move || {
            let inner = self.inner_inventory();
            inner.map_or_else(lacking, |inner| inner.delete_of_handle(handle))
        })
    }

    fn delete_begun<'a>(&'a self, until: Timestamp, limit: usize) -> Answer<'a, u64> {
        self.spied(Verb::DeleteBegun, None, None, move || {
            let inner = self.inner_inventory();
            inner.map_or_else(lacking, |inner| inner.delete_begun(until, limit))
        })
    }

    fn sample<'a>(&'a self, limit: usize, now: Timestamp) -> Answer<'a, Sample> {
        self.spied(Verb::Sample, None, Some(now), move || {
            let inner = self.inner_inventory();
            inner.map_or_else(lacking, |inner| inner.sample(limit, now))
        })
    }

    fn walk<'a>(&'a self, after: Option<&'a Cursor>, limit: usize) -> Answer<'a, Batch> {
        self.spied(Verb::Walk, None, None, move || {
            let inner = self.inner_inventory();
            inner.map_or_else(lacking, |inner| inner.walk(after, limit))
        })
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
