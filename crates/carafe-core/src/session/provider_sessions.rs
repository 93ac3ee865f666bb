//! The sessions of an OpenID provider's log-ins, for OpenID Connect Back-Channel Logout 1.0.
//!
//! A provider names its own session by a `sid`, in the ID token and later in the logout token. An
//! *entry* of each `sid` holds the user and whether the provider has ended it. Entries are records
//! of a [`SessionStore`](crate::store::SessionStore), so every process of a service has the same
//! ones. The session itself holds the name of its entry.
//!
//! A log-in saves its session first and its entry second; a log-out marks the entry first and ends
//! the sessions second. So a log-out either finds the session of a simultaneous log-in, or the
//! log-in finds the mark.

use std::{sync::Arc, time::Duration};

use super::{
    Access, Patch, Session, SessionData, SessionError, SessionManager, backend::Prepared,
    expiry::seconds, keys::PROVIDER_SESSION,
};
use crate::{
    base64,
    clock::Timestamp,
    json,
    limits::PAGE,
    store::{
        Created, ErasedSessionListing, ErasedStore, Patched, PublicId, Record, Selection,
        SessionMeta, StoreError, StoreKey,
    },
};

/// How long the entry of a `sid` is kept by default: 90 days.
const LIFETIME: Duration = Duration::from_secs(90 * 86_400);
/// How long a token is remembered after its expiry, which covers a verifier's clock skew.
const TOKEN_MARGIN: Duration = Duration::from_secs(300);
/// Maximum number of attempts to write an entry. An attempt fails only if another request has
/// created or removed the entry at the same time.
const ATTEMPTS: usize = 8;

/// The user of an entry, as JSON text.
const USER: &str = "user";
/// Present in the entry of a provider's session that has ended.
const ENDED: &str = "ended";

/// Logs in users of one OpenID provider, and logs them out when the provider says so.
///
/// For OpenID Connect Back-Channel Logout 1.0: the provider sends a logout token to the service,
/// without the browser. Verify the token with `LogoutTokens` of the crate `carafe-tokens`.
///
/// The entries are records of `store`, one for each `sid`, and one for each logout token until it
/// expires. Use a store of their own, such as another table or another prefix of keys: in the store
/// of the sessions, they appear in lists and counts as sessions without a user.
///
/// ```
/// use std::sync::Arc;
/// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
/// # futures_executor::block_on(async {
/// # let side = ServerSide::new(MemoryStore::new());
/// # let manager = SessionManager::new(side, SessionConfig::default())?;
/// # let manager = std::sync::Arc::new(manager);
/// # let mut client = TestClient::new(&manager);
/// let provider = ProviderSessions::new("https://login.example", Arc::new(MemoryStore::new()));
///
/// // In the callback, with `sub` and `sid` of the ID token:
/// let request = client.begin().await?;
/// assert!(provider.log_in(request.session(), "ada", "sid-1").await?);
/// client.finish(request, 303).await?;
/// assert_eq!(client.session().await?.user().as_deref(), Some("ada"));
///
/// // For a logout token, without the browser:
/// assert_eq!(provider.end_by_sid(&manager, "sid-1").await?, 1);
/// assert_eq!(client.session().await?.user(), None);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct ProviderSessions {
    issuer: String,
    store: Arc<dyn ErasedStore>,
    lifetime: Duration,
}

impl ProviderSessions {
    /// Creates the operations for one provider, by its issuer: the `iss` of its tokens.
    pub fn new(issuer: impl Into<String>, store: Arc<dyn ErasedStore>) -> Self {
        Self {
            issuer: issuer.into(),
            store,
            lifetime: LIFETIME,
        }
    }

    /// Sets how long an entry is kept after the last log-in with its `sid`, 90 days by default.
    ///
    /// It must be longer than a session lives here and at the provider: without its entry, a `sid`
    /// ends no session.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Logs in `user` with the `sid` of the provider's session, and commits the session.
    ///
    /// Returns whether the user is logged in. `false` means that the provider has ended its session
    /// since: the session is logged out, and a new log-in gets another `sid`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// let provider = ProviderSessions::new("https://login.example", Arc::new(MemoryStore::new()));
    /// // The logout token arrives before the callback of the browser.
    /// provider.end_by_sid(&manager, "sid-1").await?;
    /// let request = client.begin().await?;
    /// assert!(!provider.log_in(request.session(), "ada", "sid-1").await?);
    /// assert_eq!(request.session().user(), None);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Unsupported`] for client-side sessions; otherwise as [`Session::commit`].
    /// After an error, the session is logged out: nothing could end it by its `sid`.
    pub async fn log_in(
        &self,
        session: &Session,
        user: &str,
        sid: &str,
    ) -> Result<bool, SessionError> {
        if matches!(session.manager().side, Prepared::Client(_)) {
            return Err(SessionError::Unsupported);
        }
        let logged_in = self.try_log_in(session, user, sid).await;
        if matches!(logged_in, Ok(true)) {
            return logged_in;
        }
        let undone = session.log_out();
        logged_in.and_then(|logged_in| undone.map(|()| logged_in))
    }

    async fn try_log_in(
        &self,
        session: &Session,
        user: &str,
        sid: &str,
    ) -> Result<bool, SessionError> {
        let key = self.session_key(sid);
        session.log_in(user)?;
        session.insert(PROVIDER_SESSION, name_of(&key).as_str())?;
        session.commit().await?;
        let mut patch = Patch::new();
        patch.set(USER, session.encode(USER, user)?);
        let now = session.manager().now();
        let entry = self.write(&key, patch, self.expires(now), now).await;
        Ok(!has_ended(&entry.map_err(SessionError::Store)?))
    }

    /// Revokes the sessions that were logged in with this `sid`, and returns their number.
    ///
    /// No session is accepted with this `sid` once this returns, not even one whose log-in is in
    /// progress. A repeated call does no harm, and completes a call that has failed.
    ///
    /// ```
    /// use std::sync::Arc;
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// let provider = ProviderSessions::new("https://login.example", Arc::new(MemoryStore::new()));
    /// let mut phone = TestClient::new(&manager);
    /// for (client, sid) in [(&mut client, "sid-1"), (&mut phone, "sid-2")] {
    ///     let request = client.begin().await?;
    ///     provider.log_in(request.session(), "ada", sid).await?;
    ///     client.finish(request, 303).await?;
    /// }
    /// assert_eq!(provider.end_by_sid(&manager, "sid-2").await?, 1);
    /// assert_eq!(provider.end_by_sid(&manager, "sid-2").await?, 0, "a repetition does no harm");
    /// assert_eq!(client.session().await?.user().as_deref(), Some("ada"), "another `sid`");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Unsupported`] for client-side sessions and for stores that
    /// cannot list the sessions of a user.
    pub async fn end_by_sid(&self, manager: &SessionManager, sid: &str) -> Result<u64, StoreError> {
        let (key, now) = (self.session_key(sid), manager.now());
        let mut patch = Patch::new();
        patch.set(ENDED, "true".to_owned());
        let entry = self.write(&key, patch, self.expires(now), now).await?;
        match user_of(&entry)? {
            Some(user) => end_named(manager, &user, &name_of(&key)).await,
            None => Ok(0),
        }
    }

    /// Runs `operation` unless it has succeeded for the same token before.
    ///
    /// For the `jti` of a logout token that was verified, and its expiry. Returns `None` for a
    /// repeated token. A token whose operation has failed may be sent again. Of simultaneous calls
    /// with one token, several may run.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use carafe_core::store::Selection;
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// let provider = ProviderSessions::new("https://login.example", Arc::new(MemoryStore::new()));
    /// let ada = TestClient::signed_in(&manager, "ada").await?;
    /// let now = manager.time();
    /// let expires = now.saturating_add(120); // `exp` of the logout token
    ///
    /// let revoke = || manager.end_sessions_of("ada", Selection::All);
    /// assert_eq!(provider.run_once("jti-1", expires, now, revoke()).await?, Some(1));
    /// let again = provider.run_once("jti-1", expires, now, revoke()).await?;
    /// assert_eq!(again, None, "respond with a 400");
    /// assert_eq!(ada.session().await?.user(), None);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] of `operation` or of the entry.
    pub async fn run_once<T>(
        &self,
        token_id: &str,
        expires: Timestamp,
        now: Timestamp,
        operation: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        let key = self.key_of("token", token_id);
        if self.store.load(&key, now).await?.record().is_some() {
            return Ok(None);
        }
        let done = operation.await?;
        let until = expires.saturating_add(seconds(TOKEN_MARGIN));
        self.write(&key, Patch::new(), until, now).await?;
        Ok(Some(done))
    }

    /// Creates an entry or changes it, and returns it with all changes so far.
    async fn write(
        &self,
        key: &StoreKey,
        mut patch: Patch,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<SessionData, StoreError> {
        patch.facts.seen = Some(Access {
            at: now,
            expires,
            confirms: None,
        });
        for _ in 0..ATTEMPTS {
            match self.store.load(key, now).await?.into_record() {
                None => {
                    let record = new_entry(&patch, now, expires)?;
                    if self.store.create(key, &record, now).await? == Created::Created {
                        return Ok(record.data);
                    }
                }
                Some(base) => {
                    let patched = self.store.patch(key, &base, &patch, now).await?;
                    if let Patched::Applied(record) = patched {
                        return Ok(record.data);
                    }
                }
            }
        }
        Err(StoreError::Conflict)
    }

    fn session_key(&self, sid: &str) -> StoreKey {
        self.key_of("session", sid)
    }

    /// Returns the key of an entry. The length separates the issuer from the text.
    fn key_of(&self, kind: &str, text: &str) -> StoreKey {
        let issuer = &self.issuer;
        let length = issuer.len();
        StoreKey::of_id(&format!("carafe provider {kind} {length} {issuer}{text}"))
    }

    fn expires(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(seconds(self.lifetime))
    }
}

impl std::fmt::Debug for ProviderSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderSessions")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

fn new_entry(patch: &Patch, now: Timestamp, expires: Timestamp) -> Result<Record, StoreError> {
    let public_id = PublicId::random().map_err(StoreError::unavailable)?;
    let data = patch.applied(&SessionData::default(), Record::STYLE);
    let meta = SessionMeta::new(public_id, now, expires);
    Ok(Record::new(meta, data.map_err(StoreError::corrupt)?))
}

/// Revokes the sessions of `user` that hold the name of an entry.
async fn end_named(manager: &SessionManager, user: &str, name: &str) -> Result<u64, StoreError> {
    let Prepared::Server(side) = &manager.side else {
        return Err(StoreError::Unsupported);
    };
    let powers = side.store.powers();
    let (Some(users), Some(listing)) = (powers.users(), powers.listing()) else {
        return Err(StoreError::Unsupported);
    };
    let (now, mut after, mut ended) = (manager.now(), None, 0);
    loop {
        let page = users.list_by_user(user, after, PAGE, now).await?;
        for meta in &page {
            if holds(listing, meta.public_id, name, now).await? {
                let only = Selection::Only(meta.public_id);
                ended += users.delete_by_user(user, only, 1, now).await?;
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.position()),
            _ => return Ok(ended),
        }
    }
}

/// Returns whether a session holds the name of an entry.
///
/// A session that cannot be read counts as one that does: it may be one of the provider's.
async fn holds(
    listing: &dyn ErasedSessionListing,
    session: PublicId,
    name: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let record = match listing.find(session, now).await {
        Ok(record) => record,
        Err(StoreError::Corrupt(_)) => return Ok(true),
        Err(error) => return Err(error),
    };
    let held = record.and_then(|record| text_in(&record.data, PROVIDER_SESSION).ok().flatten());
    Ok(held.as_deref() == Some(name))
}

/// Returns the name of an entry, as a session holds it.
fn name_of(key: &StoreKey) -> String {
    base64::encode_url(key.as_bytes())
}

fn has_ended(entry: &SessionData) -> bool {
    entry.text_of(ENDED).is_some()
}

fn user_of(entry: &SessionData) -> Result<Option<String>, StoreError> {
    text_in(entry, USER)
}

fn text_in(data: &SessionData, key: &str) -> Result<Option<String>, StoreError> {
    let text = data.text_of(key);
    let value = text.map(|text| json::from_text(text, Record::STYLE.tags));
    value.transpose().map_err(StoreError::corrupt)
}
