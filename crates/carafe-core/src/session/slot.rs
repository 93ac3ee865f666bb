//! The place of a session in a request: empty until somebody uses the session.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Flash, Patch, Seen, SessionData, SessionManager, handle::USER};
use crate::{
    clock::Timestamp,
    json,
    key::KeyUse,
    store::{Record, StoreKey},
    token::{SessionId, TokenError},
};

/// A request's place for its session. An adapter puts one into each request and commits it at the end.
///
/// One allocation; nothing is read before the session is opened.
#[derive(Clone)]
pub struct Slot(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) manager: Arc<SessionManager>,
    /// What the request brought, once somebody has used the session. `None` if nobody had when the request ended.
    found: OnceLock<Option<Found>>,
    /// Whether anybody has looked at the session or changed it.
    accessed: AtomicBool,
    /// Whether anybody has changed the session, be it to what it was. Until then nobody who looks needs `state`.
    changed: AtomicBool,
    /// The changes, once a commit has them: it reads them here, as do those who still look at the session.
    sent: OnceLock<Box<Patch>>,
    // A plain mutex: it is held for the few instructions of one call, never across an await, and
    // contended only by tasks that one request itself has started.
    state: Mutex<State>,
}

/// What the request brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// No session cookie.
    Absent,
    /// One that was verified.
    Valid {
        /// The key that verified it.
        key: KeyUse,
        /// When it was made.
        issued: Timestamp,
    },
    /// An id whose record the store has.
    Stored,
    /// One that was refused; the session is empty.
    Rejected(Rejection),
}

/// Why a request's cookie is treated as if it were not there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The cookie is not a good token.
    Token(TokenError),
    /// The cookie is no id of a session that the store has: expired, ended, or never made by us.
    UnknownId,
    /// The record cannot be read, and [`OnCorrupt::Anonymous`](super::OnCorrupt::Anonymous) is set.
    Unreadable,
    /// Two different cookies with the session's name verify, so that somebody else, such as a
    /// neighbouring subdomain, has set one of them.
    Ambiguous,
}

/// A session as its request found it. Never changes, so that the commit can use it while others still read.
pub(super) struct Found {
    pub(super) loaded: Loaded,
    /// When the session was opened: the request's time for what handlers do.
    pub(super) opened: Timestamp,
    content: Content,
}

/// Where the dictionary is.
enum Content {
    /// Here, because no store has the session.
    Here(SessionData),
    // On the heap, because what was found is moved several times before it lies in its slot.
    Stored(Box<Stored>),
}

/// A look at a session.
#[derive(Clone, Copy)]
pub(super) struct Look<'s> {
    /// The session as the request found it.
    pub(super) found: &'s Found,
    /// What the request has changed.
    pub(super) changes: &'s Patch,
}

/// A session to change it, alone for as long as that lasts.
pub(super) struct View<'s> {
    shared: &'s Shared,
    found: &'s Found,
    state: MutexGuard<'s, State>,
}

/// What changes in a session during its request.
#[derive(Default)]
pub(super) struct State {
    /// The changes, if there are any and no commit has them.
    changes: Option<Box<Patch>>,
    pub(super) ended: bool,
    pub(super) renewed: bool,
    pub(super) logged_in: bool,
    pub(super) insisted: bool,
    pub(super) committed: bool,
    /// What `take_flashes` gave: asking again in one request gives the same, as in Flask.
    pub(super) flashes: Option<Vec<Flash>>,
}

/// What a request has changed that has changed nothing.
static UNCHANGED: Patch = Patch::new();

/// A session as a store gave it.
pub(super) struct Stored {
    pub(super) id: SessionId,
    pub(super) key: StoreKey,
    /// The key that has signed the id; the current one where ids are not signed.
    pub(super) signed_by: KeyUse,
    pub(super) record: Record,
}

impl Slot {
    pub(super) fn new(manager: Arc<SessionManager>) -> Self {
        Self(Arc::new(Shared {
            manager,
            found: OnceLock::new(),
            accessed: AtomicBool::new(false),
            changed: AtomicBool::new(false),
            sent: OnceLock::new(),
            state: Mutex::default(),
        }))
    }

    /// The manager that this slot belongs to.
    #[must_use]
    pub fn manager(&self) -> &Arc<SessionManager> {
        &self.0.manager
    }

    /// Whether anybody has used the session.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.found().is_some()
    }
}

impl Shared {
    /// Takes what `load` finds, unless somebody has used the session: the first find stays. Gives it back
    /// if the request has ended unread.
    pub(super) fn settle(&self, load: impl FnOnce() -> Found) -> Option<Found> {
        let mut load = Some(load);
        match self.found.get_or_init(|| load.take().map(|load| load())) {
            Some(_) => None,
            None => load.map(|load| load()),
        }
    }

    /// Notes that the request has ended, unless somebody has used the session.
    pub(super) fn close(&self) {
        self.found.get_or_init(|| None);
    }

    /// What somebody sees in the session, once it is open.
    pub(super) fn look<R>(&self, see: impl FnOnce(Look<'_>) -> R) -> Option<R> {
        let found = self.found()?;
        self.access();
        let state;
        let changes = match self.is_changed() {
            false => &UNCHANGED,
            true => {
                state = self.state();
                self.changes(&state)
            }
        };
        Some(see(Look { found, changes }))
    }

    /// The session, once somebody has used it.
    pub(super) fn view(&self) -> Option<View<'_>> {
        Some(View {
            shared: self,
            found: self.found()?,
            state: self.state(),
        })
    }

    /// Notes that somebody has looked at the session or changed it.
    pub(super) fn access(&self) {
        self.accessed.store(true, Ordering::Release);
    }

    pub(super) fn is_changed(&self) -> bool {
        self.changed.load(Ordering::Acquire)
    }

    /// The changes that a commit has.
    pub(super) fn sent(&self) -> &Patch {
        self.sent.get().map_or(&UNCHANGED, |patch| patch)
    }

    fn changes<'s>(&'s self, state: &'s State) -> &'s Patch {
        state.changes.as_deref().unwrap_or_else(|| self.sent())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic inside a call leaves a state that is still whole: what may panic comes before the first write.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the request brought, once somebody has used the session.
    pub(super) fn found(&self) -> Option<&Found> {
        self.found.get()?.as_ref()
    }
}

impl Found {
    /// A session that is in no store.
    pub(super) fn new(loaded: Loaded, data: SessionData, opened: Timestamp) -> Self {
        Self {
            loaded,
            opened,
            content: Content::Here(data),
        }
    }

    /// Of a request that brought no good session.
    pub(super) fn nothing(loaded: Loaded, opened: Timestamp) -> Self {
        Self::new(loaded, SessionData::default(), opened)
    }

    /// A session in a store.
    pub(super) fn stored(stored: Box<Stored>, opened: Timestamp) -> Self {
        Self {
            loaded: Loaded::Stored,
            opened,
            content: Content::Stored(stored),
        }
    }

    /// The session in the store.
    pub(super) fn in_store(&self) -> Option<&Stored> {
        match &self.content {
            Content::Stored(stored) => Some(stored),
            Content::Here(_) => None,
        }
    }

    /// The record in the store.
    pub(super) fn record(&self) -> Option<&Record> {
        self.in_store().map(|stored| &stored.record)
    }

    /// The dictionary.
    pub(super) fn data(&self) -> &SessionData {
        match &self.content {
            Content::Stored(stored) => &stored.record.data,
            Content::Here(data) => data,
        }
    }
}

impl<'s> Look<'s> {
    pub(super) fn text_of(self, key: &str) -> Option<&'s str> {
        self.changes.text_of(key, self.found.data())
    }

    pub(super) fn members(self) -> impl Iterator<Item = (&'s str, &'s str)> + Clone {
        self.changes.members(self.found.data())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.leaves_nothing(self.found.data())
    }

    /// The dictionary as JSON text.
    pub(super) fn render(self, style: json::Style) -> String {
        self.changes.render(self.found.data(), style)
    }
}

impl<'s> View<'s> {
    /// The session as the request found it.
    pub(super) const fn found(&self) -> &'s Found {
        self.found
    }

    pub(super) fn is_changed(&self) -> bool {
        self.shared.is_changed()
    }

    pub(super) fn is_accessed(&self) -> bool {
        self.shared.accessed.load(Ordering::Acquire)
    }

    /// What there is to see in the session.
    pub(super) fn look(&self) -> Look<'_> {
        Look {
            found: self.found,
            changes: self.shared.changes(&self.state),
        }
    }

    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.look().text_of(key)
    }

    /// Notes a change.
    pub(super) fn change(&mut self) {
        self.shared.changed.store(true, Ordering::Release);
    }

    /// The changes, to add to them.
    pub(super) fn patch(&mut self) -> &mut Patch {
        self.change();
        self.state.changes.get_or_insert_default()
    }

    /// Gives a commit the changes, with the use that it notes.
    pub(super) fn send(&mut self, seen: Seen) {
        let changes = self.state.changes.take();
        self.shared.sent.get_or_init(|| {
            let mut patch = changes.unwrap_or_default();
            patch.facts.seen = Some(seen);
            patch
        });
    }

    /// Whether the session belongs to a user who no longer stands in its dictionary: `clear`, or the log-out of
    /// Flask-Login, which takes one key away. What is left then begins anew, under a new id and nobody's.
    pub(super) fn user_has_left(&self) -> bool {
        let owner = self.found.record().and_then(|record| record.user.as_ref());
        let Some(owner) = owner.filter(|_| self.is_changed() && !self.logged_in) else {
            return false;
        };
        let named = self
            .text_of(USER)
            .map(|text| json::from_text::<String>(text, true));
        !matches!(named, Some(Ok(user)) if user == *owner)
    }
}

impl Deref for View<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for View<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Rejection {
    /// A short stable word for logs and metrics, such as `bad-signature`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::UnknownId => "unknown-id",
            Self::Unreadable => "unreadable",
            Self::Ambiguous => "ambiguous",
        }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token(error) => error.fmt(f),
            Self::UnknownId => f.write_str("no session has this id"),
            Self::Unreadable => f.write_str("the session's record cannot be read"),
            Self::Ambiguous => f.write_str("two different cookies of this name verify"),
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
