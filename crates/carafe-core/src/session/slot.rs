//! The slot for a request's session: empty until the session is used.

use std::{
    net::IpAddr,
    ops::{Deref, DerefMut},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::Waker,
    time::Duration,
};

use super::{
    Access, Flash, Loaded, Patch, RequestHead, SessionError, SessionManager,
    flask_login::Client,
    keys::{LIFETIME, PERMANENT, USER},
    lifetime,
    loaded::LoadedSession,
    transport::{Presented, Transport},
};
use crate::{
    json,
    store::{ClientKind, Record},
    token::SessionId,
};

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

pub(super) struct Shared {
    pub(super) manager: Arc<SessionManager>,
    /// The loaded session. `None` if the request finished without a use of the session.
    found: OnceLock<Option<LoadedSession>>,
    /// Whether the session was read or changed.
    accessed: AtomicBool,
    /// Whether a change is waiting to be committed, possibly to an equal value.
    changed: AtomicBool,
    /// Whether the session was changed or rebased, so that `state` affects it.
    layered: AtomicBool,
    /// Whether the request was made in the background: [`Slot::set_fetch_mode`].
    background: AtomicBool,
    /// Whether the response must not be stored by caches.
    no_store: AtomicBool,
    /// Whether the request has Flask-Login's "remember me" cookie.
    remembered: AtomicBool,
    /// The token that the request presents outside its cookies.
    presented: OnceLock<Presented>,
    /// The index of the transport that carries a new token, or [`FIRST`].
    outlet: AtomicU8,
    /// The request's client, if Flask-Login's session protection needs it.
    client: OnceLock<Client>,
    /// The changes taken by the final commit, which stay visible to readers.
    sent: OnceLock<Box<Patch>>,
    // A plain mutex, held only briefly and never across an await. Only tasks spawned by the request
    // itself contend for it.
    state: Mutex<State>,
}

/// The session that a commit is based on.
pub(super) enum Base<'s> {
    First(&'s LoadedSession),
    Later(Arc<LoadedSession>),
}

impl Deref for Base<'_> {
    type Target = LoadedSession;

    fn deref(&self) -> &LoadedSession {
        match self {
            Self::First(found) => found,
            Self::Later(found) => found,
        }
    }
}

/// A read-only view of a session.
#[derive(Clone, Copy)]
pub(super) struct ReadView<'s> {
    /// The session as the request loaded it.
    pub(super) found: &'s LoadedSession,
    /// The changes of the request.
    pub(super) changes: &'s Patch,
}

/// Exclusive access to a session.
pub(super) struct WriteGuard<'s> {
    shared: &'s Shared,
    first: &'s LoadedSession,
    state: MutexGuard<'s, State>,
}

/// The mutable state of a session during its request.
#[derive(Default)]
pub(super) struct State {
    /// The changes that no commit has taken yet.
    changes: Option<Box<Patch>>,
    /// The session as the previous commit left it. The changes are relative to this session.
    rebased: Option<Arc<LoadedSession>>,
    /// Whether the handler has changed the session itself.
    ///
    /// Otherwise the request has only taken flash messages or recorded a device. Such changes are
    /// dropped if they come too late.
    pub(super) wrote: bool,
    /// `log_out` was called.
    pub(super) ended: bool,
    /// `renew` was called.
    pub(super) renewed: bool,
    /// `log_in` was called.
    pub(super) logged_in: bool,
    /// `begin_login` was called.
    pub(super) began_login: bool,
    /// Changes are saved regardless of the response's status.
    pub(super) insisted: bool,
    /// A commit during the request gave the session an ID that the browser does not have yet.
    pub(super) unannounced: bool,
    /// A commit during the request found that the session is gone, so later changes fail.
    pub(super) gone: bool,
    /// The request has been committed, and the response's head is about to be sent.
    pub(super) committed: bool,
    /// Whether `rebased` includes the changes of the final commit, because later changes have
    /// begun.
    folded: bool,
    /// The ID from the last commit, until the session is loaded under it.
    pub(super) last_id: Option<Box<SessionId>>,
    /// Whether a commit of the handler is in progress.
    pub(super) committing: bool,
    /// The commits that wait for the one in progress.
    #[expect(
        clippy::box_collection,
        reason = "rare, and each request moves the slot once"
    )]
    pub(super) waiting: Option<Box<Vec<Waker>>>,
    /// The result of `take_flashes`, which further calls in the request return, too, as in Flask.
    pub(super) flashes: Option<Box<[Flash]>>,
}

/// Marks the first transport, which carries the new token of a request without a token.
const FIRST: u8 = u8::MAX;

/// The changes of an unchanged session.
static UNCHANGED: Patch = Patch::new();

impl Slot {
    pub(super) fn new(manager: Arc<SessionManager>) -> Self {
        Self(Arc::new(Shared {
            manager,
            found: OnceLock::new(),
            accessed: AtomicBool::new(false),
            changed: AtomicBool::new(false),
            layered: AtomicBool::new(false),
            background: AtomicBool::new(false),
            no_store: AtomicBool::new(false),
            remembered: AtomicBool::new(false),
            presented: OnceLock::new(),
            outlet: AtomicU8::new(FIRST),
            client: OnceLock::new(),
            sent: OnceLock::new(),
            state: Mutex::default(),
        }))
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

impl Shared {
    /// Stores the result of `load`, unless the session is already loaded.
    ///
    /// Returns the result instead if the slot is closed.
    pub(super) fn load_once(&self, load: impl FnOnce() -> LoadedSession) -> Option<LoadedSession> {
        let mut load = Some(load);
        match self.found.get_or_init(|| load.take().map(|load| load())) {
            Some(_) => None,
            None => load.map(|load| load()),
        }
    }

    /// Closes the slot, unless the session has been used.
    pub(super) fn close(&self) {
        self.found.get_or_init(|| None);
    }

    /// Calls `see` with a view of the session, if the slot is open.
    pub(super) fn look<R>(&self, see: impl FnOnce(ReadView<'_>) -> R) -> Option<R> {
        let found = self.found()?;
        self.access();
        if !self.layered.load(Ordering::Acquire) {
            let changes = &UNCHANGED;
            return Some(see(ReadView { found, changes }));
        }
        let state = self.state();
        Some(see(ReadView {
            found: state.rebased.as_deref().unwrap_or(found),
            changes: self.changes(&state),
        }))
    }

    /// Returns exclusive access to the session, if the slot is open.
    pub(super) fn view(&self) -> Option<WriteGuard<'_>> {
        Some(WriteGuard {
            shared: self,
            first: self.found()?,
            state: self.state(),
        })
    }

    /// Records that the session was read or changed.
    pub(super) fn access(&self) {
        self.accessed.store(true, Ordering::Release);
    }

    pub(super) fn is_changed(&self) -> bool {
        self.changed.load(Ordering::Acquire)
    }

    /// Returns the session that the next commit is based on.
    pub(super) fn base(&self) -> Option<Base<'_>> {
        let first = self.found()?;
        Some(match self.layered.load(Ordering::Acquire) {
            false => Base::First(first),
            true => match &self.state().rebased {
                Some(rebased) => Base::Later(Arc::clone(rebased)),
                None => Base::First(first),
            },
        })
    }

    /// Records the ID that the final commit has given the session.
    pub(super) fn note_id(&self, id: &SessionId) {
        self.state().last_id = Some(Box::new(id.clone()));
    }

    pub(super) fn forbid_storing(&self) {
        self.no_store.store(true, Ordering::Release);
    }

    pub(super) fn forbids_storing(&self) -> bool {
        self.no_store.load(Ordering::Acquire)
    }

    pub(super) fn presented(&self) -> Option<&Presented> {
        self.presented.get()
    }

    /// Selects the transport of a new token, unless one is selected.
    ///
    /// Returns whether `place` is selected now.
    pub(super) fn answer_in(&self, place: u8) -> bool {
        let (order, outlet) = (Ordering::AcqRel, &self.outlet);
        match outlet.compare_exchange(FIRST, place, order, Ordering::Acquire) {
            Ok(_) => true,
            Err(known) => known == place,
        }
    }

    /// Returns the transport of a new token.
    pub(super) fn transport(&self) -> &Transport {
        let place = self.outlet.load(Ordering::Acquire);
        self.manager
            .transports
            .at((place != FIRST).then_some(place))
    }

    /// Returns the kind of client that a new session belongs to.
    pub(super) fn client_kind(&self) -> ClientKind {
        self.transport().kind().client()
    }

    pub(super) fn remember(&self) {
        self.remembered.store(true, Ordering::Release);
    }

    pub(super) fn is_remembered(&self) -> bool {
        self.remembered.load(Ordering::Acquire)
    }

    pub(super) fn client(&self) -> Option<&Client> {
        self.client.get()
    }

    /// Returns the changes taken by the final commit.
    pub(super) fn sent(&self) -> &Patch {
        self.sent.get().map_or(&UNCHANGED, |patch| patch)
    }

    pub(super) fn is_background(&self) -> bool {
        // A client of another transport processes responses itself.
        self.presented.get().is_none() && self.background.load(Ordering::Relaxed)
    }

    fn changes<'s>(&'s self, state: &'s State) -> &'s Patch {
        match &state.changes {
            Some(changes) => changes,
            None if state.folded => &UNCHANGED,
            None => self.sent(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic inside a call leaves consistent state, because all code that can panic runs
        // before the first write.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the loaded session, if the slot is open.
    pub(super) fn found(&self) -> Option<&LoadedSession> {
        self.found.get()?.as_ref()
    }
}

impl<'s> ReadView<'s> {
    pub(super) fn text_of(self, key: &str) -> Option<&'s str> {
        self.changes.text_of(key, self.found.data())
    }

    pub(super) fn members(self) -> impl Iterator<Item = (&'s str, &'s str)> + Clone {
        self.changes.members(self.found.data())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.leaves_nothing(self.found.data())
    }

    /// Returns the lifetime that the session has set.
    pub(super) fn lifetime(self) -> Option<Duration> {
        self.text_of(LIFETIME).and_then(lifetime::parse)
    }

    pub(super) fn is_permanent(&self) -> bool {
        lifetime::is_permanent(self.text_of(PERMANENT))
    }

    /// Returns the dictionary as JSON text.
    pub(super) fn render(self, style: json::JsonDialect) -> String {
        self.changes.render(self.found.data(), style)
    }
}

impl WriteGuard<'_> {
    /// Returns the session as loaded, or as the previous commit during the request left it.
    pub(super) fn found(&self) -> &LoadedSession {
        self.state.rebased.as_deref().unwrap_or(self.first)
    }

    pub(super) fn is_changed(&self) -> bool {
        self.shared.is_changed()
    }

    pub(super) fn is_background(&self) -> bool {
        self.shared.is_background()
    }

    /// Returns whether the dictionary was changed, as opposed to metadata.
    pub(super) fn changes_keys(&self) -> bool {
        let changes = self.state.changes.as_ref();
        changes.is_some_and(|changes| !changes.is_empty())
    }

    pub(super) fn is_accessed(&self) -> bool {
        self.shared.accessed.load(Ordering::Acquire)
    }

    /// Returns a view of the session.
    pub(super) fn look(&self) -> ReadView<'_> {
        ReadView {
            found: self.found(),
            changes: self.shared.changes(&self.state),
        }
    }

    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.look().text_of(key)
    }

    /// Marks the session as changed.
    pub(super) fn change(&mut self) {
        self.shared.layered.store(true, Ordering::Release);
        self.shared.changed.store(true, Ordering::Release);
    }

    /// Returns the changes, to extend them.
    pub(super) fn patch(&mut self) -> &mut Patch {
        self.change();
        self.state.changes.get_or_insert_default()
    }

    /// Marks the session as ended by a log-out.
    pub(super) fn end(&mut self) {
        self.patch().clear();
        self.state.ended = true;
    }

    /// Returns an error if the response's head, which carries out the change, has been sent.
    pub(super) fn admit_before_head(&mut self) -> Result<(), SessionError> {
        if self.state.committed && !self.state.gone {
            return Err(SessionError::AlreadySent);
        }
        self.admit_change()
    }

    /// Returns an error if the session can no longer be changed.
    ///
    /// After the response's head is sent, only a session in a store can be changed, because a later
    /// commit then needs no header.
    pub(super) fn admit_change(&mut self) -> Result<(), SessionError> {
        if self.state.gone {
            return Err(SessionError::Gone);
        }
        if !self.state.committed {
            return Ok(());
        }
        if self.found().in_store().is_none() && self.state.last_id.is_none() {
            return Err(SessionError::AlreadySent);
        }
        if !self.state.folded {
            let base = self.found();
            let sent = self.shared.sent();
            let data = sent.applied(base.data(), Record::STYLE);
            let data = data.unwrap_or_else(|_| base.data().clone());
            let stored = base.in_store().filter(|_| self.state.last_id.is_none());
            let folded = match stored {
                Some(stored) => {
                    let mut stored = stored.clone();
                    stored.record.data = data;
                    LoadedSession::stored(stored, base.opened)
                }
                None => LoadedSession::new(Loaded::Stored, data, base.opened),
            };
            self.rebase(folded);
            // The final commit has already carried out the earlier calls.
            let state = &mut *self.state;
            (state.ended, state.renewed, state.logged_in) = (false, false, false);
            (state.began_login, state.wrote, state.folded) = (false, false, true);
        }
        Ok(())
    }

    /// Replaces the base of the session, with uncommitted changes applied on top.
    pub(super) fn rebase(&mut self, found: LoadedSession) {
        self.shared.layered.store(true, Ordering::Release);
        self.state.rebased = Some(Arc::new(found));
    }

    /// Takes the changes for a commit during the request.
    pub(super) fn take_changes(&mut self) -> Box<Patch> {
        self.shared.changed.store(false, Ordering::Release);
        self.state.changes.take().unwrap_or_default()
    }

    /// Restores the changes of a failed commit, before later changes.
    pub(super) fn restore_changes(&mut self, mut changes: Box<Patch>) {
        if let Some(later) = self.state.changes.take() {
            changes.append(*later);
        }
        self.change();
        self.state.changes = Some(changes);
    }

    /// Passes the changes to the final commit, together with the use that the commit records.
    pub(super) fn send(&mut self, seen: Access) {
        let changes = self.state.changes.take();
        self.shared.sent.get_or_init(|| {
            let mut patch = changes.unwrap_or_default();
            patch.facts.seen = Some(seen);
            patch
        });
    }

    /// Returns whether the session belongs to a user who is no longer named in its dictionary.
    ///
    /// This happens after `clear` and after Flask-Login's log-out, which removes one key. The
    /// remaining values then become a new session without a user.
    pub(super) fn user_has_left(&self) -> bool {
        let owner = self
            .found()
            .record()
            .and_then(|record| record.meta.user.as_ref());
        let Some(owner) = owner.filter(|_| self.is_changed() && !self.logged_in) else {
            return false;
        };
        let named = self
            .text_of(USER)
            .map(|text| json::from_text::<String>(text, true));
        !matches!(named, Some(Ok(user)) if user == *owner)
    }
}

impl Deref for WriteGuard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for WriteGuard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Shared {
    /// Logs changes after the end of the request that were never committed.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.folded && state.changes.is_some() && !state.gone {
            tracing::warn!(
                "changes of a session after its response's head were never committed and are lost"
            );
        }
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slot {{ open: {} }}", self.is_open())
    }
}

#[cfg(test)]
mod tests;
