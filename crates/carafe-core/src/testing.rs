//! Tests of services without a server: a client with a session, and a clock under the control of
//! the test.
//!
//! A [`TestClient`] produces the headers of a request and processes those of a response, so it
//! works with `tower::ServiceExt::oneshot`, with `actix_web::test` and with any other client.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use carafe_core::{
//!     session::{ServerSide, SessionConfig, SessionManager, Timeouts},
//!     store::MemoryStore,
//!     testing::{Clock, Effect, TestClient},
//! };
//!
//! # futures_executor::block_on(async {
//! let clock = Clock::new();
//! let side = ServerSide::new(MemoryStore::new()).with_timeouts(Timeouts::asvs_l2());
//! let manager = SessionManager::new(side, SessionConfig::default())?.with_clock(clock.reader());
//! let manager = Arc::new(manager); // also for the layer: `SessionLayer::from(manager.clone())`
//!
//! let mut ada = TestClient::signed_in(&manager, "ada").await?;
//! assert!(ada.headers().iter().any(|(name, _)| *name == "cookie"));
//!
//! // A session without a service:
//! let request = ada.begin().await?;
//! request.session().log_out()?;
//! assert_eq!(ada.finish(request, 200).await?, Effect::Removed);
//!
//! let bob = TestClient::signed_in(&manager, "bob").await?;
//! clock.advance(Duration::from_secs(31 * 60));
//! assert_eq!(bob.session().await?.user(), None, "30 minutes without use");
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! # }).unwrap();
//! ```

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::{
    clock::Timestamp,
    cookie::sets_cookie,
    session::{
        CommitError, HeaderChanges, RequestHead, Session, SessionManager, Slot, TransportKind,
    },
    store::StoreError,
};

/// A clock for tests. Its time changes only when the test changes it.
///
/// Clones share the time.
///
/// ```
/// use std::time::Duration;
///
/// use carafe_core::{clock::Timestamp, testing::Clock};
///
/// let clock = Clock::at(Timestamp::from_unix(1_700_000_000));
/// let read = clock.reader();
/// clock.clone().advance(Duration::from_secs(90));
/// assert_eq!(read().unix(), 1_700_000_090);
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// Returns a clock with the current time.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Timestamp::now())
    }

    /// Returns a clock with this time.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.unix())))
    }

    /// Returns the time of the clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst))
    }

    /// Advances the clock by whole seconds.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_core::{clock::Timestamp, testing::Clock};
    ///
    /// let clock = Clock::at(Timestamp::from_unix(0));
    /// clock.advance(Duration::from_millis(1_900));
    /// assert_eq!(clock.now().unix(), 1, "the fraction is dropped");
    /// ```
    pub fn advance(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        let later = self.now().saturating_add(seconds);
        self.0.store(later.unix(), Ordering::SeqCst);
    }

    /// Returns the function for [`SessionManager::with_clock`].
    pub fn reader(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.now()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// The effect of a response on the client's session.
///
/// ```
/// use std::sync::Arc;
///
/// use carafe_core::session::{ServerSide, SessionConfig, SessionManager};
/// use carafe_core::store::MemoryStore;
/// use carafe_core::testing::{Effect, TestClient};
///
/// # futures_executor::block_on(async {
/// let side = ServerSide::new(MemoryStore::new());
/// let manager = Arc::new(SessionManager::new(side, SessionConfig::default())?);
/// let mut client = TestClient::new(&manager);
///
/// let request = client.begin().await?;
/// assert_eq!(client.finish(request, 200).await?, Effect::None, "nothing was stored");
///
/// let request = client.begin().await?;
/// request.session().log_in("ada")?;
/// assert_eq!(client.finish(request, 200).await?, Effect::Written);
///
/// let request = client.begin().await?;
/// request.session().log_out()?;
/// assert_eq!(client.finish(request, 200).await?, Effect::Removed);
/// assert!(client.headers().is_empty());
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The client's session stays the same.
    None,
    /// The client has a new token, or the same token with a new expiry.
    Written,
    /// The client has no session any more.
    Removed,
}

/// A client that keeps the token of its session.
///
/// `Debug` does not show the token.
///
/// A clone is a second tab, or a thief who has copied the cookie:
///
/// ```
/// use std::sync::Arc;
///
/// use carafe_core::session::{ServerSide, SessionConfig, SessionManager};
/// use carafe_core::{store::MemoryStore, testing::TestClient};
///
/// # futures_executor::block_on(async {
/// let side = ServerSide::new(MemoryStore::new());
/// let manager = Arc::new(SessionManager::new(side, SessionConfig::default())?);
/// let mut ada = TestClient::signed_in(&manager, "ada").await?;
/// let thief = ada.clone();
/// assert_eq!(thief.session().await?.user().as_deref(), Some("ada"));
///
/// let request = ada.begin().await?;
/// request.session().log_out()?;
/// ada.finish(request, 200).await?;
/// assert_eq!(thief.session().await?.user(), None);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct TestClient {
    manager: Arc<SessionManager>,
    kind: TransportKind,
    token: Option<String>,
}

impl TestClient {
    /// Returns a client without a session, which uses the cookie.
    #[must_use]
    pub fn new(manager: &Arc<SessionManager>) -> Self {
        Self {
            manager: Arc::clone(manager),
            kind: TransportKind::Cookie,
            token: None,
        }
    }

    /// Returns a client that has logged in, with its session in a cookie.
    ///
    /// # Errors
    /// If the session cannot be saved.
    pub async fn signed_in(
        manager: &Arc<SessionManager>,
        user: &str,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut client = Self::new(manager);
        let request = client.begin().await?;
        request.session().log_in(user)?;
        client.finish(request, 200).await?;
        Ok(client)
    }

    /// Makes the client use another of the configured transports, with the same token.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use carafe_core::session::{ServerSide, SessionConfig, SessionManager};
    /// use carafe_core::session::{Transport, TransportKind};
    /// use carafe_core::{store::MemoryStore, testing::TestClient};
    ///
    /// # futures_executor::block_on(async {
    /// let config = SessionConfig::default()
    ///     .with_transports([Transport::cookie(), Transport::bearer("x-session-token")]);
    /// let side = ServerSide::new(MemoryStore::new());
    /// let manager = Arc::new(SessionManager::new(side, config)?);
    ///
    /// let mut app = TestClient::new(&manager).over(TransportKind::Bearer);
    /// let request = app.begin().await?;
    /// request.session().set_transport(TransportKind::Bearer)?;
    /// request.session().log_in("ada")?;
    /// app.finish(request, 200).await?;
    /// let headers = app.headers();
    /// assert_eq!(headers[0].0, "authorization");
    /// assert!(headers[0].1.starts_with("Bearer "));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn over(self, kind: TransportKind) -> Self {
        Self { kind, ..self }
    }

    /// Returns the headers of a request: none for a client without a session.
    #[must_use]
    pub fn headers(&self) -> Vec<(&str, String)> {
        let Some(token) = &self.token else {
            return Vec::new();
        };
        let header = self.manager.response_header_of(self.kind);
        vec![match (self.kind, header) {
            (TransportKind::Bearer, _) => ("authorization", format!("Bearer {token}")),
            (TransportKind::Header, Some(name)) => (name, token.clone()),
            _ => (
                "cookie",
                format!("{}={token}", self.manager.cookie().name()),
            ),
        }]
    }

    /// Applies the head of a response. Returns its effect on the session.
    ///
    /// `head` is the head of the response: the header types of `http` and `actix-web` implement
    /// [`RequestHead`], with the features `axum` and `actix`.
    pub fn keep(&mut self, head: &impl RequestHead) -> Effect {
        let name = self.manager.cookie().name();
        let mut given = None;
        if let Some(header) = self.manager.response_header_of(self.kind) {
            let token = head.lines(header).last();
            given = token.map(|token| (String::from_utf8_lossy(token).into_owned(), false));
        } else if let Some(line) = head
            .lines("set-cookie")
            .filter(|line| sets_cookie(line, name))
            .last()
        {
            let line = String::from_utf8_lossy(line);
            let (pair, attributes) = line.split_once(';').unwrap_or((&line, ""));
            let is_removal = attributes.contains("Max-Age=0");
            let value = pair.split_once('=').map_or("", |(_, value)| value);
            given = Some((value.to_owned(), is_removal));
        }
        match given {
            None => Effect::None,
            Some((token, is_removal)) if is_removal || token.is_empty() => {
                self.token = None;
                Effect::Removed
            }
            Some((token, _)) => {
                self.token = Some(token);
                Effect::Written
            }
        }
    }

    /// Begins a request of this client, without a service.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn begin(&self) -> Result<TestRequest, StoreError> {
        let slot = self.manager.begin();
        let head = Head(self.headers());
        slot.note_token(&head);
        let session = self
            .manager
            .open(&slot, head.lines("cookie"), self.manager.time())
            .await?;
        Ok(TestRequest { slot, session })
    }

    /// Ends a request with a response of this status, and applies the response.
    ///
    /// # Errors
    /// [`CommitError`] if a change cannot be saved.
    pub async fn finish(
        &mut self,
        request: TestRequest,
        status: u16,
    ) -> Result<Effect, CommitError> {
        let now = self.manager.time();
        let changes = self.manager.commit(&request.slot, [], status, now).await?;
        Ok(self.keep(&Head(given(changes))))
    }

    /// Returns the session of this client as seen by a request.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn session(&self) -> Result<Session, StoreError> {
        Ok(self.begin().await?.session)
    }
}

impl std::fmt::Debug for TestClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestClient")
            .field("kind", &self.kind)
            .field("has_token", &self.token.is_some())
            .finish_non_exhaustive()
    }
}

/// A request without a service.
#[derive(Debug)]
pub struct TestRequest {
    slot: Slot,
    session: Session,
}

impl TestRequest {
    /// Returns the session.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }
}

/// Returns the headers of a response that concern the session.
fn given(changes: HeaderChanges) -> Vec<(String, String)> {
    let cookie = changes
        .set_cookie
        .map(|line| ("set-cookie".to_owned(), line));
    let token = changes
        .token
        .map(|token| (token.name.to_string(), token.value));
    cookie.into_iter().chain(token).collect()
}

struct Head<N>(Vec<(N, String)>);

impl<N: AsRef<str>> RequestHead for Head<N> {
    fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let ours = self
            .0
            .iter()
            .filter(move |(known, _)| known.as_ref() == name);
        ours.map(|(_, value)| value.as_bytes())
    }
}
