//! Two stores as one, while the sessions move from the old to the new: nobody is logged out, and no
//! log-out is undone.
//!
//! Services use a [`Moving`] instead of the old store; when all of them do, whoever wants the rest over takes
//! [`bring_over`] for each session (`carafe migrate --move` does); when the old store is empty, services use
//! the new one alone. A service that still writes to the old store directly meanwhile loses what it writes.
//!
//! How a session comes over: it is made in the new store, then deleted from the old. Only who has made it
//! deletes it, so if it is no longer there to be deleted, it was ended meanwhile, and what was made is taken back.
//! Deletions go to the old store first, then to the new one. So of a log-out and a move at the same time, the
//! log-out wins; for as long as the move takes to take its copy back, another request may still see the session.
//! Where a move dies in between, the session is in both stores; the new one's counts, and a log-out or a new id
//! ends both. Next: `moving/lists.rs` for the sessions of a user.
//!
//! The old store may be in a layout of others whose names are the ids, such as Flask-Session's, and the new one our
//! own: `moving/names.rs` sees to the names. The others' application must be gone by then, since what it writes late
//! would bring a session back to the old store.

mod lists;
mod names;

use std::{sync::Arc, time::Duration};

use super::{
    BoxFuture, Created, ExpiredSweep, Layout, Patched, Record, SessionStore, StoreError, StoreKey,
    UserSessions,
};
use crate::{clock::Timestamp, session::Patch};

/// A session's id that is younger than this may have been found through an alias, of which nothing else tells;
/// to move the session would end its real id. Twice as long as an alias lives.
const ALIAS_GRACE: Duration = Duration::from_secs(60);

/// An old and a new store as one.
///
/// ```
/// use std::sync::Arc;
/// use carafe_core::store::{MemoryStore, Moving};
///
/// let (old, new) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
/// let store = Moving::new(old, new);
/// ```
#[derive(Clone)]
pub struct Moving {
    old: Arc<dyn SessionStore>,
    new: Arc<dyn SessionStore>,
    grace: Duration,
}

/// What became of one session on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// It is in the new store and no longer in the old.
    Over,
    /// The new store has one under this key; nothing happened. Either somebody else is bringing it over at
    /// this moment, or has died doing so.
    WasThere,
    /// It was ended meanwhile, and is in neither.
    Ended,
}

/// Brings the session `record` over from one store into another, each with its name for it. In the old store it
/// must have been found under that name itself and not through an alias.
///
/// # Errors
/// What the stores say. The session is then in one of them or in both, and may be brought over again.
pub async fn bring_over(
    (old, from): (&dyn SessionStore, &StoreKey),
    (new, to): (&dyn SessionStore, &StoreKey),
    record: &Record,
    now: Timestamp,
) -> Result<Brought, StoreError> {
    match new.create(to, record, now).await? {
        Created::Taken => Ok(Brought::WasThere),
        Created::Created => let_go((old, from), (new, to)).await,
    }
}

/// The second half of [`bring_over`], for whoever has just made the session in `new` and looked at it.
///
/// # Errors
/// As [`bring_over`].
pub async fn let_go(
    (old, from): (&dyn SessionStore, &StoreKey),
    (new, to): (&dyn SessionStore, &StoreKey),
) -> Result<Brought, StoreError> {
    if old.delete(from).await? {
        return Ok(Brought::Over);
    }
    new.delete(to).await?;
    Ok(Brought::Ended)
}

/// Where a session is after a look for it.
enum Place {
    New,
    /// Its id is too young to be moved.
    Old(Box<Record>),
    Nowhere,
}

impl Moving {
    /// Sessions of `old` come over into `new` as they are used.
    #[must_use]
    pub fn new(old: Arc<dyn SessionStore>, new: Arc<dyn SessionStore>) -> Self {
        let layout = old.layout();
        // Where there are no aliases, whatever is found has been found by its own id.
        let grace = if layout.aliases {
            ALIAS_GRACE
        } else {
            Duration::ZERO
        };
        Self {
            new: names::named_as(layout.naming, new),
            old,
            grace,
        }
    }

    /// Leaves sessions whose id is younger than this where they are, instead of 60 seconds: twice as long as
    /// the old ids of renewed sessions go on working in your services.
    #[must_use]
    pub fn alias_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// How old an id has to be before its session is moved, unless [`Moving::alias_grace`] says otherwise.
    pub const ALIAS_GRACE: Duration = ALIAS_GRACE;

    /// Whether `record` may have been found through an alias at `now`, so that it has to stay where it is.
    #[must_use]
    pub fn is_too_young(record: &Record, now: Timestamp) -> bool {
        is_younger(record, ALIAS_GRACE, now)
    }

    /// Looks for a session that the new store did not have, and brings it over.
    async fn find(&self, key: &StoreKey, now: Timestamp) -> Result<Place, StoreError> {
        let Some(record) = self.old.load(key, now).await? else {
            // It may have come over between the two looks.
            return Ok(Place::New);
        };
        // What is not from the store itself would outlive its outage in the new one.
        if record.is_stale() || is_younger(&record, self.grace, now) {
            return Ok(Place::Old(Box::new(record)));
        }
        let brought = bring_over((&*self.old, key), (&*self.new, key), &record, now).await?;
        Ok(match brought {
            Brought::Over | Brought::WasThere => Place::New,
            Brought::Ended => Place::Nowhere,
        })
    }

    async fn create_it(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        match self.old.load(key, now).await? {
            Some(_) => Ok(Created::Taken),
            None => self.new.create(key, record, now).await,
        }
    }

    async fn load_it(&self, key: &StoreKey, now: Timestamp) -> Result<Option<Record>, StoreError> {
        if let Some(record) = self.new.load(key, now).await? {
            return Ok(Some(record));
        }
        match self.find(key, now).await? {
            Place::New => self.new.load(key, now).await,
            Place::Old(record) => Ok(Some(*record)),
            Place::Nowhere => Ok(None),
        }
    }

    async fn patch_it(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        if let done @ Patched::Applied(_) = self.new.patch(key, base, patch, now).await? {
            return Ok(done);
        }
        match self.find(key, now).await? {
            Place::New => self.new.patch(key, base, patch, now).await,
            Place::Old(_) => self.old.patch(key, base, patch, now).await,
            Place::Nowhere => Ok(Patched::Gone),
        }
    }

    async fn rotate_it(
        &self,
        (from, to): (&StoreKey, &StoreKey),
        base: &Record,
        patch: &Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let rotated = self
            .new
            .rotate(from, to, base, patch, alias_until, now)
            .await?;
        if let Patched::Applied(_) = rotated {
            // Where a move has died, the old id would come back from the old store.
            self.old.delete(from).await?;
            return Ok(rotated);
        }
        match self.find(from, now).await? {
            Place::New => {
                self.new
                    .rotate(from, to, base, patch, alias_until, now)
                    .await
            }
            Place::Old(_) => {
                self.old
                    .rotate(from, to, base, patch, alias_until, now)
                    .await
            }
            Place::Nowhere => Ok(Patched::Gone),
        }
    }

    async fn touch_it(
        &self,
        key: &StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if self.new.touch(key, expires, now).await? {
            return Ok(true);
        }
        match self.find(key, now).await? {
            Place::New => self.new.touch(key, expires, now).await,
            Place::Old(_) => self.old.touch(key, expires, now).await,
            Place::Nowhere => Ok(false),
        }
    }

    /// The old store first: see the module.
    async fn delete_it(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let was_old = self.old.delete(key).await?;
        let was_new = self.new.delete(key).await?;
        Ok(was_old || was_new)
    }

    /// What has expired in either, the old store first.
    async fn sweep_both(&self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        let mut swept = 0;
        for sweeper in [self.old.sweeper(), self.new.sweeper()]
            .into_iter()
            .flatten()
        {
            if swept < limit {
                swept += sweeper.sweep(limit - swept, now).await?;
            }
        }
        Ok(swept)
    }
}

fn is_younger(record: &Record, grace: Duration, now: Timestamp) -> bool {
    let age = now.unix().saturating_sub(record.renewed.unix());
    u64::try_from(age).unwrap_or(0) < grace.as_secs()
}

impl std::fmt::Debug for Moving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Moving")
    }
}

impl SessionStore for Moving {
    /// What both have; the names are those of the old store, which the new one is asked under as well.
    fn layout(&self) -> Layout {
        let (old, new) = (self.old.layout(), self.new.layout());
        Layout {
            naming: old.naming,
            aliases: old.aliases && new.aliases,
            notes_uses: old.notes_uses && new.notes_uses,
            keeps_text: old.keeps_text && new.keeps_text,
            keeps_claims: old.keeps_claims && new.keeps_claims,
        }
    }

    fn users(&self) -> Option<&dyn UserSessions> {
        // One store's half of a user's sessions would be no log-out everywhere.
        (self.old.users().is_some() && self.new.users().is_some()).then_some(self)
    }

    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        (self.old.sweeper().is_some() || self.new.sweeper().is_some()).then_some(self)
    }

    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        Box::pin(self.create_it(key, record, now))
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.load_it(key, now))
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        Box::pin(self.patch_it(key, base, patch, now))
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        Box::pin(self.rotate_it((from, to), base, patch, alias_until, now))
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.touch_it(key, expires, now))
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.delete_it(key))
    }
}

impl ExpiredSweep for Moving {
    /// In the new store, which is there for longer; in the old one if the new one needs no sweep.
    fn claim<'a>(
        &'a self,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        match self.new.sweeper().or_else(|| self.old.sweeper()) {
            Some(sweeper) => sweeper.claim(until, now),
            None => Box::pin(async { Ok(false) }),
        }
    }

    fn sweep<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        Box::pin(self.sweep_both(limit, now))
    }
}
