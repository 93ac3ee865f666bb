//! Opens the session of a request and commits it.
//!
//! Next: `client_side` and `server_side` for what opening and writing mean on each side, `commit` for the end.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Duplicates, Loaded, Policy, Refresh, Rejection, Session, SessionConfig, Side, Slot,
    client_side::Codec, expiry::seconds, side::Prepared, slot::Found,
};
use crate::{
    answer::Answer,
    clock::Timestamp,
    cookie::{CookieError, CookiePolicy, Grammar, Persistence, values_of},
    json::Style,
    store::{Inventory, StoreError, Summary, UserSessions, Which, within},
};

/// A hundred years: added to any time of today it is still a date that cookies can say.
const LONGEST_LIFETIME: Duration = Duration::from_secs(100 * 365 * 86_400);
/// Names by which a scanner tells a framework (OWASP Session Management Cheat Sheet, "Session ID Name
/// Fingerprinting"). `session`, which Flask's format needs, is too common to tell anything.
const TELLING_NAMES: [&str; 6] = [
    "PHPSESSID",
    "JSESSIONID",
    "ASP.NET_SessionId",
    "connect.sid",
    "CFID",
    "laravel_session",
];

/// A session that is being opened. Ready at once where sessions live in their cookies or in memory.
pub type Opening<'a> = Answer<'a, Result<Session, StoreError>>;

/// Opens and commits the sessions of one cookie. Make one at start and share it.
///
/// An adapter calls [`SessionManager::begin`] for each request, [`SessionManager::open`] when a handler
/// asks for the session, and [`SessionManager::commit`] before the response's head leaves. Where sessions
/// live in their cookies, nothing ever waits.
///
/// ```
/// use std::sync::Arc;
/// use carafe_core::{clock::Timestamp, key::SecretKey, session::{ClientSide, SessionConfig, SessionManager}};
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
    pub(super) side: Prepared,
    grammar: Grammar,
    duplicates: Duplicates,
    always_kept: bool,
    pub(super) policy: Policy,
    /// Seconds. Relaxed: a lifetime changed while running needs no order with anything else.
    lifetime: AtomicU64,
}

impl SessionManager {
    /// Prepares keys and checks the configuration.
    ///
    /// # Errors
    /// [`CookieError`] if browsers would refuse the cookie, with what to change, or if sessions would live for
    /// more than a hundred years.
    pub fn new(side: impl Into<Side>, config: SessionConfig) -> Result<Self, CookieError> {
        let cookie = config.cookie.build()?;
        if config.lifetime > LONGEST_LIFETIME {
            let seconds = config.lifetime.as_secs();
            return Err(CookieError::Lifetime { seconds });
        }
        if TELLING_NAMES.contains(&cookie.name()) {
            tracing::warn!(
                cookie = cookie.name(),
                "this name is another framework's and misleads whoever debugs; choose one of your own"
            );
        }
        Ok(Self {
            side: side.into().prepare(cookie.name(), config.clock_skew),
            cookie,
            grammar: config.grammar,
            duplicates: config.duplicates,
            always_kept: config.always_kept,
            policy: config.policy,
            lifetime: AtomicU64::new(config.lifetime.as_secs()),
        })
    }

    /// The place for the session of a new request. Looks at nothing.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> Slot {
        Slot::new(Arc::clone(self))
    }

    /// The session of a request whose `Cookie` header lines are `cookies`. Opens it at the first call.
    ///
    /// A cookie that is refused gives an empty session and one log event that says why. A session that is
    /// opened after the commit can be read, and writes give an error.
    ///
    /// # Errors
    /// [`StoreError`] if the store is in trouble; then answer 503 and leave the browser's cookie as it is.
    /// Never for sessions that live in their cookies.
    pub fn open<'h>(
        &'h self,
        slot: &'h Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
        now: Timestamp,
    ) -> Opening<'h> {
        if let Some(session) = Session::of(slot) {
            return Answer::now(Ok(session));
        }
        self.settle(slot, cookies, now, |late| match late {
            Some(found) => Session::too_late(slot, found),
            None => Session::opened(slot),
        })
    }

    /// Whether [`SessionManager::commit`] needs the request's cookies although no handler used the
    /// session: to refresh permanent sessions on every response, as Flask does.
    #[must_use]
    pub fn commits_untouched(&self) -> bool {
        self.policy.refresh == Refresh::PermanentAlways
    }

    /// What an adapter keeps of a request's `Cookie` header lines until [`SessionManager::end`], because the handler
    /// consumes the request: all or none of them.
    pub fn kept<L>(&self, cookies: impl IntoIterator<Item = L>) -> Vec<L> {
        match self.commits_untouched() {
            true => cookies.into_iter().collect(),
            false => Vec::new(),
        }
    }

    /// Whether [`SessionManager::open`] waits for a store. If not, its answer is there at once.
    #[must_use]
    pub fn waits(&self) -> bool {
        match &self.side {
            Prepared::Client(_) => false,
            Prepared::Server(side) => !side.runs_at_once(),
        }
    }

    /// Ends a request whose session nobody has used, without a look at cookies or clock. Whoever opens the session
    /// later is told that the head has been sent.
    pub(super) fn close(&self, slot: &Slot) {
        slot.0.close();
    }

    /// The cookie's name and attributes.
    #[must_use]
    pub const fn cookie(&self) -> &CookiePolicy {
        &self.cookie
    }

    /// How JSON is written inside.
    #[must_use]
    pub const fn style(&self) -> Style {
        self.side.style()
    }

    /// How long a session lives after its cookie was last written, or after its last use on the server side.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        Duration::from_secs(self.lifetime.load(Ordering::Relaxed))
    }

    /// Changes the lifetime while running: from the next request on, for all sessions that live in their
    /// cookies, and for each session in a store from its next use on. At most a hundred years.
    pub fn set_lifetime(&self, lifetime: Duration) {
        let lifetime = lifetime.min(LONGEST_LIFETIME);
        self.lifetime.store(lifetime.as_secs(), Ordering::Relaxed);
    }

    /// The live sessions of a user, the newest id first: for a list of devices.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Unsupported`] for sessions that live in their cookies and for stores
    /// without that power.
    pub async fn sessions_of(
        &self,
        user: &str,
        now: Timestamp,
    ) -> Result<Vec<Summary>, StoreError> {
        self.users()?.of_user(user, now).await
    }

    /// Ends sessions of a user; how many. When this returns, none of them is let in any more.
    ///
    /// # Errors
    /// As [`SessionManager::sessions_of`].
    pub async fn end_sessions_of(&self, user: &str, which: Which) -> Result<u64, StoreError> {
        self.users()?.delete_of_user(user, which).await
    }

    /// Ends every session that began at `now` or before (OWASP ASVS 7.4.5); how many. When this returns, none
    /// of them is let in any more. In steps of a thousand, so that others are served meanwhile; after an error,
    /// call it again for the rest.
    ///
    /// # Errors
    /// As [`SessionManager::sessions_of`].
    pub async fn end_all_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        const STEP: usize = 1_000;
        let (inventory, mut ended) = (self.inventory()?, 0);
        loop {
            match inventory.delete_begun(now, STEP).await? {
                0 => return Ok(ended),
                count => ended += count,
            }
        }
    }

    pub(super) fn lifetime_seconds(&self) -> i64 {
        seconds(self.lifetime())
    }

    /// Reads the session into its slot, and answers with what `end` makes of that: it is given the session back if the request has
    /// ended before.
    pub(super) fn settle<'h, T: Send + 'h>(
        &'h self,
        slot: &'h Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
        now: Timestamp,
        end: impl FnOnce(Option<Found>) -> T + Send + 'h,
    ) -> Answer<'h, Result<T, StoreError>> {
        let side = match &self.side {
            Prepared::Client(codec) => {
                return Answer::now(Ok(end(self.settle_client(codec, slot, cookies, now))));
            }
            Prepared::Server(side) => side,
        };
        let candidates = values_of(cookies, self.cookie.name(), self.grammar);
        if let Some(store) = side.store.at_once() {
            let found = side.load_at_once(store, &candidates, self.duplicates, now);
            let settle = |found| end(slot.0.settle(|| self.logged(found)));
            return Answer::now(found.map(settle));
        }
        Answer::later(async move {
            // Pinned here, so that the future does not hold it twice.
            let load = pin!(side.load(&candidates, self.duplicates, now));
            let found = within(&*side.store, load).await?;
            Ok(end(slot.0.settle(|| self.logged(found))))
        })
    }

    /// [`settle`](Self::settle) for sessions that live in their cookies.
    pub(super) fn settle_client<'h>(
        &self,
        codec: &Codec,
        slot: &Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
        now: Timestamp,
    ) -> Option<Found> {
        slot.0.settle(|| {
            let candidates = values_of(cookies, self.cookie.name(), self.grammar);
            self.logged(codec.load(&candidates, self.duplicates, self.lifetime(), now))
        })
    }

    pub(super) const fn always_keeps(&self) -> bool {
        self.always_kept
    }

    fn logged(&self, found: Found) -> Found {
        if let Loaded::Rejected(rejection) = &found.loaded {
            log_rejection(self.cookie.name(), rejection);
        }
        found
    }

    /// How long the browser keeps a cookie that expires at `expires`.
    pub(super) fn persistence(&self, permanent: bool, expires: Timestamp) -> Persistence {
        match (self.always_kept, permanent) {
            (true, _) => Persistence::MaxAge(self.lifetime_seconds()),
            (false, true) => Persistence::Expires(expires),
            (false, false) => Persistence::BrowserSession,
        }
    }

    fn inventory(&self) -> Result<&dyn Inventory, StoreError> {
        match &self.side {
            Prepared::Server(side) => side.store.inventory().ok_or(StoreError::Unsupported),
            Prepared::Client(_) => Err(StoreError::Unsupported),
        }
    }

    fn users(&self) -> Result<&dyn UserSessions, StoreError> {
        match &self.side {
            Prepared::Server(side) => side.store.users().ok_or(StoreError::Unsupported),
            Prepared::Client(_) => Err(StoreError::Unsupported),
        }
    }
}

/// One event a refused cookie, and never a byte of it.
#[cold]
fn log_rejection(cookie: &str, rejection: &Rejection) {
    let reason = rejection.code();
    match rejection {
        Rejection::Ambiguous => {
            tracing::warn!(cookie, reason, "session cookie refused: {rejection}");
        }
        // Said where it was read, with the cause.
        Rejection::Unreadable => {}
        Rejection::Token(_) | Rejection::UnknownId => {
            tracing::info!(cookie, reason, "session cookie refused: {rejection}");
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
