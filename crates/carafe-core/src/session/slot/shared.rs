//! What the clones of a slot share: the loaded session, and its changes under a lock.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::Waker,
    time::Duration,
};

use crate::{
    json,
    session::{
        Access, Flash, Loaded, Patch, SessionError, SessionManager,
        flask_login::Client,
        keys::{LIFETIME, PERMANENT, USER},
        lifetime,
        loaded::LoadedSession,
        transport::{Presented, Transport},
    },
    store::{ClientKind, Record},
    token::SessionId,
};

pub(in crate::session) struct Shared {
    pub(in crate::session) manager: Arc<SessionManager>,
    /// The loaded session. `None` if the request finished without a use of the session.
    found: OnceLock<Option<LoadedSession>>,
    /// Whether the session was read or changed.
    accessed: AtomicBool,
    /// Whether a change is waiting to be committed, possibly to an equal value.
    changed: AtomicBool,
    /// Whether the session was changed or rebased, so that `state` affects it.
    pub(super) layered: AtomicBool,
    /// Whether the request was made in the background: [`Slot::set_fetch_mode`](super::Slot::set_fetch_mode).
    pub(super) background: AtomicBool,
    /// Whether the response must not be stored by caches.
    no_store: AtomicBool,
    /// Whether the request has Flask-Login's "remember me" cookie.
    remembered: AtomicBool,
    /// The token that the request presents outside its cookies.
    pub(super) presented: OnceLock<Presented>,
    /// The index of the transport that carries a new token, or [`FIRST`].
    outlet: AtomicU8,
    /// The request's client, if Flask-Login's session protection needs it.
    pub(super) client: OnceLock<Client>,
    /// The changes taken by the final commit, which stay visible to readers.
    sent: OnceLock<Box<Patch>>,
    // A plain mutex, held only briefly and never across an await. Only tasks spawned by the request
    // itself contend for it.
    state: Mutex<State>,
}

/// The session that a commit is based on.
pub(in crate::session) enum Base<'s> {
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
pub(in crate::session) struct ReadView<'s> {
    /// The session as the request loaded it.
    pub(in crate::session) found: &'s LoadedSession,
    /// The changes of the request.
    pub(in crate::session) changes: &'s Patch,
}

/// Exclusive access to a session.
pub(in crate::session) struct WriteGuard<'s> {
    shared: &'s Shared,
    first: &'s LoadedSession,
    state: MutexGuard<'s, State>,
}

/// The mutable state of a session during its request.
#[derive(Default)]
pub(in crate::session) struct State {
    /// The changes that no commit has taken yet.
    changes: Option<Box<Patch>>,
    /// The session as the previous commit left it. The changes are relative to this session.
    rebased: Option<Arc<LoadedSession>>,
    /// Whether the handler has changed the session itself.
    ///
    /// Otherwise the request has only taken flash messages or recorded a device. Such changes are
    /// dropped if they come too late.
    pub(in crate::session) wrote: bool,
    /// `log_out` was called.
    pub(in crate::session) ended: bool,
    /// `renew` was called.
    pub(in crate::session) renewed: bool,
    /// `log_in` was called.
    pub(in crate::session) logged_in: bool,
    /// `begin_login` was called.
    pub(in crate::session) began_login: bool,
    /// Changes are saved regardless of the response's status.
    pub(in crate::session) insisted: bool,
    /// A commit during the request gave the session an ID that the browser does not have yet.
    pub(in crate::session) unannounced: bool,
    /// A commit during the request found that the session is gone, so later changes fail.
    pub(in crate::session) gone: bool,
    /// The request has been committed, and the response's head is about to be sent.
    pub(in crate::session) committed: bool,
    /// Whether `rebased` includes the changes of the final commit, because later changes have
    /// begun.
    folded: bool,
    /// The ID from the last commit, until the session is loaded under it.
    pub(in crate::session) last_id: Option<Box<SessionId>>,
    /// Whether a commit of the handler is in progress.
    pub(in crate::session) committing: bool,
    /// The commits that wait for the one in progress.
    #[expect(
        clippy::box_collection,
        reason = "rare, and each request moves the slot once"
    )]
    pub(in crate::session) waiting: Option<Box<Vec<Waker>>>,
    /// The result of `take_flashes`, which further calls in the request return, too, as in Flask.
    pub(in crate::session) flashes: Option<Box<[Flash]>>,
}

/// Marks the first transport, which carries the new token of a request without a token.
const FIRST: u8 = u8::MAX;

/// The changes of an unchanged session.
static UNCHANGED: Patch = Patch::new();

impl Shared {
    pub(super) fn new(manager: Arc<SessionManager>) -> Self {
        Self {
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
        }
    }

    /// Stores the result of `load`, unless the session is already loaded.
    ///
    /// Returns the result instead if the slot is closed.
    pub(in crate::session) fn load_once(
        &self,
        load: impl FnOnce() -> LoadedSession,
    ) -> Option<LoadedSession> {
        let mut load = Some(load);
        match self.found.get_or_init(|| load.take().map(|load| load())) {
            Some(_) => None,
            None => load.map(|load| load()),
        }
    }

    /// Closes the slot, unless the session has been used.
    pub(in crate::session) fn close(&self) {
        self.found.get_or_init(|| None);
    }

    /// Calls `see` with a view of the session, if the slot is open.
    pub(in crate::session) fn look<R>(&self, see: impl FnOnce(ReadView<'_>) -> R) -> Option<R> {
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
    pub(in crate::session) fn view(&self) -> Option<WriteGuard<'_>> {
        Some(WriteGuard {
            shared: self,
            first: self.found()?,
            state: self.state(),
        })
    }

    /// Records that the session was read or changed.
    pub(in crate::session) fn access(&self) {
        self.accessed.store(true, Ordering::Release);
    }

    pub(in crate::session) fn is_changed(&self) -> bool {
        self.changed.load(Ordering::Acquire)
    }

    /// Returns the session that the next commit is based on.
    pub(in crate::session) fn base(&self) -> Option<Base<'_>> {
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
    pub(in crate::session) fn note_id(&self, id: &SessionId) {
        self.state().last_id = Some(Box::new(id.clone()));
    }

    pub(in crate::session) fn forbid_storing(&self) {
        self.no_store.store(true, Ordering::Release);
    }

    pub(in crate::session) fn forbids_storing(&self) -> bool {
        self.no_store.load(Ordering::Acquire)
    }

    pub(in crate::session) fn presented(&self) -> Option<&Presented> {
        self.presented.get()
    }

    /// Selects the transport of a new token, unless one is selected.
    ///
    /// Returns whether `place` is selected now.
    pub(in crate::session) fn answer_in(&self, place: u8) -> bool {
        let (order, outlet) = (Ordering::AcqRel, &self.outlet);
        match outlet.compare_exchange(FIRST, place, order, Ordering::Acquire) {
            Ok(_) => true,
            Err(known) => known == place,
        }
    }

    /// Returns the transport of a new token.
    pub(in crate::session) fn transport(&self) -> &Transport {
        let place = self.outlet.load(Ordering::Acquire);
        self.manager
            .transports
            .at((place != FIRST).then_some(place))
    }

    /// Returns the kind of client that a new session belongs to.
    pub(in crate::session) fn client_kind(&self) -> ClientKind {
        self.transport().kind().client()
    }

    pub(in crate::session) fn remember(&self) {
        self.remembered.store(true, Ordering::Release);
    }

    pub(in crate::session) fn is_remembered(&self) -> bool {
        self.remembered.load(Ordering::Acquire)
    }

    pub(in crate::session) fn client(&self) -> Option<&Client> {
        self.client.get()
    }

    /// Returns the changes taken by the final commit.
    pub(in crate::session) fn sent(&self) -> &Patch {
        self.sent.get().map_or(&UNCHANGED, |patch| patch)
    }

    pub(in crate::session) fn is_background(&self) -> bool {
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

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A panic inside a call leaves consistent state, because all code that can panic runs
        // before the first write.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the loaded session, if the slot is open.
    pub(in crate::session) fn found(&self) -> Option<&LoadedSession> {
        self.found.get()?.as_ref()
    }
}

impl<'s> ReadView<'s> {
    pub(in crate::session) fn text_of(self, key: &str) -> Option<&'s str> {
        self.changes.text_of(key, self.found.data())
    }

    pub(in crate::session) fn members(self) -> impl Iterator<Item = (&'s str, &'s str)> + Clone {
        self.changes.members(self.found.data())
    }

    pub(in crate::session) fn is_empty(&self) -> bool {
        self.changes.leaves_nothing(self.found.data())
    }

    /// Returns the lifetime that the session has set.
    pub(in crate::session) fn lifetime(self) -> Option<Duration> {
        self.text_of(LIFETIME).and_then(lifetime::parse)
    }

    pub(in crate::session) fn is_permanent(&self) -> bool {
        lifetime::is_permanent(self.text_of(PERMANENT))
    }

    /// Returns the dictionary as JSON text.
    pub(in crate::session) fn render(self, style: json::JsonDialect) -> String {
        self.changes.render(self.found.data(), style)
    }
}

impl WriteGuard<'_> {
    /// Returns the session as loaded, or as the previous commit during the request left it.
    pub(in crate::session) fn found(&self) -> &LoadedSession {
        self.state.rebased.as_deref().unwrap_or(self.first)
    }

    pub(in crate::session) fn is_changed(&self) -> bool {
        self.shared.is_changed()
    }

    pub(in crate::session) fn is_background(&self) -> bool {
        self.shared.is_background()
    }

    /// Returns whether the dictionary was changed, as opposed to metadata.
    pub(in crate::session) fn changes_keys(&self) -> bool {
        let changes = self.state.changes.as_ref();
        changes.is_some_and(|changes| !changes.is_empty())
    }

    pub(in crate::session) fn is_accessed(&self) -> bool {
        self.shared.accessed.load(Ordering::Acquire)
    }

    /// Returns a view of the session.
    pub(in crate::session) fn look(&self) -> ReadView<'_> {
        ReadView {
            found: self.found(),
            changes: self.shared.changes(&self.state),
        }
    }

    pub(in crate::session) fn text_of(&self, key: &str) -> Option<&str> {
        self.look().text_of(key)
    }

    /// Marks the session as changed.
    pub(in crate::session) fn change(&mut self) {
        self.shared.layered.store(true, Ordering::Release);
        self.shared.changed.store(true, Ordering::Release);
    }

    /// Returns the changes, to extend them.
    pub(in crate::session) fn patch(&mut self) -> &mut Patch {
        self.change();
        self.state.changes.get_or_insert_default()
    }

    /// Marks the session as ended by a log-out.
    pub(in crate::session) fn end(&mut self) {
        self.patch().clear();
        self.state.ended = true;
    }

    /// Returns an error if the response's head, which carries out the change, has been sent.
    pub(in crate::session) fn admit_before_head(&mut self) -> Result<(), SessionError> {
        if self.state.committed && !self.state.gone {
            return Err(SessionError::AlreadySent);
        }
        self.admit_change()
    }

    /// Returns an error if the session can no longer be changed.
    ///
    /// After the response's head is sent, only a session in a store can be changed, because a later
    /// commit then needs no header.
    pub(in crate::session) fn admit_change(&mut self) -> Result<(), SessionError> {
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
    pub(in crate::session) fn rebase(&mut self, found: LoadedSession) {
        self.shared.layered.store(true, Ordering::Release);
        self.state.rebased = Some(Arc::new(found));
    }

    /// Takes the changes for a commit during the request.
    pub(in crate::session) fn take_changes(&mut self) -> Box<Patch> {
        self.shared.changed.store(false, Ordering::Release);
        self.state.changes.take().unwrap_or_default()
    }

    /// Restores the changes of a failed commit, before later changes.
    pub(in crate::session) fn restore_changes(&mut self, mut changes: Box<Patch>) {
        if let Some(later) = self.state.changes.take() {
            changes.append(*later);
        }
        self.change();
        self.state.changes = Some(changes);
    }

    /// Passes the changes to the final commit, together with the use that the commit records.
    pub(in crate::session) fn send(&mut self, seen: Access) {
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
    pub(in crate::session) fn user_has_left(&self) -> bool {
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
