//! Sessions whose state a store keeps; the cookie holds an id.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{
    AtLimit, Duplicates, OnCorrupt, Patch, Rejection, SessionData, Timeouts,
    expiry::seconds,
    limit::Limit,
    plan::Verb,
    search::Search,
    slot::{Found, Stored},
    verbs::Verbs,
};
use crate::{
    clock::Timestamp,
    cookie::Candidates,
    key::KeyUse,
    store::{
        AtOnce, Created, Handle, Naming, Record, SessionStore, StoreError, StoreKey, UserSessions,
        Which,
    },
    token::{SealError, SessionId, signed::Signer},
};

/// How often a new id is drawn if a store says that it has it already. With 256 random bits, once is
/// enough unless the store or the randomness is broken.
const ATTEMPTS: usize = 3;

/// Keeps sessions in a store: they can be of any size, be listed and be ended everywhere.
///
/// ```
/// use carafe_core::{session::{AtLimit, ServerSide, Timeouts}, store::MemoryStore};
///
/// let side = ServerSide::new(MemoryStore::new()).with_timeouts(Timeouts::asvs_l2()).with_limit_per_user(5, AtLimit::EndOldest);
/// ```
#[derive(Clone)]
pub struct ServerSide {
    pub(super) store: Arc<dyn SessionStore>,
    pub(super) timeouts: Timeouts,
    limit_per_user: Option<Limit>,
    pub(super) on_corrupt: OnCorrupt,
    naming: Naming,
    signer: Option<Arc<Signer>>,
}

/// What became of a verb.
pub(super) enum Outcome {
    /// There is nothing to tell the browser.
    Unchanged,
    /// The session lives under this id, which the browser does not have yet.
    NewId(SessionId),
    /// The session lives under the id that the browser has.
    SameId,
    /// The user has as many sessions as one may have.
    Refused { limit: usize },
    /// Somebody else has ended the session, or given it a new id, while this request ran.
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
    /// Sessions in `store`, which live for the configured lifetime from their last use.
    pub fn new(store: impl SessionStore) -> Self {
        Self::shared(Arc::new(store))
    }

    /// [`ServerSide::new`] for a store that others use too.
    pub fn shared(store: Arc<dyn SessionStore>) -> Self {
        Self {
            naming: store.layout().naming,
            store,
            timeouts: Timeouts::default(),
            limit_per_user: None,
            on_corrupt: OnCorrupt::default(),
            signer: None,
        }
    }

    /// The time limits.
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// How many sessions a user may have, and what happens at a log-in beyond that (OWASP ASVS 7.1.2). For
    /// stores that can list the sessions of a user; any other answers such a log-in with
    /// [`StoreError::Unsupported`].
    #[must_use]
    pub fn with_limit_per_user(self, sessions: usize, at: AtLimit) -> Self {
        Self {
            limit_per_user: Some(Limit { sessions, at }),
            ..self
        }
    }

    /// What a visitor gets whose record cannot be read. A 503 unless set.
    ///
    /// ```
    /// use carafe_core::{session::{OnCorrupt, ServerSide}, store::MemoryStore};
    ///
    /// let side = ServerSide::new(MemoryStore::new()).with_corrupt(OnCorrupt::Anonymous);
    /// ```
    #[must_use]
    pub fn with_corrupt(self, on_corrupt: OnCorrupt) -> Self {
        Self { on_corrupt, ..self }
    }

    /// Signs the ids in cookies: a forged one is refused before the store is asked. With
    /// [`SignerSettings::flask_session`](crate::token::signed::SignerSettings::flask_session) this is
    /// Flask-Session's `SESSION_USE_SIGNER`. An id that a fallback key has signed is signed anew when the session
    /// is read.
    ///
    /// ```
    /// use carafe_core::{
    ///     key::{KeyRing, SecretKey}, session::ServerSide, store::MemoryStore,
    ///     token::signed::{Signer, SignerSettings},
    /// };
    ///
    /// let keys = KeyRing::new(SecretKey::new(SecretKey::random_text()?.as_bytes())?);
    /// let signer = Signer::new(&keys, SignerSettings::with_salt("session-id"));
    /// let side = ServerSide::new(MemoryStore::new()).with_signed_ids(signer);
    /// # Ok::<(), carafe_core::key::KeyError>(())
    /// ```
    #[must_use]
    pub fn with_signed_ids(self, signer: Signer) -> Self {
        Self {
            signer: Some(Arc::new(signer)),
            ..self
        }
    }

    /// `id` with a signature, if ids in cookies have one.
    pub(super) fn signed(&self, id: &SessionId) -> Option<Zeroizing<String>> {
        let signer = self.signer.as_ref()?;
        Some(Zeroizing::new(signer.sign(id.as_str())))
    }

    /// The id in a cookie, and the key that has signed it.
    pub(super) fn id_in(
        &self,
        cookie: &[u8],
        now: Timestamp,
    ) -> Result<(SessionId, KeyUse), Rejection> {
        let (id, key) = match &self.signer {
            Some(signer) => signer.unsign_bytes(cookie, now).map_err(Rejection::Token)?,
            None => (cookie, KeyUse::Current),
        };
        let id = SessionId::parse(id).ok_or(Rejection::UnknownId)?;
        Ok((id, key))
    }

    pub(super) fn key_of(&self, id: &SessionId) -> StoreKey {
        id.store_key_as(self.naming)
    }

    /// What is behind a request's cookies.
    pub(super) async fn load(
        &self,
        candidates: &Candidates<'_>,
        duplicates: Duplicates,
        now: Timestamp,
    ) -> Result<Found, StoreError> {
        let mut search = Search::new(self, now);
        for cookie in duplicates.looks_at(candidates) {
            if let Some(asked) = search.asks(cookie) {
                let loaded = self.store.load(&asked.key, now).await;
                search.hears(asked, loaded)?;
            }
        }
        Ok(search.ends())
    }

    /// [`load`](Self::load) from a store that never waits.
    pub(super) fn load_at_once(
        &self,
        store: &dyn AtOnce,
        candidates: &Candidates<'_>,
        duplicates: Duplicates,
        now: Timestamp,
    ) -> Result<Found, StoreError> {
        let mut search = Search::new(self, now);
        for cookie in duplicates.looks_at(candidates) {
            if let Some(asked) = search.asks(cookie) {
                let loaded = store.load_at_once(&asked.key, now);
                search.hears(asked, loaded)?;
            }
        }
        Ok(search.ends())
    }

    /// Carries out a verb. One call of the store, unless a session is replaced or an id was taken.
    pub(super) async fn run(
        &self,
        (verb, patch): (Verb, &Patch),
        stored: Option<&Stored>,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let Some(stored) = stored else {
            return match verb {
                Verb::Create | Verb::Replace => {
                    self.create(&SessionData::default(), patch, expires, now)
                        .await
                }
                _ => Ok(Outcome::Unchanged),
            };
        };
        match verb {
            Verb::Nothing => Ok(Outcome::Unchanged),
            Verb::Touch => self.touch(stored, expires, now).await,
            Verb::Patch => self.patch(stored, patch, now).await,
            Verb::Renew => self.renew(stored, patch, now).await,
            Verb::LogIn => self.log_in(stored, patch, now).await,
            Verb::Delete => {
                self.verbs().delete(&stored.key).await?;
                Ok(Outcome::Unchanged)
            }
            Verb::Replace | Verb::Create => {
                self.verbs().delete(&stored.key).await?;
                self.create(&stored.record.data, patch, expires, now).await
            }
        }
    }

    async fn create(
        &self,
        data: &SessionData,
        patch: &Patch,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        // On the heap: the futures of all commits would have room for it.
        let record = Box::new(new_record(data, patch, expires, now)?);
        if let Some(refused) = self.refused(patch, record.handle, now).await? {
            return Ok(refused);
        }
        for _ in 0..ATTEMPTS {
            let id = SessionId::random().map_err(StoreError::unavailable)?;
            let key = self.key_of(&id);
            if self.verbs().create(&key, &record, now).await? == Created::Created {
                return self
                    .within_the_limit(patch, record.handle, Outcome::NewId(id), now)
                    .await;
            }
        }
        Err(StoreError::Conflict)
    }

    async fn touch(
        &self,
        stored: &Stored,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let touched = self.verbs().touch(&stored.key, expires, now).await?;
        Ok(Outcome::of(touched, Outcome::SameId))
    }

    async fn patch(
        &self,
        stored: &Stored,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let (key, base) = (&stored.key, &stored.record);
        let patched = self.verbs().patch(key, base, patch, now).await?;
        Ok(Outcome::of(patched, Outcome::SameId))
    }

    /// Where another request has renewed the id meanwhile, the changes go through its alias.
    async fn renew(
        &self,
        stored: &Stored,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let until = now.saturating_add(seconds(self.timeouts.grace));
        match self.rotate(stored, patch, Some(until), now).await? {
            Outcome::Gone => match self.patch(stored, patch, now).await? {
                Outcome::SameId => Ok(Outcome::Unchanged),
                other => Ok(other),
            },
            other => Ok(other),
        }
    }

    async fn log_in(
        &self,
        stored: &Stored,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let handle = stored.record.handle;
        if let Some(refused) = self.refused(patch, handle, now).await? {
            return Ok(refused);
        }
        match self.rotate(stored, patch, None, now).await? {
            Outcome::NewId(id) => {
                self.within_the_limit(patch, handle, Outcome::NewId(id), now)
                    .await
            }
            other => Ok(other),
        }
    }

    async fn rotate(
        &self,
        stored: &Stored,
        patch: &Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let id = SessionId::random().map_err(StoreError::unavailable)?;
        let (from, to, base) = (&stored.key, self.key_of(&id), &stored.record);
        let rotated = self
            .verbs()
            .rotate((from, &to), base, patch, alias_until, now)
            .await?;
        Ok(Outcome::of(rotated, Outcome::NewId(id)))
    }

    /// Before a log-in: whether the user of `patch` may have no session besides those there are.
    async fn refused(
        &self,
        patch: &Patch,
        own: Handle,
        now: Timestamp,
    ) -> Result<Option<Outcome>, StoreError> {
        let (Some(limit), Some(user)) = (self.limit_per_user, &patch.facts.user) else {
            return Ok(None);
        };
        if limit.at == AtLimit::EndOldest {
            return Ok(None);
        }
        let sessions = self.users()?.of_user(user, now).await?;
        let others = sessions
            .iter()
            .filter(|session| session.handle != own)
            .count();
        Ok(limit.refuses(others).then_some(Outcome::Refused {
            limit: limit.sessions,
        }))
    }

    /// After a log-in: ends what is beyond the limit, which may be the session `own` itself.
    async fn within_the_limit(
        &self,
        patch: &Patch,
        own: Handle,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let (Some(limit), Some(user)) = (self.limit_per_user, &patch.facts.user) else {
            return Ok(outcome);
        };
        let (users, mut outcome) = (self.users()?, outcome);
        for session in limit.surplus(&users.of_user(user, now).await?) {
            users
                .delete_of_user(user, Which::Only(session.handle))
                .await?;
            if session.handle == own {
                outcome = Outcome::Refused {
                    limit: limit.sessions,
                };
            }
        }
        Ok(outcome)
    }

    /// Whether [`run`](Self::run) never waits: whoever counts the sessions of a user may.
    pub(super) fn runs_at_once(&self) -> bool {
        self.limit_per_user.is_none() && self.verbs().are_at_once()
    }

    fn verbs(&self) -> Verbs<'_> {
        Verbs::of(&*self.store)
    }

    fn users(&self) -> Result<&dyn UserSessions, StoreError> {
        self.store.users().ok_or(StoreError::Unsupported)
    }

    /// The absolute limit also holds for records that were written under a longer one.
    pub(super) fn is_live(&self, record: &Record, now: Timestamp) -> bool {
        let limit = self.timeouts.absolute.map_or(i64::MAX, seconds);
        now.seconds_since(record.created) < limit
    }
}

fn new_record(
    data: &SessionData,
    patch: &Patch,
    expires: Timestamp,
    now: Timestamp,
) -> Result<Record, StoreError> {
    let data = patch.applied(data, Record::STYLE);
    let facts = &patch.facts;
    Ok(Record {
        data: data.map_err(StoreError::corrupt)?,
        user: facts.user.clone(),
        handle: Handle::random().map_err(|_| StoreError::unavailable(SealError::NoRandomness))?,
        device: facts.device.clone(),
        created: now,
        renewed: now,
        last_seen: now,
        expires,
        authenticated: facts.authenticated,
        version: 0,
    })
}

impl std::fmt::Debug for ServerSide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerSide")
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
