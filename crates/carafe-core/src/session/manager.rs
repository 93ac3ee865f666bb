//! The sessions of one cookie: their configuration, and operations on a user's sessions.
//!
//! `open` loads a session, `commit` saves it, and `client_side` and `server_side` are the two
//! backends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    ClearSiteData, Conflict, Duplicates, FlaskLogin, LocalPath, Policy, SessionBackend,
    SessionConfig, TransportKind, backend::Prepared, expiry::seconds, flask_login,
    transport::Transports,
};
use crate::{
    clock::Timestamp,
    cookie::{CookieError, CookiePolicy, Grammar, Persistence},
    json::JsonDialect,
    store::{
        ErasedSessionListing, ErasedUserSessions, Position, Selection, SessionMeta, StoreError,
    },
    token::DEFAULT_CLOCK_SKEW,
};

/// 100 years, so that any expiry date still fits into a cookie.
const LONGEST_LIFETIME: Duration = Duration::from_secs(100 * 365 * 86_400);
/// Cookie names that reveal a framework to scanners.
///
/// See "Session ID Name Fingerprinting" in the OWASP Session Management Cheat Sheet. `session`,
/// which Flask's format needs, is too common to reveal one.
const TELLING_NAMES: [&str; 6] = [
    "PHPSESSID",
    "JSESSIONID",
    "ASP.NET_SessionId",
    "connect.sid",
    "CFID",
    "laravel_session",
];

/// Opens and commits the sessions of one cookie. Create one at startup and share it.
///
/// An adapter calls [`SessionManager::begin`] for each request, [`SessionManager::open`] when a
/// handler requests the session, and [`SessionManager::commit`] before the response's head is sent.
/// Client-side sessions never wait.
///
/// ```
/// use std::sync::Arc;
/// use carafe_core::session::{ClientSide, SessionConfig, SessionManager};
/// use carafe_core::{clock::Timestamp, key::SecretKey};
///
/// # futures_executor::block_on(async {
/// let key = SecretKey::short("flask-spec-secret")?;
/// let manager = Arc::new(SessionManager::new(ClientSide::signed(key), SessionConfig::flask())?);
/// let now = Timestamp::from_unix(1_700_000_000);
///
/// let slot = manager.begin();
/// let session = manager.open(&slot, [&b"theme=dark"[..]], now).await?;
/// session.insert("user_id", &42)?;
/// let effects = manager.commit(&slot, [], 200, now).await?;
/// assert_eq!(
///     effects.set_cookie.as_deref(),
///     Some("session=eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw; HttpOnly; Path=/"),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct SessionManager {
    pub(super) cookie: CookiePolicy,
    pub(super) transports: Transports,
    pub(super) side: Prepared,
    pub(super) grammar: Grammar,
    duplicates: Duplicates,
    always_kept: bool,
    pub(super) policy: Policy,
    pub(super) on_conflict: Conflict,
    /// The value of `Clear-Site-Data`.
    clear_site_data: Option<Arc<str>>,
    login_page: Option<LocalPath>,
    pub(super) flask_login: Option<flask_login::Prepared>,
    /// In seconds. Relaxed, because a change of the lifetime needs no ordering.
    lifetime: AtomicU64,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

impl SessionManager {
    /// Prepares the keys and checks the configuration.
    ///
    /// ```
    /// use carafe_core::cookie::{CookieError, CookiePolicy, SameSite};
    /// use carafe_core::{session::{ServerSide, SessionConfig, SessionManager}, store::MemoryStore};
    ///
    /// let manager = |config| SessionManager::new(ServerSide::new(MemoryStore::new()), config);
    /// assert!(manager(SessionConfig::default()).is_ok());
    ///
    /// // Browsers drop a cookie with `SameSite=None` that is not `Secure`.
    /// let cookie = CookiePolicy::flask("session").same_site(SameSite::None);
    /// let error = manager(SessionConfig::default().with_cookie(cookie)).unwrap_err();
    /// assert!(error.to_string().contains("Secure"), "{error}");
    ///
    /// let long = std::time::Duration::from_secs(200 * 365 * 86_400);
    /// let error = manager(SessionConfig::default().with_lifetime(long)).unwrap_err();
    /// assert!(matches!(error, CookieError::Lifetime { .. }));
    /// ```
    ///
    /// # Errors
    /// [`CookieError`] if browsers would reject the cookie, with the required change, if a
    /// transport cannot be used, or if the lifetime exceeds 100 years.
    pub fn new(
        side: impl Into<SessionBackend>,
        config: SessionConfig,
    ) -> Result<Self, CookieError> {
        let cookie = config.cookie.build()?;
        if config.lifetime > LONGEST_LIFETIME {
            let seconds = config.lifetime.as_secs();
            return Err(CookieError::Lifetime { seconds });
        }
        if TELLING_NAMES.contains(&cookie.name()) {
            tracing::warn!(
                cookie = cookie.name(),
                "this is the default name of another framework, which makes debugging harder; choose your own name"
            );
        }
        Ok(Self {
            side: side.into().prepare(cookie.name(), config.clock_skew),
            cookie,
            transports: Transports::new(config.transports)?,
            grammar: config.grammar,
            duplicates: config.duplicates,
            always_kept: config.always_kept,
            policy: config.policy,
            on_conflict: config.on_conflict,
            clear_site_data: ClearSiteData::header(&config.clear_site_data),
            login_page: config.login_page,
            clock: Box::new(Timestamp::now),
            flask_login: config.flask_login.map(FlaskLogin::prepare).transpose()?,
            lifetime: AtomicU64::new(config.lifetime.as_secs()),
        })
    }

    /// Replaces the clock of handler calls and of adapters, for tests.
    ///
    /// See [`Clock`](../testing/struct.Clock.html).
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, session::*, store::MemoryStore, testing::Clock};
    /// # let side = ServerSide::new(MemoryStore::new());
    /// let clock = Clock::at(Timestamp::from_unix(0));
    /// let manager = SessionManager::new(side, SessionConfig::default())?;
    /// let manager = manager.with_clock(clock.reader());
    /// clock.advance(std::time::Duration::from_secs(60));
    /// assert_eq!(manager.time(), Timestamp::from_unix(60));
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let clock = Box::new(clock);
        Self { clock, ..self }
    }

    /// Returns the time, for adapters.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.now()
    }

    /// Returns the response header of the first transport of a kind. Returns `None` for a cookie.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore};
    /// # let side = ServerSide::new(MemoryStore::new());
    /// let config = SessionConfig::default()
    ///     .with_transports([Transport::cookie(), Transport::bearer("X-Session-Token")]);
    /// let manager = SessionManager::new(side, config)?;
    /// assert_eq!(manager.response_header_of(TransportKind::Bearer), Some("x-session-token"));
    /// assert_eq!(manager.response_header_of(TransportKind::Cookie), None);
    /// assert_eq!(manager.response_header_of(TransportKind::Header), None, "not configured");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    #[must_use]
    pub fn response_header_of(&self, kind: TransportKind) -> Option<&str> {
        let place = self.transports.place_of(kind)?;
        self.transports.at(Some(place)).response_header()
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Returns whether [`SessionManager::commit`] needs the cookies of an unused session.
    ///
    /// Flask refreshes permanent sessions on every response.
    pub(crate) fn commits_untouched(&self) -> bool {
        self.policy.commits_untouched(true)
    }

    /// Returns the `Cookie` header lines that an adapter must keep until [`SessionManager::end`].
    ///
    /// The handler consumes the request, so an adapter keeps either all lines or none.
    ///
    /// ```
    /// use carafe_core::{session::{ServerSide, SessionConfig, SessionManager}, store::MemoryStore};
    ///
    /// let kept = |config| -> Result<usize, carafe_core::cookie::CookieError> {
    ///     let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config)?;
    ///     Ok(manager.kept(["session=1", "theme=dark"]).len())
    /// };
    /// assert_eq!(kept(SessionConfig::default())?, 0, "an unused session needs no commit");
    /// assert_eq!(kept(SessionConfig::flask())?, 2);
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn kept<L>(&self, cookies: impl IntoIterator<Item = L>) -> Vec<L> {
        match self.commits_untouched() {
            true => cookies.into_iter().collect(),
            false => Vec::new(),
        }
    }

    /// Returns whether an adapter should call [`Slot::note_client`](super::Slot::note_client).
    #[must_use]
    pub fn notes_clients(&self) -> bool {
        self.flask_login
            .as_ref()
            .is_some_and(|login| login.protects)
    }

    /// Returns whether a handler has logged a user in by writing Flask-Login's key.
    ///
    /// `written` is the value written under `_user_id`, and `known` is
    /// [the user](super::Session::user) before that write. For adapters whose applications use
    /// Flask-Login, which calls nothing else: call [`Session::log_in`](super::Session::log_in), so
    /// that a stored session gets a new id and is found by its user. A client-side session has no
    /// id, and its cookie stays as Flask-Login wrote it.
    ///
    /// ```
    /// use carafe_core::session::{ServerSide, SessionConfig, SessionManager};
    /// use carafe_core::store::MemoryStore;
    ///
    /// let side = ServerSide::new(MemoryStore::new());
    /// let manager = SessionManager::new(side, SessionConfig::flask())?;
    /// assert!(manager.is_log_in("ada", None));
    /// assert!(!manager.is_log_in("ada", Some("ada")));
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    #[must_use]
    pub fn is_log_in(&self, written: &str, known: Option<&str>) -> bool {
        let is_stored = matches!(self.side, Prepared::Server(_));
        flask_login::is_log_in(is_stored, written, known)
    }

    /// Returns whether [`SessionManager::open`] may wait for a store.
    ///
    /// Otherwise its result is ready immediately.
    ///
    /// ```
    /// use carafe_core::session::{AtLimit, ServerSide, SessionConfig, SessionManager};
    /// use carafe_core::store::MemoryStore;
    ///
    /// let side = ServerSide::new(MemoryStore::new());
    /// let manager = SessionManager::new(side, SessionConfig::default())?;
    /// assert!(!manager.waits(), "a store in memory is ready immediately");
    ///
    /// let side = ServerSide::new(MemoryStore::new()).with_limit_per_user(5, AtLimit::Refuse);
    /// let manager = SessionManager::new(side, SessionConfig::default())?;
    /// assert!(manager.waits(), "a log-in first counts the sessions of the user");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    #[must_use]
    pub fn waits(&self) -> bool {
        match &self.side {
            Prepared::Client(_) => false,
            Prepared::Server(side) => !side.runs_at_once(),
        }
    }

    /// Returns the cookie's name and attributes.
    #[must_use]
    pub const fn cookie(&self) -> &CookiePolicy {
        &self.cookie
    }

    /// Returns the JSON dialect of the sessions.
    ///
    /// ```
    /// use carafe_core::json::JsonDialect;
    /// use carafe_core::session::{ServerSide, SessionConfig, SessionManager};
    /// use carafe_core::store::MemoryStore;
    ///
    /// let side = ServerSide::new(MemoryStore::new());
    /// let manager = SessionManager::new(side, SessionConfig::flask())?;
    /// assert_eq!(manager.style(), JsonDialect::QUART, "stores keep the order of keys");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    #[must_use]
    pub const fn style(&self) -> JsonDialect {
        self.side.style()
    }

    /// Returns how long a session lives.
    ///
    /// Counted from the last write of its cookie, or from the last use of a server-side session.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        Duration::from_secs(self.lifetime.load(Ordering::Relaxed))
    }

    /// Changes the lifetime at run time, to at most 100 years.
    ///
    /// Client-side sessions use the new lifetime from the next request on, server-side sessions
    /// from their next use on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use carafe_core::session::{ServerSide, SessionConfig, SessionManager};
    /// use carafe_core::store::MemoryStore;
    ///
    /// let side = ServerSide::new(MemoryStore::new());
    /// let manager = SessionManager::new(side, SessionConfig::default())?;
    /// manager.set_lifetime(Duration::from_secs(8 * 3600));
    /// assert_eq!(manager.lifetime(), Duration::from_secs(28_800));
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn set_lifetime(&self, lifetime: Duration) {
        let lifetime = lifetime.min(LONGEST_LIFETIME);
        self.lifetime.store(lifetime.as_secs(), Ordering::Relaxed);
    }

    /// Returns the live sessions of a user, newest ID first, for a list of devices.
    ///
    /// Returns at most [`SessionManager::LIST_LIMIT`] sessions that come after `after`. If the list
    /// is full, the [position](SessionMeta::position) of the last session continues it.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// let request = client.begin().await?;
    /// request.session().log_in("ada")?;
    /// request.session().set_device("Firefox on Linux")?;
    /// client.finish(request, 200).await?;
    /// TestClient::signed_in(&manager, "ada").await?;
    ///
    /// let now = manager.time();
    /// let sessions = manager.sessions_of("ada", None, now).await?;
    /// assert_eq!(sessions.len(), 2);
    /// let devices = sessions.iter().filter_map(|session| session.device.as_deref());
    /// assert!(devices.eq(["Firefox on Linux"]));
    ///
    /// // The page after the first session.
    /// let page = manager.sessions_of("ada", Some(sessions[0].position()), now).await?;
    /// assert_eq!(page, sessions[1..]);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Unsupported`] for client-side sessions and for stores that
    /// cannot list the sessions of a user.
    pub async fn sessions_of(
        &self,
        user: &str,
        after: Option<Position>,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, StoreError> {
        let users = self.users()?;
        users.list_by_user(user, after, Self::LIST_LIMIT, now).await
    }

    /// Maximum number of sessions in one list.
    pub const LIST_LIMIT: usize = crate::limits::PAGE;
    /// Maximum number of sessions revoked per call of a store, so that it can serve other requests
    /// in between.
    const STEP: usize = 500;

    /// Revokes sessions of a user, newest ID first. Returns the number of revoked sessions.
    ///
    /// None of the sessions is accepted once this returns. Works in batches. After an error or a
    /// crash, another call revokes the rest.
    ///
    /// ```
    /// use carafe_core::store::Selection;
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// let laptop = TestClient::signed_in(&manager, "ada").await?;
    /// let phone = TestClient::signed_in(&manager, "ada").await?;
    ///
    /// // "Log out everywhere else", in a request of the laptop.
    /// let own = laptop.session().await?.public_id().expect("a stored session");
    /// assert_eq!(manager.end_sessions_of("ada", Selection::AllBut(own)).await?, 1);
    /// assert_eq!(laptop.session().await?.user().as_deref(), Some("ada"));
    /// assert_eq!(phone.session().await?.user(), None);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`SessionManager::sessions_of`].
    pub async fn end_sessions_of(&self, user: &str, which: Selection) -> Result<u64, StoreError> {
        self.end_sessions_of_with(user, which, drop).await
    }

    /// Like [`SessionManager::end_sessions_of`], and reports progress.
    ///
    /// Calls `progress` after each batch with the number of sessions revoked so far.
    ///
    /// ```
    /// use carafe_core::store::Selection;
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// for _ in 0..600 {
    ///     TestClient::signed_in(&manager, "load-test").await?;
    /// }
    /// let mut reports = Vec::new();
    /// let progress = |revoked| reports.push(revoked);
    /// let revoked = manager.end_sessions_of_with("load-test", Selection::All, progress).await?;
    /// assert_eq!(revoked, 600);
    /// assert_eq!(reports, [500, 600]);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`SessionManager::sessions_of`].
    pub async fn end_sessions_of_with(
        &self,
        user: &str,
        which: Selection,
        mut progress: impl FnMut(u64),
    ) -> Result<u64, StoreError> {
        let (users, mut ended) = (self.users()?, 0);
        loop {
            match users
                .delete_by_user(user, which, Self::STEP, self.now())
                .await?
            {
                0 => return Ok(ended),
                count => ended += count,
            }
            progress(ended);
        }
    }

    /// Revokes all sessions created at or before `now` (OWASP ASVS 7.4.5).
    ///
    /// Returns the number of revoked sessions.
    ///
    /// None of the sessions is accepted once this returns. Works in batches. After an error,
    /// another call revokes the rest.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// let ada = TestClient::signed_in(&manager, "ada").await?;
    /// let bob = TestClient::signed_in(&manager, "bob").await?;
    /// assert_eq!(manager.end_all_sessions(manager.time()).await?, 2);
    /// assert_eq!(ada.session().await?.user(), None);
    /// assert_eq!(bob.session().await?.user(), None);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`SessionManager::sessions_of`].
    pub async fn end_all_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let (inventory, mut ended) = (self.inventory()?, 0);
        loop {
            match inventory
                .delete_created_before(now, Self::STEP, self.now())
                .await?
            {
                0 => return Ok(ended),
                count => ended += count,
            }
        }
    }

    /// Returns how far in the future a stored time may be.
    ///
    /// Only server-side sessions have stored times.
    pub(super) const fn clock_skew(&self) -> Duration {
        match &self.side {
            Prepared::Server(side) => side.clock_skew,
            Prepared::Client(_) => DEFAULT_CLOCK_SKEW,
        }
    }

    /// Returns the handling of duplicate cookies, and whether the most recently issued cookie is
    /// used.
    pub(super) fn choice(&self) -> (Duplicates, bool) {
        (self.duplicates, !self.cookie.former_removals().is_empty())
    }

    /// Returns the value of `Clear-Site-Data` in the response to a log-out.
    pub(super) fn clear_site_data(&self) -> Option<Arc<str>> {
        self.clear_site_data.clone()
    }

    pub(super) fn login_page(&self) -> Option<&str> {
        self.login_page.as_ref().map(LocalPath::as_str)
    }

    pub(super) const fn always_keeps(&self) -> bool {
        self.always_kept
    }

    /// Returns the lifetime of a session, at most the configured one.
    pub(super) fn lifetime_in(&self, own: Option<Duration>) -> Duration {
        let configured = self.lifetime();
        own.map_or(configured, |own| own.min(configured))
    }

    /// Returns how long the browser keeps a cookie that expires at `expires`.
    ///
    /// `own` is the lifetime that the session has set.
    pub(super) fn persistence(
        &self,
        is_permanent: bool,
        own: Option<Duration>,
        expires: Timestamp,
    ) -> Persistence {
        match (self.always_kept, is_permanent) {
            (true, _) => Persistence::MaxAge(seconds(self.lifetime_in(own))),
            (false, true) => Persistence::Expires(expires),
            (false, false) => Persistence::BrowserSession,
        }
    }

    fn inventory(&self) -> Result<&dyn ErasedSessionListing, StoreError> {
        match &self.side {
            Prepared::Server(side) => side.store.powers().listing().ok_or(StoreError::Unsupported),
            Prepared::Client(_) => Err(StoreError::Unsupported),
        }
    }

    fn users(&self) -> Result<&dyn ErasedUserSessions, StoreError> {
        match &self.side {
            Prepared::Server(side) => side.store.powers().users().ok_or(StoreError::Unsupported),
            Prepared::Client(_) => Err(StoreError::Unsupported),
        }
    }
}

impl std::fmt::Debug for SessionManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionManager")
            .field("cookie", &self.cookie)
            .finish_non_exhaustive()
    }
}
