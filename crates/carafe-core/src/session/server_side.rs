//! Server-side sessions: a store contains the state, and the cookie contains an ID.

use std::{sync::Arc, time::Duration};

use zeroize::Zeroizing;

use super::{
    Access, AtLimit, OnCorrupt, Patch, Rejection, SessionData, Timeouts,
    expiry::seconds,
    limit::Limit,
    loaded::{Stored, successor},
    plan::Verb,
};
use crate::{
    clock::Timestamp,
    key::KeyUse,
    limits::Limits,
    store::{
        ClientKind, Created, ErasedStore, ErasedUserSessions, KeyScheme, Nonce, Patched, PublicId,
        Record, Rotation, Selection, SessionMeta, SessionStore, StoreError, StoreKey,
    },
    token::{DEFAULT_CLOCK_SKEW, SessionId, signed::Signer},
};

/// Maximum number of random IDs tried if the store already has the ID.
///
/// With 256 random bits, the first ID is unique unless the store or the random source is broken.
const ATTEMPTS: usize = 3;
/// Maximum number of excess sessions that one log-in revokes.
///
/// This bounds the time of a log-in after the limit was lowered.
const TRIM_STEP: usize = 200;
/// The default limit of sessions per user.
const DEFAULT_LIMIT: Limit = Limit {
    sessions: 1_000,
    at: AtLimit::EndOldest,
    is_explicit: false,
};

/// Keeps sessions in a store, where they can have any size, be listed and be revoked.
///
/// ```
/// use carafe_core::{session::{AtLimit, ServerSide, Timeouts}, store::MemoryStore};
/// # use carafe_core::{session::*, testing::TestClient};
/// # futures_executor::block_on(async {
///
/// let side = ServerSide::new(MemoryStore::new())
///     .with_timeouts(Timeouts::asvs_l2())
///     .with_limit_per_user(1, AtLimit::EndOldest);
/// # let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::default())?);
/// let laptop = TestClient::signed_in(&manager, "ada").await?;
/// let phone = TestClient::signed_in(&manager, "ada").await?;
/// assert_eq!(laptop.session().await?.user(), None, "the second log-in ended this session");
/// assert_eq!(phone.session().await?.user().as_deref(), Some("ada"));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct ServerSide {
    pub(super) store: Arc<dyn ErasedStore>,
    pub(super) timeouts: Timeouts,
    limit_per_user: Option<Limit>,
    pub(super) on_corrupt: OnCorrupt,
    naming: KeyScheme,
    /// Whether a replaced ID can still refer to the session.
    ///
    /// Otherwise no ID is renewed by time, because in-flight requests would lose the session.
    has_aliases: bool,
    /// The scheme of the IDs that are accepted in cookies.
    accepts: KeyScheme,
    signer: Option<Arc<Signer>>,
    /// Copied from the configuration by `prepare`.
    pub(super) clock_skew: Duration,
    pub(super) limits: Limits,
}

/// The outcome of a [`Verb`].
pub(super) enum Outcome {
    /// The cookie needs no change.
    Unchanged,
    /// The session has this ID, which the browser does not have yet.
    NewId(SessionId),
    /// The session has the ID that the browser has.
    SameId,
    /// The user has reached the limit of sessions.
    Refused { limit: usize },
    /// Another request has revoked the session or given it a new ID since this request opened it.
    Gone,
}

impl Outcome {
    fn of(was_there: bool, outcome: Self) -> Self {
        match was_there {
            true => outcome,
            false => Self::Gone,
        }
    }
}

impl ServerSide {
    /// Creates a backend with sessions in `store`.
    ///
    /// The sessions expire after the configured lifetime without use.
    ///
    /// ```
    /// # use carafe_core::{session::*, testing::TestClient};
    /// use carafe_core::{session::ServerSide, store::MemoryStore};
    /// # futures_executor::block_on(async {
    ///
    /// let side = ServerSide::new(MemoryStore::new());
    /// # let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::default())?);
    /// let client = TestClient::signed_in(&manager, "ada").await?;
    /// let (_, cookie) = &client.headers()[0];
    /// assert_eq!(cookie.len(), "__Host-Http-session=".len() + 43, "an ID and no content");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    pub fn new(store: impl SessionStore) -> Self {
        Self::shared(Arc::new(store))
    }

    /// Like [`ServerSide::new`], for a store that is also used elsewhere.
    ///
    /// ```
    /// use std::sync::Arc;
    /// # use carafe_core::{session::*, testing::TestClient};
    /// use carafe_core::{session::ServerSide, store::MemoryStore};
    /// # futures_executor::block_on(async {
    ///
    /// let store = Arc::new(MemoryStore::new());
    /// let side = ServerSide::shared(store.clone());
    /// # let manager = Arc::new(SessionManager::new(side, SessionConfig::default())?);
    /// TestClient::signed_in(&manager, "ada").await?;
    /// assert_eq!(store.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    pub fn shared(store: Arc<dyn ErasedStore>) -> Self {
        Self {
            naming: store.capabilities().key_scheme,
            has_aliases: store.capabilities().aliases,
            accepts: store.capabilities().key_scheme,
            store,
            timeouts: Timeouts::default(),
            limit_per_user: Some(DEFAULT_LIMIT),
            on_corrupt: OnCorrupt::default(),
            signer: None,
            clock_skew: DEFAULT_CLOCK_SKEW,
            limits: Limits::default(),
        }
    }

    /// Sets the time limits.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, session::*, testing::{Clock, TestClient}};
    /// use carafe_core::{session::{ServerSide, Timeouts}, store::MemoryStore};
    /// # futures_executor::block_on(async {
    /// # let clock = Clock::at(Timestamp::from_unix(1_700_000_000));
    ///
    /// let timeouts = Timeouts::asvs_l2();
    /// let side = ServerSide::new(MemoryStore::new()).with_timeouts(timeouts);
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = manager.with_clock(clock.reader());
    /// let client = TestClient::signed_in(&std::sync::Arc::new(manager), "ada").await?;
    /// clock.advance(timeouts.idle.unwrap_or_default());
    /// assert_eq!(client.session().await?.user(), None);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Sets the limit of sessions per user and its enforcement (OWASP ASVS 7.1.2).
    ///
    /// The default is 1,000 sessions, and the oldest is revoked. For stores that can list the
    /// sessions of a user. With any other store, an explicit limit makes log-ins fail with
    /// [`StoreError::Unsupported`]. If a lowered limit is far exceeded, each log-in revokes the 200
    /// oldest sessions.
    ///
    /// ```
    /// # use carafe_core::{session::*, testing::TestClient};
    /// use carafe_core::{session::{AtLimit, ServerSide}, store::MemoryStore};
    /// # futures_executor::block_on(async {
    ///
    /// let side = ServerSide::new(MemoryStore::new()).with_limit_per_user(1, AtLimit::Refuse);
    /// # let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::default())?);
    /// let laptop = TestClient::signed_in(&manager, "ada").await?;
    /// let error = TestClient::signed_in(&manager, "ada").await.unwrap_err();
    /// assert_eq!(error.to_string(), "the user has reached the limit of sessions (1)");
    /// assert_eq!(laptop.session().await?.user().as_deref(), Some("ada"));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn with_limit_per_user(self, sessions: usize, at: AtLimit) -> Self {
        Self {
            limit_per_user: Some(Limit {
                sessions,
                at,
                is_explicit: true,
            }),
            ..self
        }
    }

    /// Removes the limit of sessions per user.
    ///
    /// ```
    /// # use carafe_core::{session::*, testing::TestClient};
    /// use carafe_core::{session::ServerSide, store::MemoryStore};
    /// # futures_executor::block_on(async {
    ///
    /// let side = ServerSide::new(MemoryStore::new()).without_limit_per_user();
    /// # let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::default())?);
    /// let first = TestClient::signed_in(&manager, "load-test").await?;
    /// for _ in 0..1_000 {
    ///     TestClient::signed_in(&manager, "load-test").await?;
    /// }
    /// assert!(first.session().await?.user().is_some(), "the default limit would have ended it");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn without_limit_per_user(self) -> Self {
        Self {
            limit_per_user: None,
            ..self
        }
    }

    /// Sets the size limits of a session. Larger sessions are rejected at commit.
    ///
    /// ```
    /// # use carafe_core::{session::*, testing::TestClient};
    /// use carafe_core::{limits::Limits, session::ServerSide, store::MemoryStore};
    /// # futures_executor::block_on(async {
    ///
    /// let limits = Limits::default().with_record_bytes(1 << 10);
    /// let side = ServerSide::new(MemoryStore::new()).with_limits(limits);
    /// # let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::default())?);
    /// let mut client = TestClient::new(&manager);
    /// let request = client.begin().await?;
    /// request.session().insert("draft", &"x".repeat(2 << 10))?;
    /// let error = client.finish(request, 200).await.unwrap_err();
    /// assert!(matches!(error, CommitError::Limit(_)));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets the response to an unreadable record. The default is a 503.
    ///
    /// ```
    /// # use carafe_core::clock::Timestamp;
    /// # use carafe_core::session::{OnCorrupt, ServerSide, SessionConfig, SessionManager};
    /// # use carafe_core::store::{CasStore, CompareAndSwap, StoreError, StoreKey};
    /// # use carafe_core::token::SessionId;
    /// /// A database in which every record is damaged.
    /// struct Damaged;
    ///
    /// impl CompareAndSwap for Damaged {
    ///     type Version = u64;
    ///
    ///     async fn read(&self, _: &StoreKey) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
    ///         Ok(Some((b"damaged".to_vec(), 1)))
    ///     }
    /// #   async fn insert(
    /// #       &self, _: &StoreKey, _: &[u8], _: Timestamp,
    /// #   ) -> Result<bool, StoreError> {
    /// #       Ok(false)
    /// #   }
    /// #   async fn replace(
    /// #       &self, _: &StoreKey, _: &u64, _: &[u8], _: Timestamp,
    /// #   ) -> Result<bool, StoreError> {
    /// #       Ok(false)
    /// #   }
    /// #   async fn remove(&self, _: &StoreKey, _: &u64) -> Result<bool, StoreError> {
    /// #       Ok(false)
    /// #   }
    ///     // …
    /// }
    ///
    /// # futures_executor::block_on(async {
    /// let opened = async |on_corrupt| {
    ///     let side = ServerSide::new(CasStore::new(Damaged)).with_corrupt(on_corrupt);
    ///     let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::flask())?);
    ///     let cookie = format!("session={}", SessionId::random()?.as_str());
    ///     let (slot, now) = (manager.begin(), manager.time());
    ///     let session = manager.open(&slot, [cookie.as_bytes()], now).await?;
    ///     Ok::<_, Box<dyn std::error::Error>>(session.rejection().map(|reason| reason.code()))
    /// };
    /// let refused = opened(OnCorrupt::Refuse).await.unwrap_err();
    /// assert_eq!(refused.to_string(), "a session record cannot be read");
    /// assert_eq!(opened(OnCorrupt::Anonymous).await?, Some("unreadable"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn with_corrupt(self, on_corrupt: OnCorrupt) -> Self {
        Self { on_corrupt, ..self }
    }

    /// Accepts IDs that Flask-Session created, even in a store with Carafe's own layout.
    ///
    /// Use this after a migration with [`MigratingStore`](crate::store::MigratingStore), until the
    /// last of these IDs is renewed. See [`SessionId::parse_as`] for their form.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use carafe_core::{session::ServerSide, store::{MemoryStore, StoreKey}};
    /// # use carafe_core::{clock::Timestamp, session::*};
    /// # use carafe_core::store::{PublicId, Record, SessionMeta, SessionStore};
    /// # futures_executor::block_on(async {
    ///
    /// let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e"; // as Flask-Session 0.5 created IDs
    /// let store = Arc::new(MemoryStore::new());
    /// # let now = Timestamp::from_unix(0);
    /// # let meta = SessionMeta::new(PublicId::random()?, now, Timestamp::from_unix(60));
    /// # let data = SessionData::parse(r#"{"theme":"dark"}"#.to_owned(), Record::STYLE)?;
    /// # let record = Record::new(meta, data);
    /// SessionStore::create(&*store, &StoreKey::of_id(uuid), &record, now).await?; // migrated
    /// let side = ServerSide::shared(store).with_flask_session_ids();
    /// # let manager = Arc::new(SessionManager::new(side, SessionConfig::flask())?);
    /// let slot = manager.begin();
    /// let cookie = format!("session={uuid}");
    /// let session = manager.open(&slot, [cookie.as_bytes()], now).await?;
    /// assert_eq!(session.get::<String>("theme")?.as_deref(), Some("dark"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[cfg(feature = "flask-session")]
    #[must_use]
    pub fn with_flask_session_ids(self) -> Self {
        Self {
            accepts: KeyScheme::RawId,
            ..self
        }
    }

    /// Signs the IDs in cookies, so that forged IDs are rejected without access to the store.
    ///
    /// With [`SignerSettings::flask_session`](crate::token::signed::SignerSettings::flask_session),
    /// this is Flask-Session's `SESSION_USE_SIGNER`. An ID signed with a fallback key is signed
    /// again with the current key when the session is read.
    ///
    /// ```
    /// use carafe_core::{
    ///     key::{KeyRing, SecretKey}, session::ServerSide, store::MemoryStore,
    ///     token::signed::{Signer, SignerSettings},
    /// };
    /// # use carafe_core::{clock::Timestamp, session::*, token::SessionId};
    /// # futures_executor::block_on(async {
    ///
    /// let keys = KeyRing::new(SecretKey::new(SecretKey::random_text()?.as_bytes())?);
    /// let signer = Signer::new(&keys, SignerSettings::with_salt("session-id"));
    /// let side = ServerSide::new(MemoryStore::new()).with_signed_ids(signer);
    /// # let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::flask())?);
    /// let forged = format!("session={}", SessionId::random()?.as_str());
    /// let slot = manager.begin();
    /// let session = manager.open(&slot, [forged.as_bytes()], Timestamp::now()).await?;
    /// assert_eq!(session.rejection().map(|rejection| rejection.code()), Some("malformed"));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn with_signed_ids(self, signer: Signer) -> Self {
        Self {
            signer: Some(Arc::new(signer)),
            ..self
        }
    }

    /// Returns `id` with a signature, or `None` if IDs are not signed.
    pub(super) fn signed(&self, id: &SessionId) -> Option<Zeroizing<String>> {
        let signer = self.signer.as_ref()?;
        Some(Zeroizing::new(signer.sign(id.as_str())))
    }

    /// Returns the ID in a cookie and the key that signed it.
    pub(super) fn id_in(
        &self,
        cookie: &[u8],
        now: Timestamp,
    ) -> Result<(SessionId, KeyUse), Rejection> {
        let (id, key) = match &self.signer {
            Some(signer) => signer.unsign_bytes(cookie, now).map_err(Rejection::Token)?,
            None => (cookie, KeyUse::Current),
        };
        let id = SessionId::parse_as(id, self.accepts).ok_or(Rejection::UnknownId)?;
        Ok((id, key))
    }

    pub(super) fn key_of(&self, id: &SessionId) -> StoreKey {
        id.store_key_as(self.naming)
    }

    /// Runs an operation.
    ///
    /// This takes one call of the store, unless a session is replaced, an ID is already in use, or
    /// another request was first. The futures of operations that begin a session are boxed, because
    /// they are larger than those of a patch or a touch.
    pub(super) async fn run(
        &self,
        (verb, patch): (Verb, &Patch),
        stored: Option<&Stored>,
        access: Access,
        client: ClientKind,
    ) -> Result<Outcome, StoreError> {
        let Some(stored) = stored else {
            return match verb {
                Verb::Create => {
                    let none = SessionData::default();
                    Box::pin(self.create(&none, patch, access, client)).await
                }
                _ => Ok(Outcome::Unchanged),
            };
        };
        match verb {
            Verb::Nothing | Verb::Refuse => Ok(Outcome::Unchanged),
            Verb::Touch => {
                let touched = self.store.touch(&stored.at.key, &access).await?;
                Ok(Outcome::of(touched, Outcome::SameId))
            }
            Verb::Patch => self.patch(stored, patch, access.at).await,
            Verb::Renew => Box::pin(self.renew(stored, patch, access.at)).await,
            Verb::Rotate => Box::pin(self.replace_id(stored, patch, access.at)).await,
            Verb::LogIn => Box::pin(self.log_in(stored, patch, access, client)).await,
            Verb::Delete => {
                self.delete(stored, access.at).await?;
                Ok(Outcome::Unchanged)
            }
            // If the record is missing, the browser may already have the cookie of a newer session,
            // so keep it.
            Verb::Empty => {
                let deleted = self.store.delete(&stored.at.key, access.at).await?;
                Ok(Outcome::of(deleted, Outcome::Unchanged))
            }
            Verb::Replace | Verb::Create => {
                self.delete(stored, access.at).await?;
                let data = &stored.record.data;
                Box::pin(self.create(data, patch, access, client)).await
            }
            // If the record is missing, another request has revoked the session or given it a new
            // ID.
            Verb::Depart => match self.store.delete(&stored.at.key, access.at).await? {
                true => {
                    let data = &stored.record.data;
                    Box::pin(self.create(data, patch, access, client)).await
                }
                false => Ok(Outcome::Gone),
            },
        }
    }

    /// Revokes the session, even if another request has given it a new ID.
    async fn delete(&self, stored: &Stored, now: Timestamp) -> Result<(), StoreError> {
        let SessionMeta {
            user, public_id, ..
        } = &stored.record.meta;
        let is_deleted = self.store.delete(&stored.at.key, now).await?;
        if let (false, Some(user), Some(users)) = (is_deleted, user, self.store.powers().users()) {
            users
                .delete_by_user(user, Selection::Only(*public_id), 1, now)
                .await?;
        }
        Ok(())
    }

    async fn create(
        &self,
        data: &SessionData,
        patch: &Patch,
        access: Access,
        client: ClientKind,
    ) -> Result<Outcome, StoreError> {
        let now = access.at;
        // Boxed to keep the commit future small.
        let record = Box::new(new_record(data, patch, access, client)?);
        if let Some(refused) = self.refused(patch, record.meta.public_id, now).await? {
            return Ok(refused);
        }
        for _ in 0..ATTEMPTS {
            let id = SessionId::random().map_err(StoreError::unavailable)?;
            let key = self.key_of(&id);
            if self.store.create(&key, &record, now).await? == Created::Created {
                return self
                    .within_the_limit(patch, record.meta.public_id, Outcome::NewId(id), now)
                    .await;
            }
        }
        Err(StoreError::Conflict)
    }

    async fn patch(
        &self,
        stored: &Stored,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let (key, base) = (&stored.at.key, &stored.record);
        let patched = self.store.patch(key, base, patch, now).await?;
        Ok(Outcome::of(patched.is_applied(), Outcome::SameId))
    }

    /// Renews the ID by time.
    ///
    /// If another request has renewed the ID in the meantime, the patch follows the alias of the
    /// old ID, and the browser gets the same successor.
    async fn renew(
        &self,
        stored: &Stored,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let nonce = Nonce::random().map_err(StoreError::unavailable)?;
        let id = stored.at.id.successor(&nonce);
        let rotation = Rotation::Renewal(nonce);
        if self.rotate(stored, patch, &id, rotation, now).await? {
            return Ok(Outcome::NewId(id));
        }
        let (key, base) = (&stored.at.key, &stored.record);
        Ok(match self.store.patch(key, base, patch, now).await? {
            Patched::Applied(record) => match successor(&stored.at.id, key, &record) {
                Some(id) => Outcome::NewId(id),
                None => Outcome::Unchanged,
            },
            Patched::Gone => Outcome::Gone,
        })
    }

    /// Gives the session a new ID and invalidates the old one immediately.
    async fn replace_id(
        &self,
        stored: &Stored,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let id = SessionId::random().map_err(StoreError::unavailable)?;
        let rotated = self
            .rotate(stored, patch, &id, Rotation::Replacement, now)
            .await?;
        Ok(Outcome::of(rotated, Outcome::NewId(id)))
    }

    /// Logs in, which always results in a session.
    ///
    /// If the opened session is gone, the user gets a fresh session with this request's own changes
    /// and none of the old content.
    async fn log_in(
        &self,
        stored: &Stored,
        patch: &Patch,
        access: Access,
        client: ClientKind,
    ) -> Result<Outcome, StoreError> {
        let (public_id, now) = (stored.record.meta.public_id, access.at);
        if let Some(refused) = self.refused(patch, public_id, now).await? {
            return Ok(refused);
        }
        match self.replace_id(stored, patch, now).await? {
            Outcome::Gone => {
                let none = SessionData::default();
                Box::pin(self.create(&none, patch, access, client)).await
            }
            outcome => self.within_the_limit(patch, public_id, outcome, now).await,
        }
    }

    async fn rotate(
        &self,
        stored: &Stored,
        patch: &Patch,
        id: &SessionId,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (from, to, base) = (&stored.at.key, self.key_of(id), &stored.record);
        let rotated = self.store.rotate(from, &to, base, patch, rotation, now);
        Ok(rotated.await?.is_applied())
    }

    /// Checks before a log-in whether the user of `patch` has reached a limit that refuses log-ins.
    async fn refused(
        &self,
        patch: &Patch,
        own: PublicId,
        now: Timestamp,
    ) -> Result<Option<Outcome>, StoreError> {
        let (Some(limit), Some(user)) = (self.limit_per_user, &patch.facts.user) else {
            return Ok(None);
        };
        if limit.at == AtLimit::EndOldest {
            return Ok(None);
        }
        let few = limit.sessions.saturating_add(1);
        let sessions = self.users()?.list_by_user(user, None, few, now).await?;
        let others = sessions
            .iter()
            .filter(|session| session.public_id != own)
            .count();
        Ok(limit.refuses(others).then_some(Outcome::Refused {
            limit: limit.sessions,
        }))
    }

    /// Enforces the limit after a log-in by revoking excess sessions.
    ///
    /// With concurrent log-ins under [`AtLimit::Refuse`], the revoked session may be `own`.
    async fn within_the_limit(
        &self,
        patch: &Patch,
        own: PublicId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let (Some(limit), Some(user)) = (self.limit_per_user, &patch.facts.user) else {
            return Ok(outcome);
        };
        if !matches!(outcome, Outcome::NewId(_)) {
            return Ok(outcome);
        }
        if limit.at == AtLimit::EndOldest {
            let trimmed = match self.users() {
                Ok(users) => users.trim(user, limit.sessions, own, TRIM_STEP, now).await,
                Err(error) => Err(error),
            };
            return match trimmed {
                Err(StoreError::Unsupported) if !limit.is_explicit => Ok(outcome),
                trimmed => trimmed.map(|_| outcome),
            };
        }
        let (users, mut outcome) = (self.users()?, outcome);
        let most = limit.sessions.saturating_add(TRIM_STEP);
        let sessions = users.list_by_user(user, None, most, now).await?;
        for session in limit.surplus(&sessions) {
            let only = Selection::Only(session.public_id);
            users.delete_by_user(user, only, 1, now).await?;
            if session.public_id == own {
                outcome = Outcome::Refused {
                    limit: limit.sessions,
                };
            }
        }
        Ok(outcome)
    }

    /// Returns whether [`run`](Self::run) never awaits. [`AtLimit::Refuse`] makes it await.
    pub(super) fn runs_at_once(&self) -> bool {
        let refuses = self
            .limit_per_user
            .is_some_and(|limit| limit.at == AtLimit::Refuse);
        !refuses && self.store.never_waits()
    }

    fn users(&self) -> Result<&dyn ErasedUserSessions, StoreError> {
        self.store.powers().users().ok_or(StoreError::Unsupported)
    }

    /// Returns whether the ID of `record` is due for a timed renewal.
    ///
    /// Sessions without a user are not renewed, and neither are sessions with a previous ID that is
    /// still accepted.
    pub(super) fn renewal_is_due(&self, record: &Record, now: Timestamp) -> bool {
        let may_renew = record
            .meta
            .renewal
            .is_none_or(|renewal| renewal.is_over(now));
        let (limits, skew) = (self.timeouts, self.clock_skew);
        let is_due = || limits.renewal_is_due(record.meta.renewed, now, skew);
        self.has_aliases && record.meta.user.is_some() && may_renew && is_due()
    }

    /// Returns whether another request may have renewed the ID of `record` since it was loaded.
    ///
    /// For example, another node with a faster clock may have done so. In this case the cookie is
    /// not sent again, because it would replace the newer cookie.
    pub(super) fn may_be_renewed_elsewhere(&self, record: &Record, now: Timestamp) -> bool {
        let (limits, skew) = (self.timeouts, self.clock_skew);
        let is_due =
            || limits.renewal_is_due(record.meta.renewed, now.saturating_add(seconds(skew)), skew);
        self.has_aliases && record.meta.user.is_some() && is_due()
    }

    /// Checks the absolute limit, which may have been longer when the record was written.
    pub(super) fn is_live(&self, record: &Record, now: Timestamp) -> bool {
        self.timeouts
            .is_within_absolute(record.meta.created, now, self.clock_skew)
    }
}

fn new_record(
    data: &SessionData,
    patch: &Patch,
    access: Access,
    client: ClientKind,
) -> Result<Record, StoreError> {
    let data = patch.applied(data, Record::STYLE);
    let (facts, now) = (&patch.facts, access.at);
    let mut meta = SessionMeta::new(
        PublicId::random_for(client).map_err(StoreError::unavailable)?,
        now,
        access.expires,
    );
    meta.user = facts.user.clone();
    meta.device = facts.device.clone();
    meta.authenticated = facts.authenticated;
    Ok(Record::new(meta, data.map_err(StoreError::corrupt)?))
}

impl std::fmt::Debug for ServerSide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerSide")
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
