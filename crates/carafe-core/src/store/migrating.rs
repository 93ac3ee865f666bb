//! Two stores combined into one, while the sessions move from the old store to the new one.
//!
//! No user is logged out, and no log-out is undone. Services use a [`MigratingStore`] instead of
//! the old store. Once all services do, an operator may call [`migrate`] for each remaining session
//! (as `carafe migrate --move` does). Once the old store is empty, services use only the new store.
//! Changes by a service that still writes to the old store directly are lost.
//!
//! A migrated session is created in the new store, then deleted from the old one. Only the caller
//! that created the session in the new store deletes it from the old one, so a failed deletion
//! means that the session was revoked in the meantime, and the copy is deleted again. Deletions
//! apply to the old store first, then to the new one. If a log-out and a migration of one session
//! run concurrently, the log-out therefore wins. Until the migration has deleted its copy, another
//! request may still see the session. If a migration is interrupted, the session is in both stores.
//! The copy in the new store is then the valid one, and a log-out or a new ID removes both.
//! `migrating/lists.rs` implements the lists of a user's sessions and of all sessions.
//!
//! The old store may have the layout of another framework that uses IDs as keys, such as
//! Flask-Session's, and the new store Carafe's own: `migrating/names.rs` translates the keys. The
//! other framework's application must be shut down first, because its late writes would recreate
//! sessions in the old store.

mod lists;
mod names;

use std::{future::poll_fn, sync::Arc, task::Poll};

use super::{
    BoxFuture, Capabilities, Created, ErasedStore, ExpiredSweep, KeyState, Patched, Powers, Record,
    Rotation, SessionStore, StoreError, StoreKey,
};
use crate::{
    clock::Timestamp,
    data::{Access, Patch},
};

/// Combines an old and a new store into one.
///
/// ```
/// use std::sync::Arc;
/// use carafe_core::store::{MemoryStore, MigratingStore};
/// # use carafe_core::{session::*, testing::TestClient};
/// # futures_executor::block_on(async {
///
/// let (old, new) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
/// let manager = |side| SessionManager::new(side, SessionConfig::default()).map(Arc::new);
/// let before = manager(ServerSide::shared(old.clone()))?;
/// let client = TestClient::signed_in(&before, "ada").await?;
/// let cookie = client.headers()[0].1.clone();
/// assert_eq!((old.len(), new.len()), (1, 0));
///
/// let store = MigratingStore::new(old.clone(), new.clone());
/// let during = manager(ServerSide::new(store))?;
/// let (slot, now) = (during.begin(), during.time());
/// let session = during.open(&slot, [cookie.as_bytes()], now).await?;
/// assert_eq!(session.user().as_deref(), Some("ada"), "with the same cookie");
/// assert_eq!((old.len(), new.len()), (0, 1));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MigratingStore {
    old: Arc<dyn ErasedStore>,
    new: Arc<dyn ErasedStore>,
}

/// The result of migrating one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrated {
    /// The session is in the new store and no longer in the old one.
    Over,
    /// The new store has a session under this key. Nothing changed.
    ///
    /// Another caller is migrating the session concurrently, or was interrupted while doing so.
    WasThere,
    /// The session was revoked in the meantime, and is in neither store.
    Ended,
}

/// Moves the session `record` from one store to another, under its key in each of them.
///
/// The record must have been loaded from the old store under its own key and not through a pointer.
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_core::session::SessionData;
/// use carafe_core::store::{ErasedStore, MemoryStore, Migrated, migrate};
/// use carafe_core::store::{PublicId, Record, SessionMeta, StoreKey};
///
/// # futures_executor::block_on(async {
/// let stores = [MemoryStore::new(), MemoryStore::new()];
/// let [old, new]: [&dyn ErasedStore; 2] = [&stores[0], &stores[1]];
/// let (key, now) = (StoreKey::of_id("an id"), Timestamp::from_unix(0));
/// let meta = SessionMeta::new(PublicId::random()?, now, Timestamp::from_unix(60));
/// let record = Record::new(meta, SessionData::default());
/// old.create(&key, &record, now).await?;
///
/// assert_eq!(migrate((old, &key), (new, &key), &record, now).await?, Migrated::Over);
/// assert!(old.load(&key, now).await?.record().is_none());
/// assert_eq!(migrate((old, &key), (new, &key), &record, now).await?, Migrated::WasThere);
///
/// // A user who logs out after the record was loaded stays logged out.
/// let key = StoreKey::of_id("another id");
/// assert_eq!(migrate((old, &key), (new, &key), &record, now).await?, Migrated::Ended);
/// assert!(new.load(&key, now).await?.record().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// The errors of the stores. The session is then in one or both stores, and may be migrated again.
pub async fn migrate(
    (old, from): (&dyn ErasedStore, &StoreKey),
    (new, to): (&dyn ErasedStore, &StoreKey),
    record: &Record,
    now: Timestamp,
) -> Result<Migrated, StoreError> {
    match new.create(to, record, now).await? {
        Created::Taken => Ok(Migrated::WasThere),
        Created::Created => finish((old, from), (new, to), now).await,
    }
}

/// Completes a [`migrate`] after the caller has created the session in `new` and verified it.
///
/// # Errors
/// As [`migrate`].
pub async fn finish(
    (old, from): (&dyn ErasedStore, &StoreKey),
    (new, to): (&dyn ErasedStore, &StoreKey),
    now: Timestamp,
) -> Result<Migrated, StoreError> {
    if old.delete(from, now).await? {
        return Ok(Migrated::Over);
    }
    new.delete(to, now).await?;
    Ok(Migrated::Ended)
}

/// The location of a session after a lookup.
enum Place {
    /// Whether the key was retired recently, unless the new store has the session.
    New {
        is_retired: bool,
    },
    /// In the old store, because an ID that a renewal replaced still refers to the session.
    Old(Box<KeyState>),
    Nowhere,
}

impl MigratingStore {
    /// Creates a store that migrates sessions from `old` to `new` as they are used.
    #[must_use]
    pub fn new(old: Arc<dyn ErasedStore>, new: Arc<dyn ErasedStore>) -> Self {
        Self {
            new: names::named_as(old.capabilities().key_scheme, new),
            old,
        }
    }

    /// Returns whether a replaced ID is still accepted, so that the session cannot be migrated yet.
    ///
    /// Only the old store resolves the old ID.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::session::SessionData;
    /// use carafe_core::store::{
    ///     MigratingStore, Nonce, PublicId, Record, Renewal, SessionMeta, StoreKey,
    /// };
    ///
    /// let at = Timestamp::from_unix;
    /// let mut meta = SessionMeta::new(PublicId::random()?, at(0), at(3_600));
    /// let (from, nonce) = (*StoreKey::of_id("the old ID").as_bytes(), Nonce::random()?);
    /// meta.renewal = Some(Renewal { from, nonce, until: Some(at(30)) });
    /// let record = Record::new(meta, SessionData::default());
    /// assert!(MigratingStore::must_stay(&record, at(29)));
    /// assert!(!MigratingStore::must_stay(&record, at(30)));
    /// # Ok::<(), carafe_core::error::NoRandomness>(())
    /// ```
    #[must_use]
    pub fn must_stay(record: &Record, now: Timestamp) -> bool {
        record
            .meta
            .renewal
            .is_some_and(|renewal| !renewal.is_over(now))
    }

    /// Looks up a session that was not in the new store, and migrates it.
    async fn find(&self, key: &StoreKey, now: Timestamp) -> Result<Place, StoreError> {
        let record = match self.old.load(key, now).await? {
            KeyState::Current(record) if !Self::must_stay(&record, now) => record,
            // The session may have been migrated between the two lookups, which leaves a marker.
            KeyState::Absent => return Ok(Place::New { is_retired: false }),
            KeyState::Retired => return Ok(Place::New { is_retired: true }),
            state => return Ok(Place::Old(Box::new(state))),
        };
        let brought = migrate((&*self.old, key), (&*self.new, key), &record, now).await?;
        Ok(match brought {
            Migrated::Over | Migrated::WasThere => Place::New { is_retired: false },
            Migrated::Ended => Place::Nowhere,
        })
    }
}

impl std::fmt::Debug for MigratingStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MigratingStore")
    }
}

#[deny(clippy::missing_trait_methods)]
impl SessionStore for MigratingStore {
    /// A session may have to be migrated.
    const NEVER_WAITS: bool = false;

    /// Completes when either budget is exceeded.
    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        match (self.old.budget(), self.new.budget()) {
            (Some(mut old), Some(mut new)) => Some(Box::pin(poll_fn(move |context| {
                match old.as_mut().poll(context) {
                    Poll::Pending => new.as_mut().poll(context),
                    over => over,
                }
            }))),
            (old, new) => old.or(new),
        }
    }

    /// Returns the capabilities that both stores have. The key scheme is that of the old store.
    ///
    /// The new store is also queried under the old store's keys.
    fn capabilities(&self) -> Capabilities {
        let (old, new) = (self.old.capabilities(), self.new.capabilities());
        Capabilities {
            key_scheme: old.key_scheme,
            aliases: old.aliases && new.aliases,
            notes_uses: old.notes_uses && new.notes_uses,
            preserves_text: old.preserves_text && new.preserves_text,
            keeps_claims: old.keeps_claims && new.keeps_claims,
        }
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        match self.old.load(key, now).await? {
            KeyState::Absent => self.new.create(key, record, now).await,
            _ => Ok(Created::Taken),
        }
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        match self.new.load(key, now).await? {
            KeyState::Absent => {}
            state => return Ok(state),
        }
        match self.find(key, now).await? {
            Place::New { is_retired } => Ok(match self.new.load(key, now).await? {
                KeyState::Absent if is_retired => KeyState::Retired,
                state => state,
            }),
            Place::Old(state) => Ok(*state),
            Place::Nowhere => Ok(KeyState::Retired),
        }
    }

    async fn patch(
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
            Place::New { .. } => self.new.patch(key, base, patch, now).await,
            Place::Old(_) => self.old.patch(key, base, patch, now).await,
            Place::Nowhere => Ok(Patched::Gone),
        }
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
        // A renewal needs the support of both stores, because the session may be in either.
        let rotation = match SessionStore::capabilities(self).aliases {
            true => rotation,
            false => Rotation::Replacement,
        };
        let rotated = self
            .new
            .rotate(from, to, base, patch, rotation, now)
            .await?;
        if let Patched::Applied(_) = rotated {
            // After an interrupted migration, the old ID would otherwise still be valid in the old
            // store.
            self.old.delete(from, now).await?;
            return Ok(rotated);
        }
        match self.find(from, now).await? {
            Place::New { .. } => self.new.rotate(from, to, base, patch, rotation, now).await,
            Place::Old(_) => self.old.rotate(from, to, base, patch, rotation, now).await,
            Place::Nowhere => Ok(Patched::Gone),
        }
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        if self.new.touch(key, access).await? {
            return Ok(true);
        }
        match self.find(key, access.at).await? {
            Place::New { .. } => self.new.touch(key, access).await,
            Place::Old(_) => self.old.touch(key, access).await,
            Place::Nowhere => Ok(false),
        }
    }

    /// Deletes from the old store first: see the module documentation.
    async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        let was_old = self.old.delete(key, now).await?;
        let was_new = self.new.delete(key, now).await?;
        Ok(was_old || was_new)
    }

    fn powers(&self) -> Powers<'_> {
        let (old, new) = (self.old.powers(), self.new.powers());
        let mut powers = Powers::new();
        // Revoking all sessions of a user has to cover both stores.
        if old.users().is_some() && new.users().is_some() {
            powers = powers.with_users(self);
        }
        if old.sweeper().is_some() || new.sweeper().is_some() {
            powers = powers.with_sweeper(self);
        }
        if old.listing().is_some() && new.listing().is_some() {
            powers = powers.with_listing(self);
        }
        powers
    }
}

impl ExpiredSweep for MigratingStore {
    /// Uses the new store's lease, or the old store's if the new store needs no sweep.
    ///
    /// The new store's lease is preferred because it remains after the migration.
    async fn acquire_sweep_lease(
        &self,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (old, new) = (self.old.powers(), self.new.powers());
        match new.sweeper().or_else(|| old.sweeper()) {
            Some(sweeper) => sweeper.acquire_sweep_lease(until, now).await,
            None => Ok(false),
        }
    }

    /// Removes expired records from both stores, the old store first.
    async fn sweep(&self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        let mut swept = 0;
        for sweeper in [self.old.powers().sweeper(), self.new.powers().sweeper()]
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
