//! Log-in round trips to an identity provider (OAuth 2.0, OpenID Connect).
//!
//! Each attempt has its own key in the session, so that several tabs can log in at the same time.
//! Each attempt is taken exactly once by [`Session::take_once`].

use std::{fmt, time::Duration};

use sha2::{Digest, Sha256};

use super::{LocalPath, Session, SessionError, backend::Prepared};
use crate::{base64, clock::Timestamp, id::random_bytes, store::StoreError};

/// Maximum number of pending log-in attempts per session. Another one replaces the oldest.
pub const LOGIN_ATTEMPTS: usize = 8;
/// Maximum duration of a log-in at a provider.
pub const LOGIN_DURATION: Duration = Duration::from_secs(600);

const PREFIX: &str = "_login:";
/// 32 random bytes in base64url.
const SECRET_CHARS: usize = 43;

/// A pending log-in, with the values that the provider's callback must match.
///
/// `Debug` omits all values.
///
/// ```
/// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
/// # futures_executor::block_on(async {
/// # let side = ServerSide::new(MemoryStore::new());
/// # let manager = SessionManager::new(side, SessionConfig::default())?;
/// # let manager = std::sync::Arc::new(manager);
/// # let mut client = TestClient::new(&manager);
/// let request = client.begin().await?;
/// let attempt = request.session().begin_login(LocalPath::or_root("/orders"))?;
/// let url = format!(
///     "https://login.example/authorize?response_type=code&client_id=shop&scope=openid\
///      &state={}&nonce={}&code_challenge={}&code_challenge_method=S256",
///     attempt.state(), attempt.nonce(), attempt.pkce_challenge(),
/// );
/// assert!(!url.contains(attempt.pkce_verifier()), "for the request of the token");
/// client.finish(request, 303).await?;
///
/// // In the callback, with the `state` of its query. Exchange the code with `pkce_verifier`, check
/// // `nonce` in the ID token, log in, and redirect to `return_to`.
/// let session = client.session().await?;
/// let finished = session.finish_login(attempt.state()).await?;
/// assert_eq!(finished.as_ref(), Some(&attempt));
/// assert_eq!(attempt.return_to().as_str(), "/orders");
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct LoginAttempt {
    state: String,
    nonce: String,
    pkce_verifier: String,
    return_to: LocalPath,
    begun: Timestamp,
}

impl LoginAttempt {
    /// Returns the `state` parameter (RFC 6749 §10.12).
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Returns the `nonce` that the ID token must contain (OpenID Connect Core §15.5.2).
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Returns the PKCE code verifier (RFC 7636 §4.1), for the request of the token.
    #[must_use]
    pub fn pkce_verifier(&self) -> &str {
        &self.pkce_verifier
    }

    /// Returns the PKCE code challenge with the method `S256` (RFC 7636 §4.2).
    #[must_use]
    pub fn pkce_challenge(&self) -> String {
        base64::encode_url(&Sha256::digest(self.pkce_verifier.as_bytes()))
    }

    /// Returns the path to redirect to after the log-in.
    #[must_use]
    pub const fn return_to(&self) -> &LocalPath {
        &self.return_to
    }

    fn is_current(&self, now: Timestamp) -> bool {
        let age = now.seconds_since(self.begun);
        (0..=super::expiry::seconds(LOGIN_DURATION)).contains(&age)
    }
}

impl fmt::Debug for LoginAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginAttempt(…)")
    }
}

/// An attempt as stored under its state: the nonce, the verifier, the path, and the start time.
type StoredAttempt = (String, String, String, i64);

impl Session {
    /// Begins a log-in at a provider and stores it in the session for ten minutes.
    ///
    /// A session stores eight attempts, and another one replaces the oldest. The session's cookie
    /// must be sent with the callback, which is a cross-site request: `SameSite=Lax`, the default,
    /// suffices for a callback by GET.
    ///
    /// As for [`Session::log_in`], a session that was revoked before the request is replaced by a
    /// new one.
    ///
    /// ```
    /// use carafe_core::session::LOGIN_ATTEMPTS;
    /// # use carafe_core::{clock::Timestamp, testing::Clock};
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let clock = Clock::at(Timestamp::from_unix(1_700_000_000));
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager.with_clock(clock.reader()));
    /// # let session = TestClient::new(&manager).session().await?;
    /// let mut attempts = Vec::new();
    /// for _ in 0..=LOGIN_ATTEMPTS {
    ///     attempts.push(session.begin_login(LocalPath::or_root("/"))?);
    ///     clock.advance(std::time::Duration::from_secs(1));
    /// }
    /// assert_eq!(session.keys().len(), LOGIN_ATTEMPTS);
    /// assert_eq!(session.finish_login(attempts[0].state()).await?, None, "replaced");
    /// assert!(session.finish_login(attempts[1].state()).await?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Unsupported`] for client-side sessions, because a copy of their cookie could
    /// use an attempt again. [`SessionError::AlreadySent`]. [`SessionError::Store`] without a
    /// random source.
    pub fn begin_login(&self, return_to: LocalPath) -> Result<LoginAttempt, SessionError> {
        if matches!(self.0.manager.side, Prepared::Client(_)) {
            return Err(SessionError::Unsupported);
        }
        let now = self.0.manager.now();
        let attempt = LoginAttempt {
            state: random()?,
            nonce: random()?,
            pkce_verifier: random()?,
            return_to,
            begun: now,
        };
        let text = self.encode(
            PREFIX,
            &(
                &attempt.nonce,
                &attempt.pkce_verifier,
                attempt.return_to.as_str(),
                now.unix(),
            ),
        )?;
        let surplus = surplus(self.login_attempts(), now);
        self.write(|state| {
            let patch = state.patch();
            for key in surplus {
                patch.remove(&key);
            }
            patch.set(&key_of(&attempt.state), text);
            state.began_login = true;
        })?;
        Ok(attempt)
    }

    /// Takes the log-in with the `state` of the provider's callback, exactly once.
    ///
    /// Returns `None` if the session has no such log-in: the callback was called before, belongs to
    /// another browser, or came after ten minutes. Respond with a new log-in, not with an error
    /// that reveals the reason.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// let request = client.begin().await?;
    /// let attempt = request.session().begin_login(LocalPath::or_root("/"))?;
    /// client.finish(request, 303).await?;
    ///
    /// assert_eq!(client.session().await?.finish_login("forged").await?, None);
    /// let other = TestClient::new(&manager).session().await?;
    /// assert_eq!(other.finish_login(attempt.state()).await?, None, "another browser");
    /// assert!(client.session().await?.finish_login(attempt.state()).await?.is_some());
    /// let again = client.session().await?.finish_login(attempt.state()).await?;
    /// assert_eq!(again, None, "the callback was called before");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Session::take_once`].
    pub async fn finish_login(&self, state: &str) -> Result<Option<LoginAttempt>, SessionError> {
        let is_state = state.len() == SECRET_CHARS && base64::is_url(state.as_bytes());
        if !is_state {
            return Ok(None);
        }
        let taken = self
            .take_once::<StoredAttempt>(key_of(state).as_str())
            .await?;
        let attempt = taken.map(|(nonce, pkce_verifier, return_to, begun)| LoginAttempt {
            state: state.to_owned(),
            nonce,
            pkce_verifier,
            return_to: LocalPath::or_root(&return_to),
            begun: Timestamp::from_unix(begun),
        });
        Ok(attempt.filter(|attempt| attempt.is_current(self.0.manager.now())))
    }

    /// Returns the keys of the session's attempts, and their start times.
    fn login_attempts(&self) -> Vec<(String, Timestamp)> {
        let keys = self.keys().into_iter();
        let attempts = keys.filter(|key| key.starts_with(PREFIX)).map(|key| {
            let stored = self.get::<StoredAttempt>(&key).ok().flatten();
            // An unreadable attempt is removed first.
            let begun = stored.map_or(i64::MIN, |(.., begun)| begun);
            (key, Timestamp::from_unix(begun))
        });
        attempts.collect()
    }
}

/// Returns the keys to remove before another attempt is added: the expired ones and the oldest.
///
/// `attempts` are in the order of the dictionary, oldest first within a second.
fn surplus(mut attempts: Vec<(String, Timestamp)>, now: Timestamp) -> Vec<String> {
    let limit = super::expiry::seconds(LOGIN_DURATION);
    attempts.reverse();
    attempts.sort_by_key(|(_, begun)| std::cmp::Reverse(begun.unix()));
    let is_kept = |(place, begun): (usize, Timestamp)| {
        place + 1 < LOGIN_ATTEMPTS && now.unix().saturating_sub(begun.unix()) <= limit
    };
    let numbered = attempts.into_iter().enumerate();
    let removed = numbered.filter(|(place, (_, begun))| !is_kept((*place, *begun)));
    removed.map(|(_, (key, _))| key).collect()
}

fn key_of(state: &str) -> String {
    format!("{PREFIX}{state}")
}

fn random() -> Result<String, SessionError> {
    let bytes = random_bytes::<32>();
    let bytes = bytes.map_err(|error| SessionError::Store(StoreError::unavailable(error)))?;
    Ok(base64::encode_url(&bytes))
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, collections::HashSet, sync::Arc};

    use futures_executor::block_on;

    use super::*;
    use crate::{
        key::SecretKey,
        session::{ClientSide, ServerSide, SessionConfig, SessionManager},
        store::MemoryStore,
    };

    const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);

    #[test]
    fn another_attempt_in_the_same_second_replaces_the_oldest() {
        let attempts = (0..LOGIN_ATTEMPTS).map(|number| (number.to_string(), NOW));
        assert_eq!(surplus(attempts.collect(), NOW), ["0"]);
        let earlier = [("earlier".to_owned(), NOW.saturating_add(-1))];
        let attempts = (1..LOGIN_ATTEMPTS).map(|number| (number.to_string(), NOW));
        assert_eq!(surplus(attempts.chain(earlier).collect(), NOW), ["earlier"]);
    }

    thread_local! {
        static SECONDS: Cell<i64> = const { Cell::new(0) };
    }

    fn manager() -> Arc<SessionManager> {
        SECONDS.set(0);
        let side = ServerSide::new(MemoryStore::new());
        let manager = SessionManager::new(side, SessionConfig::development()).unwrap();
        Arc::new(manager.with_clock(|| NOW.saturating_add(SECONDS.get())))
    }

    /// Runs a request. Returns the cookie of the response, or the cookie that was sent.
    fn visit<R>(
        manager: &Arc<SessionManager>,
        jar: &str,
        handler: impl FnOnce(&Session) -> R,
    ) -> (R, String) {
        let slot = manager.begin();
        let now = manager.now();
        let session = block_on(manager.open(&slot, [jar.as_bytes()], now)).unwrap();
        let result = handler(&session);
        let changes = block_on(manager.commit(&slot, [], 200, now)).unwrap();
        let given = changes.set_cookie.as_deref();
        let given = given.and_then(|text| text.split(';').next());
        (result, given.unwrap_or(jar).to_owned())
    }

    fn begin(manager: &Arc<SessionManager>, jar: &str) -> (LoginAttempt, String) {
        let (attempt, jar) = visit(manager, jar, |session| {
            session.begin_login(LocalPath::or_root("/orders"))
        });
        (attempt.unwrap(), jar)
    }

    fn finish(manager: &Arc<SessionManager>, jar: &str, state: &str) -> Option<LoginAttempt> {
        let finished = visit(manager, jar, |session| {
            block_on(session.finish_login(state)).unwrap()
        });
        finished.0
    }

    #[test]
    fn an_attempt_is_finished_once_by_its_own_session() {
        let manager = manager();
        let (attempt, jar) = begin(&manager, "");
        let (foreign, other) = begin(&manager, "");
        assert_eq!(finish(&manager, &other, attempt.state()), None);
        assert_eq!(finish(&manager, "", attempt.state()), None);
        let finished = finish(&manager, &jar, attempt.state());
        assert_eq!(finished.as_ref(), Some(&attempt));
        assert_eq!(finished.unwrap().return_to().as_str(), "/orders");
        assert_eq!(
            finish(&manager, &jar, attempt.state()),
            None,
            "a second call"
        );
        assert!(finish(&manager, &other, foreign.state()).is_some());
    }

    #[test]
    fn two_tabs_log_in_at_the_same_time() {
        let manager = manager();
        let (first, jar) = begin(&manager, "");
        let (second, _) = begin(&manager, &jar);
        assert!(finish(&manager, &jar, second.state()).is_some());
        assert!(finish(&manager, &jar, first.state()).is_some());
    }

    #[test]
    fn a_session_keeps_eight_attempts_for_ten_minutes() {
        let manager = manager();
        let mut attempts = Vec::new();
        let mut jar = String::new();
        for second in 0..10 {
            SECONDS.set(second);
            let (attempt, next) = begin(&manager, &jar);
            attempts.push(attempt);
            jar = next;
        }
        let kept = visit(&manager, &jar, Session::len).0;
        assert_eq!(kept, LOGIN_ATTEMPTS);
        for (number, attempt) in attempts.iter().enumerate().take(5) {
            let finished = finish(&manager, &jar, attempt.state());
            assert_eq!(finished.is_some(), number >= 2, "{number}");
        }
        SECONDS.set(605);
        assert!(finish(&manager, &jar, attempts[5].state()).is_some());
        SECONDS.set(607);
        assert_eq!(finish(&manager, &jar, attempts[6].state()), None);
        // The next attempt removes the expired ones.
        SECONDS.set(5_000);
        begin(&manager, &jar);
        assert_eq!(visit(&manager, &jar, Session::len).0, 1);
    }

    #[test]
    fn a_state_that_is_no_state_reaches_no_key() {
        let manager = manager();
        let (attempt, jar) = begin(&manager, "");
        for state in [
            "",
            "a",
            "_user_id",
            &format!("{}=", attempt.state()),
            &"a".repeat(44),
        ] {
            assert_eq!(finish(&manager, &jar, state), None, "{state}");
        }
    }

    #[test]
    fn the_values_are_different_and_long_enough() {
        let manager = manager();
        let (attempt, _) = begin(&manager, "");
        let values = [attempt.state(), attempt.nonce(), attempt.pkce_verifier()];
        assert!(values.iter().all(|value| value.len() == SECRET_CHARS));
        assert_eq!(values.iter().collect::<HashSet<_>>().len(), 3);
        assert_eq!(format!("{attempt:?}"), "LoginAttempt(…)");
    }

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        let attempt = LoginAttempt {
            state: String::new(),
            nonce: String::new(),
            pkce_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned(),
            return_to: LocalPath::or_root("/"),
            begun: NOW,
        };
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(attempt.pkce_challenge(), challenge);
    }

    #[test]
    fn a_client_side_session_refuses_an_attempt() {
        let side = ClientSide::signed(SecretKey::short("flask-spec-secret").unwrap());
        let manager = SessionManager::new(side, SessionConfig::development()).unwrap();
        let refused = visit(&Arc::new(manager), "", |session| {
            session.begin_login(LocalPath::or_root("/"))
        });
        assert!(matches!(refused.0, Err(SessionError::Unsupported)));
    }
}
