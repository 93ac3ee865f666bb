//! A site with one store, and browsers that visit it. A request comes in two halves, so that others can come
//! between them.

use std::sync::Arc;

use crate::{
    clock::Timestamp,
    session::{CommitError, Effects, ServerSide, Session, SessionConfig, SessionManager, Slot},
    store::{Handle, SessionStore},
};

/// When the checks play. Far from now, so that a store which asks its own clock is found out.
pub(super) const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);
pub(super) const LIFETIME: i64 = 31 * 86_400;

pub(super) fn after(seconds: i64) -> Timestamp {
    NOW.saturating_add(seconds)
}

/// A name that no other check uses.
pub(super) fn unique(name: &str) -> String {
    let random = Handle::random().expect("the system has randomness");
    format!("{name}-{random}")
}

pub(super) struct Site(pub(super) Arc<SessionManager>);

impl Site {
    pub(super) fn new(store: Arc<dyn SessionStore>) -> Self {
        Self::with(store, |side| side)
    }

    pub(super) fn with(
        store: Arc<dyn SessionStore>,
        settings: impl FnOnce(ServerSide) -> ServerSide,
    ) -> Self {
        let side = settings(ServerSide::shared(store));
        let manager = SessionManager::new(side, SessionConfig::development());
        Self(Arc::new(manager.expect("the preset is good")))
    }

    /// A whole request, whose cookie the browser keeps.
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

    /// What a request with these cookies finds under `key`; it writes nothing.
    pub(super) async fn look(&self, jar: &Jar, now: Timestamp, key: &str) -> Option<u64> {
        let request = self.open(jar, now).await;
        request.session.get(key).expect("the checks keep numbers")
    }

    /// The first half of a request.
    pub(super) async fn open(&self, jar: &Jar, now: Timestamp) -> Request {
        let slot = self.0.begin();
        let lines = jar.0.iter().map(String::as_bytes);
        let session = self.0.open(&slot, lines, now).await;
        Request {
            session: session.expect("the store works"),
            slot,
            now,
        }
    }
}

/// A request whose handler is at work.
pub(super) struct Request {
    pub(super) session: Session,
    slot: Slot,
    now: Timestamp,
}

impl Request {
    /// The second half.
    pub(super) async fn end(self) -> Result<Effects, CommitError> {
        let manager = Arc::clone(self.slot.manager());
        manager.commit(&self.slot, [], 200, self.now).await
    }
}

/// What a browser keeps: the line of its `Cookie` header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Jar(pub(super) Option<String>);

impl Jar {
    pub(super) fn of(value: &str) -> Self {
        Self(Some(format!("session={value}")))
    }

    /// Follows a `Set-Cookie`, a removal too.
    pub(super) fn keep(&mut self, effects: &Effects) {
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
