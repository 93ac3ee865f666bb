//! The configuration of sessions, fixed at startup.

use std::{sync::Arc, time::Duration};

use super::{FlaskLogin, LocalPath, Policy, Refresh, Transport};
use crate::{
    cookie::{Candidates, CookiePolicy, CookiePolicyBuilder, Grammar, SameSite},
    token::DEFAULT_CLOCK_SKEW,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The configuration of sessions. Start from a preset; the manager validates the result.
///
/// * [`SessionConfig::default`] is recommended for new applications.
/// * [`SessionConfig::flask`] behaves like Flask with its default configuration.
/// * [`SessionConfig::development`] is the default for plain HTTP in browsers that reject `Secure`
///   cookies there.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::{cookie::CookiePolicy, session::SessionConfig};
/// # use carafe_core::{session::{ServerSide, SessionManager}, store::MemoryStore};
///
/// let config = SessionConfig::default()
///     .with_cookie(CookiePolicy::builder("__Host-shop"))
///     .with_lifetime(Duration::from_secs(8 * 3600));
/// let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config)?;
/// assert_eq!(manager.cookie().name(), "__Host-shop");
/// assert_eq!(manager.lifetime().as_secs(), 28_800);
///
/// // The manager checks the combination of all options.
/// let plain_http = SessionConfig::default()
///     .with_cookie(CookiePolicy::builder("__Host-shop").secure(false));
/// assert!(SessionManager::new(ServerSide::new(MemoryStore::new()), plain_http).is_err());
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionConfig {
    pub(super) cookie: CookiePolicyBuilder,
    pub(super) transports: Vec<Transport>,
    pub(super) grammar: Grammar,
    pub(super) duplicates: Duplicates,
    pub(super) lifetime: Duration,
    pub(super) always_kept: bool,
    pub(super) clock_skew: Duration,
    pub(super) policy: Policy,
    pub(super) on_conflict: Conflict,
    pub(super) flask_login: Option<FlaskLogin>,
    pub(super) clear_site_data: Vec<ClearSiteData>,
    pub(super) login_page: Option<LocalPath>,
}

/// A kind of data that the browser deletes after a log-out (`Clear-Site-Data`).
///
/// See [`SessionConfig::with_clear_site_data`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClearSiteData {
    /// The cache, including pages that the Back button would show.
    Cache,
    /// All cookies of the registrable domain, including those of sibling hosts.
    Cookies,
    /// Local storage, IndexedDB, service workers and so on.
    Storage,
}

impl ClearSiteData {
    /// Returns the value of the header. `None` for an empty list.
    pub(super) fn header(list: &[Self]) -> Option<Arc<str>> {
        let names: Vec<_> = list.iter().map(|kind| kind.directive()).collect();
        (!names.is_empty()).then(|| names.join(", ").into())
    }

    const fn directive(self) -> &'static str {
        match self {
            Self::Cache => "\"cache\"",
            Self::Cookies => "\"cookies\"",
            Self::Storage => "\"storage\"",
        }
    }
}

/// The behavior for changes that come too late.
///
/// A change is too late if the request's session was revoked, or given a new ID by a log-in or
/// [`Session::renew`](super::Session::renew), after the request opened it.
///
/// See [`SessionConfig::with_conflict`] for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conflict {
    /// Replaces the response with a 409, because the original response would claim a change that
    /// was lost.
    ///
    /// A request is not affected if its handler changed nothing or only took flash messages.
    #[default]
    Reject,
    /// Drops the changes with one log event and sends the handler's response.
    Discard,
}

/// The behavior for several cookies with the session's name.
///
/// See [`SessionConfig::with_duplicates`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Duplicates {
    /// Accepts the only cookie that verifies, and none if two different cookies do.
    ///
    /// The order of cookies proves nothing (RFC 6265bis §4.2.2).
    Refuse,
    /// Takes the first cookie, valid or not, as Flask and Quart do.
    TakeFirst,
    /// Takes the last cookie, valid or not, as Starlette does.
    TakeLast,
}

impl Duplicates {
    /// Returns whether there are too many cookies to check that only one of them verifies.
    pub(super) fn refuses(self, candidates: &Candidates<'_>) -> bool {
        self == Self::Refuse && candidates.exceeds()
    }

    /// Returns the cookies to verify.
    pub(super) fn looks_at<'c>(
        self,
        candidates: &'c Candidates<'_>,
    ) -> impl Iterator<Item = &'c [u8]> {
        let (count, last) = match self {
            Self::TakeFirst => (1, None),
            Self::TakeLast => (0, candidates.sent_last()),
            Self::Refuse => (candidates.len(), None),
        };
        let first = candidates.iter().take(count).map(AsRef::as_ref);
        first.chain(last)
    }
}

impl SessionConfig {
    /// Returns Flask's defaults. Includes [`FlaskLogin`].
    ///
    /// The cookie is `session` with `HttpOnly; Path=/` and a lifetime of 31 days. Every response
    /// refreshes a permanent session, and a response with status 500 saves changes.
    ///
    /// ```
    /// use std::time::Duration;
    /// use carafe_core::session::SessionConfig;
    /// # use carafe_core::{session::{ServerSide, SessionManager}, store::MemoryStore};
    ///
    /// let config = SessionConfig::flask();
    /// let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config)?;
    /// assert_eq!(manager.lifetime(), Duration::from_secs(31 * 86_400));
    /// assert!(!manager.cookie().is_secure());
    /// assert_eq!(manager.cookie().same_site(), None);
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn flask() -> Self {
        Self {
            cookie: CookiePolicy::flask("session"),
            transports: vec![Transport::cookie()],
            grammar: Grammar::Strict,
            duplicates: Duplicates::TakeFirst,
            lifetime: 31 * DAY,
            always_kept: false,
            clock_skew: DEFAULT_CLOCK_SKEW,
            policy: Policy {
                refresh: Refresh::PermanentAlways,
                save_on_server_error: true,
                remove_rejected: false,
            },
            on_conflict: Conflict::Reject,
            flask_login: Some(FlaskLogin::new()),
            clear_site_data: Vec::new(),
            login_page: None,
        }
    }

    /// Returns Starlette's defaults.
    ///
    /// The cookie is `session` with `HttpOnly; Path=/; SameSite=Lax` and expires 14 days after the
    /// last change. Of several cookies with the name, the last one is used.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, key::SecretKey};
    /// use carafe_core::{session::{ClientSide, SessionConfig}, token::signed::SignedFormat};
    /// # use carafe_core::session::SessionManager;
    /// # futures_executor::block_on(async {
    ///
    /// let key = SecretKey::short("flask-spec-secret")?;
    /// let side = ClientSide::signed_as(key, SignedFormat::starlette());
    /// let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::starlette())?);
    /// let (slot, now) = (manager.begin(), Timestamp::from_unix(1_700_000_000));
    /// manager.open(&slot, [], now).await?.insert("user_id", &42)?;
    /// let line = manager.commit(&slot, [], 200, now).await?.set_cookie.unwrap_or_default();
    /// assert!(line.contains("; Max-Age=1209600;") && line.ends_with("; SameSite=Lax"), "{line}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn starlette() -> Self {
        Self {
            cookie: CookiePolicy::flask("session").same_site(SameSite::Lax),
            transports: vec![Transport::cookie()],
            grammar: Grammar::Lenient,
            duplicates: Duplicates::TakeLast,
            lifetime: 14 * DAY,
            always_kept: true,
            clock_skew: DEFAULT_CLOCK_SKEW,
            policy: Policy {
                refresh: Refresh::Never,
                save_on_server_error: true,
                remove_rejected: false,
            },
            on_conflict: Conflict::Reject,
            flask_login: None,
            clear_site_data: Vec::new(),
            login_page: None,
        }
    }

    /// Returns [`SessionConfig::default`] with a cookie that every browser accepts over plain HTTP.
    ///
    /// The cookie is `session` without `Secure`. Not for production.
    ///
    /// ```
    /// use carafe_core::session::SessionConfig;
    /// # use carafe_core::{session::{ServerSide, SessionManager}, store::MemoryStore};
    ///
    /// let is_local = true; // from a setting, because a release build may run locally, too
    /// let config = if is_local { SessionConfig::development() } else { SessionConfig::default() };
    /// let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config)?;
    /// assert_eq!(manager.cookie().name(), "session");
    /// assert!(!manager.cookie().is_secure());
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn development() -> Self {
        Self::default().with_cookie(CookiePolicy::flask("session").same_site(SameSite::Lax))
    }

    /// Sets the cookie's name and attributes.
    ///
    /// ```
    /// use carafe_core::session::SessionConfig;
    /// use carafe_core::cookie::{CookiePolicy, SameSite};
    /// # use carafe_core::{session::{ServerSide, SessionManager}, store::MemoryStore};
    ///
    /// let cookie = CookiePolicy::builder("__Host-shop").same_site(SameSite::Strict);
    /// let config = SessionConfig::default().with_cookie(cookie);
    /// let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config)?;
    /// assert_eq!(manager.cookie().same_site(), Some(SameSite::Strict));
    /// assert!(manager.cookie().is_secure(), "the builder's default");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn with_cookie(self, cookie: CookiePolicyBuilder) -> Self {
        Self { cookie, ..self }
    }

    /// Sets the transports from which a session's token is read, and to which a new one is written.
    ///
    /// The default is the cookie alone. A request may present its token in any of the transports. A
    /// request with two different tokens is treated as one without a session. The first transport
    /// carries the token of a session that a request without a token creates, unless the handler
    /// selects another one with [`Session::set_transport`](super::Session::set_transport).
    ///
    /// ```
    /// use carafe_core::session::{SessionConfig, Transport};
    /// # use carafe_core::{session::{ServerSide, SessionManager}, store::MemoryStore};
    /// # let manager = |config| SessionManager::new(ServerSide::new(MemoryStore::new()), config);
    ///
    /// let transports = [Transport::cookie(), Transport::bearer("x-session-token")];
    /// assert!(manager(SessionConfig::default().with_transports(transports)).is_ok());
    ///
    /// // A page of another site can set this header without a preflight request.
    /// let transports = [Transport::header("accept-language")];
    /// assert!(manager(SessionConfig::default().with_transports(transports)).is_err());
    /// ```
    pub fn with_transports(self, transports: impl IntoIterator<Item = Transport>) -> Self {
        Self {
            transports: transports.into_iter().collect(),
            ..self
        }
    }

    /// Sets how long a session lives after its cookie was last written.
    ///
    /// The default is 14 days, and 31 days in Flask's preset. The lifetime is truncated to whole
    /// seconds. The server checks the lifetime whether or not the browser keeps the cookie.
    ///
    /// ```
    /// use carafe_core::session::SessionConfig;
    /// use std::time::Duration;
    /// # use carafe_core::{session::{ServerSide, SessionManager}, store::MemoryStore};
    ///
    /// let config = SessionConfig::default().with_lifetime(Duration::from_millis(3_600_900));
    /// let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config)?;
    /// assert_eq!(manager.lifetime(), Duration::from_secs(3_600));
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Sets when a cookie is refreshed without a change.
    ///
    /// ```
    /// use carafe_core::session::{Refresh, SessionConfig};
    ///
    /// // Flask's `SESSION_REFRESH_EACH_REQUEST = False`.
    /// let config = SessionConfig::flask().with_refresh(Refresh::Never);
    /// assert!(!config.commits_untouched(true), "an unused session needs no commit");
    /// ```
    pub fn with_refresh(mut self, refresh: Refresh) -> Self {
        self.policy.refresh = refresh;
        self
    }

    /// Returns whether a request that has not used its session needs a commit.
    ///
    /// For adapters that open their store at the first use: with `false`, the request needs neither
    /// the store nor a [`SessionManager`](super::SessionManager). `brings_token` is whether the
    /// request has a `Cookie` header or another [transport](super::Transport)'s.
    ///
    /// ```
    /// use carafe_core::session::{Refresh, SessionConfig};
    ///
    /// let flask = SessionConfig::flask();
    /// assert!(flask.commits_untouched(true) && !flask.commits_untouched(false));
    /// assert!(!flask.with_refresh(Refresh::Never).commits_untouched(true));
    /// ```
    #[must_use]
    pub const fn commits_untouched(&self, brings_token: bool) -> bool {
        self.policy.commits_untouched(brings_token)
    }

    /// Sets whether a response with status 500 or above saves changes.
    ///
    /// A log-out takes effect in any case.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// let saves = async |config| -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    ///     let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config)?;
    ///     let mut client = TestClient::new(&std::sync::Arc::new(manager));
    ///     let request = client.begin().await?;
    ///     request.session().insert("cart", &["tea"])?;
    ///     client.finish(request, 500).await?;
    ///     Ok(client.session().await?.contains_key("cart"))
    /// };
    /// assert!(!saves(SessionConfig::default()).await?);
    /// assert!(saves(SessionConfig::flask()).await?, "as in Flask");
    /// assert!(!saves(SessionConfig::flask().with_save_on_server_error(false)).await?);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    pub fn with_save_on_server_error(mut self, save: bool) -> Self {
        self.policy.save_on_server_error = save;
        self
    }

    /// Sets whether a rejected cookie is removed from the browser. The default is `false`.
    ///
    /// The default is recommended.
    ///
    /// The response that removes a rejected cookie may arrive after the response of a log-in, and
    /// would then remove the new session's cookie. A rejected cookie costs one signature check, and
    /// the next write replaces it.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, session::*, store::MemoryStore};
    /// # futures_executor::block_on(async {
    /// let removes = async |remove| -> Result<bool, Box<dyn std::error::Error>> {
    ///     let config = SessionConfig::flask().with_remove_rejected(remove);
    ///     let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config)?;
    ///     let manager = std::sync::Arc::new(manager);
    ///     let (slot, now) = (manager.begin(), Timestamp::from_unix(0));
    ///     manager.open(&slot, [&b"session=forged"[..]], now).await?.len();
    ///     Ok(manager.commit(&slot, [], 200, now).await?.set_cookie.is_some())
    /// };
    /// assert!(!removes(false).await?);
    /// assert!(removes(true).await?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn with_remove_rejected(mut self, remove: bool) -> Self {
        self.policy.remove_rejected = remove;
        self
    }

    /// Sets the behavior for changes of a server-side session that come too late.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// let late = async |conflict| {
    ///     let side = ServerSide::new(MemoryStore::new());
    ///     let config = SessionConfig::default().with_conflict(conflict);
    ///     let manager = std::sync::Arc::new(SessionManager::new(side, config)?);
    ///     let mut client = TestClient::signed_in(&manager, "ada").await?;
    ///     let request = client.begin().await?;
    ///     request.session().insert("cart", &["tea"])?;
    ///
    ///     // Another tab logs out before this request ends.
    ///     let tab = client.clone();
    ///     tab.session().await?.log_out_now().await?;
    ///     client.finish(request, 200).await.map_err(|error| error.into())
    /// };
    /// let refused = late(Conflict::Reject).await;
    /// let error: Box<dyn std::error::Error + Send + Sync> = refused.unwrap_err();
    /// assert!(matches!(error.downcast_ref(), Some(CommitError::Conflict)));
    /// assert!(late(Conflict::Discard).await.is_ok());
    /// # });
    /// ```
    pub fn with_conflict(self, on_conflict: Conflict) -> Self {
        Self {
            on_conflict,
            ..self
        }
    }

    /// Sets the behavior for several cookies with the same name.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, key::SecretKey, session::*};
    /// # futures_executor::block_on(async {
    /// let key = SecretKey::short("flask-spec-secret")?;
    /// let read = async |duplicates| -> Result<Option<u32>, Box<dyn std::error::Error>> {
    ///     let config = SessionConfig::flask().with_duplicates(duplicates);
    ///     let manager = SessionManager::new(ClientSide::signed(key.clone()), config)?;
    ///     let manager = std::sync::Arc::new(manager);
    ///     let now = Timestamp::from_unix(1_700_000_000);
    ///     let mut header = Vec::new();
    ///     for number in [1, 2] {
    ///         let slot = manager.begin();
    ///         manager.open(&slot, [], now).await?.insert("n", &number)?;
    ///         let changes = manager.commit(&slot, [], 200, now).await?;
    ///         let line = changes.set_cookie.unwrap_or_default();
    ///         header.push(line.split(';').next().unwrap_or_default().to_owned());
    ///     }
    ///     let (slot, header) = (manager.begin(), header.join("; "));
    ///     Ok(manager.open(&slot, [header.as_bytes()], now).await?.get("n")?)
    /// };
    /// assert_eq!(read(Duplicates::TakeFirst).await?, Some(1));
    /// assert_eq!(read(Duplicates::TakeLast).await?, Some(2));
    /// assert_eq!(read(Duplicates::Refuse).await?, None, "both verify");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn with_duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// Sets how `Cookie` headers are parsed: see [`Grammar`].
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::Grammar, key::SecretKey};
    /// # use carafe_core::session::{ClientSide, SessionConfig, SessionManager};
    /// # futures_executor::block_on(async {
    ///
    /// let reads = async |grammar| -> Result<bool, Box<dyn std::error::Error>> {
    ///     let side = ClientSide::signed(SecretKey::short("flask-spec-secret")?);
    ///     let config = SessionConfig::flask().with_grammar(grammar);
    ///     let manager = std::sync::Arc::new(SessionManager::new(side, config)?);
    ///     // A space around `=` is no part of the name in the lenient grammar only.
    ///     let cookie = b"session =eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw";
    ///     let (slot, now) = (manager.begin(), Timestamp::from_unix(1_700_000_000));
    ///     Ok(manager.open(&slot, [&cookie[..]], now).await?.contains_key("user_id"))
    /// };
    /// assert!(reads(Grammar::Lenient).await?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn with_grammar(self, grammar: Grammar) -> Self {
        Self { grammar, ..self }
    }

    /// Sets the options for log-ins shared with Flask-Login. `None` disables them.
    ///
    /// ```
    /// use carafe_core::session::{FlaskLogin, SessionConfig};
    /// # use carafe_core::{session::{ServerSide, SessionManager}, store::MemoryStore};
    /// # let manager = |config| SessionManager::new(ServerSide::new(MemoryStore::new()), config);
    ///
    /// let shared = SessionConfig::default().with_flask_login(FlaskLogin::new());
    /// assert!(manager(shared)?.notes_clients(), "for Flask-Login's session protection");
    /// let apart = SessionConfig::flask().with_flask_login(None);
    /// assert!(!manager(apart)?.notes_clients());
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn with_flask_login(self, flask_login: impl Into<Option<FlaskLogin>>) -> Self {
        Self {
            flask_login: flask_login.into(),
            ..self
        }
    }

    /// Sets what the browser deletes when a user logs out. The default is nothing.
    ///
    /// The response to a log-out gets `Clear-Site-Data`, unless the session has content again.
    /// Browsers honor the header over HTTPS only.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, key::SecretKey, session::*};
    ///
    /// # futures_executor::block_on(async {
    /// let config = SessionConfig::flask()
    ///     .with_clear_site_data([ClearSiteData::Cache, ClearSiteData::Storage]);
    /// let side = ClientSide::signed(SecretKey::short("flask-spec-secret")?);
    /// let manager = std::sync::Arc::new(SessionManager::new(side, config)?);
    /// let (slot, now) = (manager.begin(), Timestamp::now());
    /// manager.open(&slot, [], now).await?.log_out()?;
    /// let changes = manager.commit(&slot, [], 200, now).await?;
    /// assert_eq!(changes.clear_site_data.as_deref(), Some(r#""cache", "storage""#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn with_clear_site_data(self, kinds: impl IntoIterator<Item = ClearSiteData>) -> Self {
        Self {
            clear_site_data: kinds.into_iter().collect(),
            ..self
        }
    }

    /// Sets the page to which [`LoggedIn`](super::LoggedIn) redirects a visitor without a log-in.
    ///
    /// The parameter `next` is the path of the request. Check it with
    /// [`LocalPath`](super::LocalPath) before a redirect. If no login page is set, the response is
    /// a 401.
    ///
    /// ```
    /// use carafe_core::session::{LocalPath, LoggedIn, SessionConfig, Visit};
    /// # use carafe_core::{session::{ServerSide, SessionManager}, store::MemoryStore};
    /// # futures_executor::block_on(async {
    ///
    /// let config = SessionConfig::default().with_login_page(LocalPath::new("/login")?);
    /// # let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config)?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let (slot, now) = (manager.begin(), manager.time());
    /// # let session = manager.open(&slot, [], now).await?;
    /// let visit = |fetch_mode: &'static [u8]| Visit {
    ///     method: "GET", target: "/orders", fetch_mode: Some(fetch_mode), accept: None,
    /// };
    /// let page = LoggedIn::of(session.clone(), visit(b"navigate")).unwrap_err();
    /// assert_eq!(page.status(), 303, "to /login?next=/orders");
    /// let script = LoggedIn::of(session, visit(b"cors")).unwrap_err();
    /// assert_eq!(script.status(), 401);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn with_login_page(self, page: LocalPath) -> Self {
        Self {
            login_page: Some(page),
            ..self
        }
    }

    /// Sets how far in the future the issue time of a cookie may be. The default is 5 s.
    ///
    /// This tolerates clock skew.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, key::SecretKey};
    /// use carafe_core::session::{ClientSide, SessionConfig};
    /// use std::time::Duration;
    /// # use carafe_core::session::SessionManager;
    /// # futures_executor::block_on(async {
    ///
    /// let reads = async |config| -> Result<bool, Box<dyn std::error::Error>> {
    ///     let side = ClientSide::signed(SecretKey::short("flask-spec-secret")?);
    ///     let manager = std::sync::Arc::new(SessionManager::new(side, config)?);
    ///     let cookie = b"session=eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw";
    ///     // This server's clock is 20 seconds behind that of the server which signed the cookie.
    ///     let (slot, now) = (manager.begin(), Timestamp::from_unix(1_700_000_000 - 20));
    ///     Ok(manager.open(&slot, [&cookie[..]], now).await?.contains_key("user_id"))
    /// };
    /// assert!(!reads(SessionConfig::flask()).await?, "5 seconds by default");
    /// assert!(reads(SessionConfig::flask().with_clock_skew(Duration::from_secs(30))).await?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn with_clock_skew(self, clock_skew: Duration) -> Self {
        Self { clock_skew, ..self }
    }
}

impl Default for SessionConfig {
    /// Returns the recommended configuration for new applications.
    ///
    /// | option | value | Flask's |
    /// |---|---|---|
    /// | cookie name | `__Host-Http-session` | `session` |
    /// | attributes | `Secure; HttpOnly; Path=/; SameSite=Lax` | `HttpOnly; Path=/` |
    /// | lifetime | 14 days from last use | 31 days from last change; permanent: last response |
    /// | refresh | when used, after 1/20 of the lifetime | every response of a permanent session |
    /// | several cookies with the name | all are refused if two verify | the first one |
    /// | server error | saves nothing | saves changes |
    /// | Flask-Login | not shared | shared |
    /// | late change | 409 | 409, which Flask does not detect |
    fn default() -> Self {
        Self {
            cookie: CookiePolicy::builder("__Host-Http-session"),
            transports: vec![Transport::cookie()],
            grammar: Grammar::Strict,
            duplicates: Duplicates::Refuse,
            lifetime: 14 * DAY,
            always_kept: false,
            clock_skew: DEFAULT_CLOCK_SKEW,
            policy: Policy {
                refresh: Refresh::WhenUsed,
                save_on_server_error: false,
                remove_rejected: false,
            },
            on_conflict: Conflict::Reject,
            flask_login: None,
            clear_site_data: Vec::new(),
            login_page: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flasks_preset_has_flasks_values_and_the_default_its_own() {
        let (flask, default) = (SessionConfig::flask(), SessionConfig::default());
        assert_eq!((flask.lifetime, default.lifetime), (31 * DAY, 14 * DAY));
        assert_eq!(flask.duplicates, Duplicates::TakeFirst);
        assert_eq!(default.duplicates, Duplicates::Refuse);
        assert_eq!(flask.policy.refresh, Refresh::PermanentAlways);
        assert_eq!(default.policy.refresh, Refresh::WhenUsed);
        assert!(flask.policy.save_on_server_error && !default.policy.save_on_server_error);
        assert!(flask.flask_login.is_some() && default.flask_login.is_none());
        let cookie = default.cookie.build().unwrap();
        assert_eq!(cookie.name(), "__Host-Http-session");
        assert!(cookie.is_secure() && cookie.is_http_only());
        assert_eq!(cookie.same_site(), Some(SameSite::Lax));
        let cookie = flask.cookie.build().unwrap();
        assert_eq!(cookie.name(), "session");
        assert!(!cookie.is_secure() && cookie.is_http_only());
        assert_eq!(cookie.same_site(), None);
    }
}
