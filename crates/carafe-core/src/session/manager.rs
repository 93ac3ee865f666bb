//! Opens the session of a request and commits it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    ClientSide, Commit, Decision, Duplicates, Effects, Facts, Loaded, Policy, Refresh, Rejection,
    Session, SessionConfig, SessionData, Slot, client_side::Codec, decide, slot::State,
};
use crate::{
    clock::Timestamp,
    cookie::{
        Candidates, CookieError, CookiePolicy, Grammar, MAX_COOKIE_BYTES, Persistence, values_of,
    },
    json::{Style, string},
    key::KeyUse,
    token::{PayloadError, SealError, TokenError},
};

/// Opens and commits the sessions of one cookie. Make one at start and share it.
///
/// An adapter calls [`SessionManager::begin`] for each request, [`SessionManager::open`] when a handler
/// asks for the session, and [`SessionManager::commit`] before the response's head leaves.
///
/// ```
/// use std::sync::Arc;
/// use carafe_core::{clock::Timestamp, key::SecretKey, session::{ClientSide, SessionConfig, SessionManager}};
///
/// let key = SecretKey::short("flask-spec-secret")?;
/// let manager = Arc::new(SessionManager::new(ClientSide::signed(key), SessionConfig::flask())?);
/// let now = Timestamp::from_unix(1_700_000_000);
///
/// let slot = manager.begin();
/// let session = manager.open(&slot, [&b"theme=dark"[..]], now);
/// session.insert("user_id", &42)?;
/// let effects = manager.commit(&slot, [], 200, now)?;
/// assert_eq!(
///     effects.set_cookie.as_deref(),
///     Some("session=eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw; HttpOnly; Path=/"),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SessionManager {
    cookie: CookiePolicy,
    codec: Codec,
    grammar: Grammar,
    duplicates: Duplicates,
    always_kept: bool,
    policy: Policy,
    /// Seconds. Relaxed: a lifetime changed while running needs no order with anything else.
    lifetime: AtomicU64,
}

/// Why a session could not be written. The browser keeps its cookie, and the handler's response must
/// not be sent, because it would claim what did not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommitError {
    /// The cookie would have more bytes than browsers keep.
    TooLarge {
        /// Bytes of name and value.
        size: usize,
        /// The keys with the longest values, and the bytes of their JSON text, longest first.
        largest: Vec<(String, usize)>,
    },
    /// The cookie cannot be written.
    Cookie(CookieError),
    /// The cookie cannot be encrypted.
    Seal(SealError),
}

impl SessionManager {
    /// Prepares keys and checks the configuration.
    ///
    /// # Errors
    /// [`CookieError`] if browsers would refuse the cookie, with what to change.
    pub fn new(side: ClientSide, config: SessionConfig) -> Result<Self, CookieError> {
        let cookie = config.cookie.build()?;
        Ok(Self {
            codec: side.prepare(cookie.name(), config.clock_skew),
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
    /// Never fails: a cookie that is refused gives an empty session and one log event that says why.
    /// A session that is opened after the commit can be read, and writes give an error.
    pub fn open<'h>(
        &self,
        slot: &Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
        now: Timestamp,
    ) -> Session {
        let mut cookies = Some(cookies);
        let mut load = || self.load(cookies.take().into_iter().flatten(), now);
        slot.0.open_with(&mut load);
        if let Some(mut late) = slot.0.state().filter(|state| state.unread) {
            *late = load();
            late.committed = true;
        }
        Session::of(&slot.0).expect("the slot was opened above")
    }

    /// Whether [`SessionManager::commit`] needs the request's cookies although no handler used the
    /// session: to refresh permanent sessions on every response, as Flask does.
    #[must_use]
    pub fn commits_untouched(&self) -> bool {
        self.policy.refresh == Refresh::PermanentAlways
    }

    /// Ends the request: decides what to do and renders it. `status` is the response's. Later writes to
    /// the session give an error. `cookies` is looked at only if [`SessionManager::commits_untouched`].
    ///
    /// # Errors
    /// [`CommitError`] if a change cannot be written; then answer 500 without a cookie. A cookie that
    /// only cannot be renewed stays as it is, with a log event.
    pub fn commit<'h>(
        &self,
        slot: &Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
        status: u16,
        now: Timestamp,
    ) -> Result<Effects, CommitError> {
        if self.commits_untouched() {
            slot.0.open_with(|| self.load(cookies, now));
        }
        self.close(slot);
        let Some(mut state) = slot.0.state().filter(|state| !state.unread) else {
            return Ok(Effects::default());
        };
        state.committed = true;
        let facts = self.facts(&state, status, now);
        let Decision { commit, vary } = decide(facts, self.policy);
        let written = match commit {
            Commit::Nothing => Ok(None),
            Commit::Write => self.write(&state, facts.permanent, now).map(Some),
            Commit::Reissue => {
                let issued = state.issued().unwrap_or(now);
                self.write(&state, facts.permanent, issued).map(Some)
            }
            Commit::Remove => Ok(Some(self.cookie.removal().to_owned())),
        };
        let set_cookie = match written {
            // Nothing of the handler's is lost: the browser keeps a cookie that is still good.
            Err(error) if !state.modified => {
                tracing::warn!(
                    cookie = self.cookie.name(),
                    "session cookie not renewed: {error}"
                );
                None
            }
            written => written?,
        };
        Ok(Effects {
            no_store: set_cookie.is_some(),
            set_cookie,
            vary_cookie: vary,
        })
    }

    /// Ends a request whose session nobody has used, without a look at cookies or clock; for requests that do not
    /// need [`SessionManager::commit`]. Whoever opens the session later is told that the head has been sent.
    pub fn close(&self, slot: &Slot) {
        slot.0.open_with(State::ended_unread);
    }

    /// The cookie's name and attributes.
    #[must_use]
    pub const fn cookie(&self) -> &CookiePolicy {
        &self.cookie
    }

    /// How JSON is written inside.
    #[must_use]
    pub const fn style(&self) -> Style {
        self.codec.style()
    }

    /// How long a session lives after its cookie was last written.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        Duration::from_secs(self.lifetime.load(Ordering::Relaxed))
    }

    /// Changes the lifetime while running: from the next request on, for all sessions.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.lifetime.store(lifetime.as_secs(), Ordering::Relaxed);
    }

    fn load<'h>(&self, cookies: impl IntoIterator<Item = &'h [u8]>, now: Timestamp) -> State {
        let candidates = values_of(cookies, self.cookie.name(), self.grammar);
        match self.choose(&candidates, now) {
            None => State::new(Loaded::Absent, SessionData::default()),
            Some(Ok((loaded, data))) => State::new(loaded, data),
            Some(Err(rejection)) => {
                log_rejection(self.cookie.name(), &rejection);
                State::new(Loaded::Rejected(rejection), SessionData::default())
            }
        }
    }

    fn choose(
        &self,
        candidates: &Candidates<'_>,
        now: Timestamp,
    ) -> Option<Result<(Loaded, SessionData), Rejection>> {
        let looked_at = match self.duplicates {
            Duplicates::TakeFirst => candidates.get(..1).unwrap_or_default(),
            Duplicates::Refuse => candidates,
        };
        let mut chosen: Option<(&[u8], Result<(Loaded, SessionData), Rejection>)> = None;
        for value in looked_at
            .iter()
            .map(AsRef::as_ref)
            .filter(|value| !value.is_empty())
        {
            let result = self.read(value, now).map_err(Rejection::Token);
            match (&chosen, &result) {
                (Some((known, Ok(_))), Ok(_)) if *known != value => {
                    return Some(Err(Rejection::Ambiguous));
                }
                (Some((_, Ok(_))), _) | (Some(_), Err(_)) => {}
                _ => chosen = Some((value, result)),
            }
        }
        chosen.map(|(_, result)| result)
    }

    fn read(&self, value: &[u8], now: Timestamp) -> Result<(Loaded, SessionData), TokenError> {
        let opened = self.codec.open(value, self.lifetime(), now)?;
        let data = SessionData::parse(opened.payload, self.style()).map_err(PayloadError::Json)?;
        Ok((
            Loaded::Valid {
                key: opened.key,
                issued: opened.issued,
            },
            data,
        ))
    }

    fn facts(&self, state: &State, status: u16, now: Timestamp) -> Facts {
        let lifetime = self.lifetime_seconds();
        let refreshes_at = |issued| now.seconds_since(issued).saturating_mul(20) >= lifetime;
        Facts {
            accessed: state.accessed,
            modified: state.modified,
            empty: state.members().next().is_none(),
            permanent: state.is_permanent(),
            ended: state.ended,
            through_fallback: matches!(
                state.loaded,
                Loaded::Valid {
                    key: KeyUse::Fallback(_),
                    ..
                }
            ),
            due: state.issued().is_some_and(refreshes_at),
            // Removing one of two cookies that verify would leave the other one, which may be an attacker's.
            rejected: matches!(&state.loaded, Loaded::Rejected(Rejection::Token(_))),
            server_error: status >= 500,
            insisted: state.insisted,
        }
    }

    fn write(
        &self,
        state: &State,
        permanent: bool,
        issued: Timestamp,
    ) -> Result<String, CommitError> {
        let payload = state.patch.render(&state.data, self.style());
        let expires = issued.saturating_add(self.lifetime_seconds());
        let value = self
            .codec
            .seal(&payload, issued, expires)
            .map_err(CommitError::Seal)?;
        let size = self.cookie.name().len() + value.len();
        if size > MAX_COOKIE_BYTES {
            return Err(CommitError::TooLarge {
                size,
                largest: largest(state),
            });
        }
        let persistence = match (self.always_kept, permanent) {
            (true, _) => Persistence::MaxAge(self.lifetime_seconds()),
            (false, true) => Persistence::Expires(expires),
            (false, false) => Persistence::BrowserSession,
        };
        self.cookie
            .set(&value, persistence)
            .map_err(CommitError::Cookie)
    }

    fn lifetime_seconds(&self) -> i64 {
        i64::try_from(self.lifetime.load(Ordering::Relaxed)).unwrap_or(i64::MAX)
    }
}

impl State {
    fn issued(&self) -> Option<Timestamp> {
        match self.loaded {
            Loaded::Valid { issued, .. } => Some(issued),
            Loaded::Absent | Loaded::Rejected(_) => None,
        }
    }
}

/// One event a refused cookie, and never a byte of it.
#[cold]
fn log_rejection(cookie: &str, rejection: &Rejection) {
    let reason = rejection.code();
    match rejection {
        Rejection::Ambiguous => {
            tracing::warn!(cookie, reason, "session cookie refused: {rejection}")
        }
        Rejection::Token(_) => {
            tracing::info!(cookie, reason, "session cookie refused: {rejection}")
        }
    }
}

fn largest(state: &State) -> Vec<(String, usize)> {
    let name = |raw: &str| {
        string::decode(raw).map_or_else(|_| raw.to_owned(), std::borrow::Cow::into_owned)
    };
    let mut sizes: Vec<_> = state
        .members()
        .map(|(raw, value)| (name(raw), value.len()))
        .collect();
    sizes.sort_by_key(|&(_, size)| std::cmp::Reverse(size));
    sizes.truncate(3);
    sizes
}

impl std::fmt::Display for CommitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge { size, largest } => {
                write!(
                    f,
                    "the session cookie would have {size} bytes, and browsers drop cookies over {MAX_COOKIE_BYTES}; largest keys:"
                )?;
                largest
                    .iter()
                    .try_for_each(|(key, size)| write!(f, " {key:?} ({size} bytes)"))?;
                f.write_str("; keep less in the session, or keep it on the server side")
            }
            Self::Cookie(error) => error.fmt(f),
            Self::Seal(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CommitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::TooLarge { .. } => None,
            Self::Cookie(error) => Some(error),
            Self::Seal(error) => Some(error),
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
