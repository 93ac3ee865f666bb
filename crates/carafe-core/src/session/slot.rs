//! The slot for a request's session: empty until the session is used.

mod shared;

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
};

pub(super) use shared::{ReadView, Shared, WriteGuard};

use super::{RequestHead, SessionManager, flask_login::Client};

/// A request's slot for its session. An adapter creates one per request and commits it at the end.
///
/// A slot is one allocation. Nothing is read before the session is opened.
///
/// ```
/// # use carafe_core::{clock::Timestamp, session::*, store::MemoryStore};
/// # futures_executor::block_on(async {
/// # let side = ServerSide::new(MemoryStore::new());
/// # let manager = SessionManager::new(side, SessionConfig::default())?;
/// # let manager = std::sync::Arc::new(manager);
/// # let now = Timestamp::from_unix(1_700_000_000);
/// let slot = manager.begin();
/// assert!(!slot.is_open());
/// let session = manager.open(&slot, [], now).await?;
/// session.insert("theme", "dark")?;
/// assert!(slot.is_open());
///
/// // Further extractors of the same request get the same session.
/// let again = manager.open(&slot, [], now).await?;
/// assert!(again.contains_key("theme"));
///
/// // After the commit, the response's head is on its way.
/// assert!(manager.commit(&slot, [], 200, now).await?.set_cookie.is_some());
/// assert!(session.contains_key("theme"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Slot(pub(super) Arc<Shared>);

impl Slot {
    pub(super) fn new(manager: Arc<SessionManager>) -> Self {
        Self(Arc::new(Shared::new(manager)))
    }

    /// Returns the manager of this slot.
    #[must_use]
    pub fn manager(&self) -> &Arc<SessionManager> {
        &self.0.manager
    }

    /// Records the request's Fetch Metadata: the value of its `Sec-Fetch-Mode` header, if present.
    ///
    /// Any mode other than `navigate` makes this a background request
    /// ([`Refresh::WhenUsed`](super::Refresh)).
    ///
    /// A background request of a page does not refresh a client-side session:
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, key::SecretKey, session::*};
    /// # futures_executor::block_on(async {
    /// let key = SecretKey::new(SecretKey::random_text()?.as_bytes())?;
    /// let side = ClientSide::encrypted(key, "shop");
    /// let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::default())?);
    /// let (now, next_day) = (Timestamp::from_unix(0), Timestamp::from_unix(86_400));
    /// let slot = manager.begin();
    /// manager.open(&slot, [], now).await?.insert("theme", "dark")?;
    /// let line = manager.commit(&slot, [], 200, now).await?.set_cookie.unwrap_or_default();
    /// let cookie = line.split(';').next().unwrap_or_default().as_bytes();
    ///
    /// let refreshes = async |mode: &[u8]| -> Result<bool, Box<dyn std::error::Error>> {
    ///     let slot = manager.begin();
    ///     slot.set_fetch_mode(Some(mode));
    ///     manager.open(&slot, [cookie], next_day).await?.len();
    ///     Ok(manager.commit(&slot, [], 200, next_day).await?.set_cookie.is_some())
    /// };
    /// assert!(refreshes(b"navigate").await?);
    /// assert!(!refreshes(b"cors").await?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn set_fetch_mode(&self, mode: Option<&[u8]>) {
        let background = mode.is_some_and(|mode| mode != b"navigate");
        self.0.background.store(background, Ordering::Relaxed);
    }

    /// Records the token that the request presents outside its cookies.
    ///
    /// An adapter calls this for each request, before the session is opened. Has no effect if the
    /// cookie is the only [transport](super::Transport).
    pub fn note_token(&self, head: &impl RequestHead) {
        let transports = &self.0.manager.transports;
        if transports.is_cookie_only() || self.0.presented.get().is_some() {
            return;
        }
        if let Some((place, presented)) = transports.presented(head) {
            self.0.answer_in(place);
            self.0.presented.get_or_init(|| presented);
        }
    }

    /// Returns whether the request presents a session's token outside its cookies.
    ///
    /// A browser does not send such a token automatically, so the request is not forged across
    /// sites.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore};
    /// # struct Head(&'static [(&'static str, &'static str)]);
    /// # impl RequestHead for Head {
    /// #     fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
    /// #         let named = self.0.iter().filter(move |(known, _)| *known == name);
    /// #         named.map(|(_, value)| value.as_bytes())
    /// #     }
    /// # }
    /// let config = SessionConfig::default()
    ///     .with_transports([Transport::cookie(), Transport::bearer("x-session-token")]);
    /// let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config)?;
    /// let manager = std::sync::Arc::new(manager);
    /// let presents = |headers| {
    ///     let slot = manager.begin();
    ///     slot.note_token(&Head(headers));
    ///     slot.presents_token()
    /// };
    /// assert!(presents(&[("authorization", "Bearer abc")]));
    /// assert!(!presents(&[("authorization", "Basic abc")]), "another scheme");
    /// assert!(!presents(&[("cookie", "session=abc")]));
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    #[must_use]
    pub fn presents_token(&self) -> bool {
        self.0.presented.get().is_some()
    }

    /// Records the client for the session protection of [`FlaskLogin`](super::FlaskLogin).
    ///
    /// Has no effect without session protection. Takes the values of `X-Forwarded-For` and
    /// `User-Agent`, and the peer's address if known.
    pub fn note_client(
        &self,
        forwarded_for: Option<&[u8]>,
        peer: Option<IpAddr>,
        user_agent: Option<&[u8]>,
    ) {
        if self.0.manager.notes_clients()
            && self.0.client.get().is_none()
            && let Some(client) = Client::new(forwarded_for, peer, user_agent)
        {
            self.0.client.get_or_init(|| client);
        }
    }

    /// Returns whether the session has been used.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.found().is_some()
    }

    /// Returns whether a commit has given the session an ID under which it has not been loaded yet.
    pub(super) fn has_unread_id(&self) -> bool {
        self.0.layered.load(Ordering::Acquire) && self.0.state().last_id.is_some()
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slot {{ open: {} }}", self.is_open())
    }
}

#[cfg(test)]
mod tests;
