//! A site with one store, and browsers that visit it.
//!
//! A request has two halves, so that other requests can run between them.

use std::{cell::Cell, sync::Arc};

use crate::{
    clock::Timestamp,
    session::{
        CommitError, HeaderChanges, RequestHead, ServerSide, Session, SessionConfig,
        SessionManager, Slot, TransportKind,
    },
    store::{ErasedStore, PublicId},
};

/// The time of the checks. Far from the current time, to detect a store that reads its own clock.
pub(super) const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);
pub(super) const LIFETIME: i64 = 14 * 86_400;

pub(super) fn after(seconds: i64) -> Timestamp {
    NOW.saturating_add(seconds)
}

thread_local! {
    /// The clock of handler calls. Thread-local, because a check runs on one thread.
    static SECONDS: Cell<i64> = const { Cell::new(0) };
}

/// Sets the clock of handler calls to `seconds` after [`NOW`].
pub(super) fn set_clock(seconds: i64) {
    SECONDS.set(seconds);
}

/// Returns a name that no other check uses.
pub(super) fn unique(name: &str) -> String {
    let random = PublicId::random().expect("the system has randomness");
    format!("{name}-{random}")
}

pub(super) struct Site(pub(super) Arc<SessionManager>);

impl Site {
    pub(super) fn new(store: Arc<dyn ErasedStore>) -> Self {
        Self::with(store, |side| side)
    }

    pub(super) fn with(
        store: Arc<dyn ErasedStore>,
        settings: impl FnOnce(ServerSide) -> ServerSide,
    ) -> Self {
        Self::configured(store, SessionConfig::development(), settings)
    }

    pub(super) fn configured(
        store: Arc<dyn ErasedStore>,
        config: SessionConfig,
        settings: impl FnOnce(ServerSide) -> ServerSide,
    ) -> Self {
        let side = settings(ServerSide::shared(store));
        let manager = SessionManager::new(side, config).expect("the preset is good");
        set_clock(0);
        Self(Arc::new(manager.with_clock(|| after(SECONDS.get()))))
    }

    /// Runs a whole request and keeps its cookie in `jar`.
    pub(super) async fn visit<R>(
        &self,
        jar: &mut Jar,
        now: Timestamp,
        handler: impl FnOnce(&Session) -> R,
    ) -> R {
        let request = self.open(jar, now).await;
        let result = handler(&request.session);
        let effects = request.end().await.expect("the store works");
        jar.keep(&effects);
        result
    }

    /// Returns the value of `key` that a read-only request with these cookies sees.
    pub(super) async fn look(&self, jar: &Jar, now: Timestamp, key: &str) -> Option<u64> {
        let request = self.open(jar, now).await;
        request.session.get(key).expect("the checks keep numbers")
    }

    /// Runs the first half of a request.
    pub(super) async fn open(&self, jar: &Jar, now: Timestamp) -> Request {
        let slot = self.0.begin();
        let is_cookie = self.0.transports.at(None).kind() == TransportKind::Cookie;
        if !is_cookie {
            slot.note_token(jar);
        }
        let lines = jar.0.iter().filter(|_| is_cookie).map(String::as_bytes);
        let session = self.0.open(&slot, lines, now).await;
        Request {
            session: session.expect("the store works"),
            slot,
            now,
        }
    }
}

/// A request with a running handler.
pub(super) struct Request {
    pub(super) session: Session,
    slot: Slot,
    now: Timestamp,
}

impl Request {
    /// Runs the second half.
    pub(super) async fn end(&self) -> Result<HeaderChanges, CommitError> {
        self.end_with(200).await
    }

    pub(super) async fn end_with(&self, status: u16) -> Result<HeaderChanges, CommitError> {
        self.end_at(status, self.now).await
    }

    pub(super) async fn end_at(
        &self,
        status: u16,
        now: Timestamp,
    ) -> Result<HeaderChanges, CommitError> {
        let manager = Arc::clone(self.slot.manager());
        manager.commit(&self.slot, [], status, now).await
    }

    /// Runs the second half without a response.
    pub(super) async fn hang_up(&self) {
        if let Some(rest) = self.slot.manager().abandon(&self.slot, || self.now) {
            rest.await.expect("the store works");
        }
    }
}

/// The response header of a token, in checks over other transports.
pub(super) const TOKEN: &str = "x-session-token";

/// Returns whether a response carries the session's token or its removal.
pub(super) fn is_sent(effects: &HeaderChanges) -> bool {
    effects.set_cookie.is_some() || effects.token.is_some()
}

/// Like a browser, a client of a header transport stores its token.
impl RequestHead for Jar {
    fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let id = self.id().filter(|_| name == TOKEN);
        id.map(str::as_bytes).into_iter()
    }
}

/// The browser's cookie jar: the line of its `Cookie` header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Jar(pub(super) Option<String>);

impl Jar {
    pub(super) fn of(value: &str) -> Self {
        Self(Some(format!("session={value}")))
    }

    /// Applies a `Set-Cookie` or a token header, including a removal.
    pub(super) fn keep(&mut self, effects: &HeaderChanges) {
        if let Some(token) = &effects.token {
            assert_eq!(effects.set_cookie, None, "one transport carries the token");
            let pair = format!("session={}", token.value);
            self.0 = (!token.value.is_empty()).then_some(pair);
            return;
        }
        let Some(header) = &effects.set_cookie else {
            return;
        };
        let (pair, attributes) = header.split_once(';').unwrap_or((header, ""));
        let removed = attributes.contains("Max-Age=0");
        self.0 = (!removed).then(|| pair.to_owned());
    }

    pub(super) fn id(&self) -> Option<&str> {
        let (_, id) = self.0.as_deref()?.split_once('=')?;
        Some(id)
    }
}
