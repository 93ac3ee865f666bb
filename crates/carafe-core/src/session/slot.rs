//! The place of a session in a request: empty until somebody uses the session.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

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
    settled: OnceLock<Settled>,
}

/// What became of a session in its request, once and for all.
#[expect(
    clippy::large_enum_variant,
    reason = "a box would cost each request with a session an allocation"
)]
enum Settled {
    /// Somebody has used it.
    // A plain mutex: it is held for the few instructions of one call, never across an await, and
    // contended only by tasks that one request itself has started.
    Read(Mutex<State>),
    /// Nobody had used it when the request ended, so nothing was read.
    Unread,
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
    /// Two different cookies with the session's name verify, so that somebody else, such as a
    /// neighbouring subdomain, has set one of them.
    Ambiguous,
}

/// The session of one request.
pub(super) struct State {
    pub(super) loaded: Loaded,
    /// When the session was opened: the request's time for what handlers do.
    pub(super) opened: Timestamp,
    /// The session in the store. Shared with the commit, which needs it while others may still read.
    pub(super) stored: Option<Arc<Stored>>,
    /// The dictionary of a session that is in no store.
    pub(super) data: SessionData,
    /// The changes, until the commit has them.
    pub(super) patch: Patch,
    /// The changes, once the commit has them. Shared, as `stored` is.
    pub(super) sent: Option<Arc<Patch>>,
    pub(super) accessed: bool,
    pub(super) modified: bool,
    pub(super) ended: bool,
    pub(super) renewed: bool,
    pub(super) logged_in: bool,
    pub(super) insisted: bool,
    pub(super) committed: bool,
    /// What `take_flashes` gave: asking again in one request gives the same, as in Flask.
    pub(super) flashes: Option<Vec<Flash>>,
}

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
            settled: OnceLock::new(),
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
        matches!(self.0.settled.get(), Some(Settled::Read(_)))
    }
}

impl Shared {
    /// Takes what `load` reads, unless somebody has used the session: the first state stays. Gives it back
    /// if the request has ended unread.
    pub(super) fn settle(&self, load: impl FnOnce() -> State) -> Option<State> {
        let mut load = Some(load);
        let read = || Settled::Read(Mutex::new(load.take().expect("the closure runs once")()));
        match self.settled.get_or_init(read) {
            Settled::Read(_) => None,
            Settled::Unread => load.map(|load| load()),
        }
    }

    /// Notes that the request has ended, unless somebody has used the session.
    pub(super) fn close(&self) {
        self.settled.get_or_init(|| Settled::Unread);
    }

    /// The state, once somebody has used the session.
    pub(super) fn state(&self) -> Option<MutexGuard<'_, State>> {
        match self.settled.get()? {
            // A panic inside a call leaves a state that is still whole: each call writes one field last.
            Settled::Read(state) => Some(state.lock().unwrap_or_else(PoisonError::into_inner)),
            Settled::Unread => None,
        }
    }
}

impl State {
    pub(super) fn new(loaded: Loaded, data: SessionData, opened: Timestamp) -> Self {
        Self {
            loaded,
            opened,
            stored: None,
            data,
            patch: Patch::default(),
            sent: None,
            accessed: false,
            modified: false,
            ended: false,
            renewed: false,
            logged_in: false,
            insisted: false,
            committed: false,
            flashes: None,
        }
    }

    /// Of a request that brought no good session.
    pub(super) fn empty(loaded: Loaded, opened: Timestamp) -> Self {
        Self::new(loaded, SessionData::default(), opened)
    }

    /// Of a request that a store was asked for.
    pub(super) fn found(loaded: Loaded, stored: Option<Arc<Stored>>, opened: Timestamp) -> Self {
        Self {
            stored,
            ..Self::empty(loaded, opened)
        }
    }

    /// The changes for a commit, with the use that it notes. They can be read here as before.
    pub(super) fn send(&mut self, seen: Seen) -> Arc<Patch> {
        let mut patch = match self.sent.take() {
            Some(sent) => Arc::unwrap_or_clone(sent),
            None => std::mem::take(&mut self.patch),
        };
        patch.facts.seen = Some(seen);
        Arc::clone(self.sent.insert(Arc::new(patch)))
    }

    /// Whether the session belongs to a user who no longer stands in its dictionary: `clear`, or the log-out of
    /// Flask-Login, which takes one key away. What is left then begins anew, under a new id and nobody's.
    pub(super) fn user_has_left(&self) -> bool {
        let owner = self
            .stored
            .as_ref()
            .and_then(|stored| stored.record.user.as_ref());
        let Some(owner) = owner.filter(|_| self.modified && !self.logged_in) else {
            return false;
        };
        let named = self
            .text_of(USER)
            .map(|text| json::from_text::<String>(text, true));
        !matches!(named, Some(Ok(user)) if user == *owner)
    }

    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.changes().text_of(key, self.loaded_data())
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.changes().members(self.loaded_data())
    }

    /// What the request has changed.
    pub(super) fn changes(&self) -> &Patch {
        self.sent.as_deref().unwrap_or(&self.patch)
    }

    /// The dictionary as the request found it.
    pub(super) fn loaded_data(&self) -> &SessionData {
        match &self.stored {
            Some(stored) => &stored.record.data,
            None => &self.data,
        }
    }
}

impl Rejection {
    /// A short stable word for logs and metrics, such as `bad-signature`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::UnknownId => "unknown-id",
            Self::Ambiguous => "ambiguous",
        }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token(error) => error.fmt(f),
            Self::UnknownId => f.write_str("no session has this id"),
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
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::{
        session::{ServerSide, Session, SessionConfig, SessionError},
        store::MemoryStore,
    };

    const NOON: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn opened(manager: &Arc<SessionManager>, cookie: &str) -> (Slot, Session) {
        let slot = manager.begin();
        let session = block_on(manager.open(&slot, [cookie.as_bytes()], NOON));
        (slot, session.expect("the store works"))
    }

    fn committed(slot: &Slot) -> Option<String> {
        let effects = block_on(slot.manager().commit(slot, [], 200, NOON));
        effects.expect("the store works").set_cookie
    }

    fn assert_reads(session: &Session) {
        let numbers = ["a", "b", "c"].map(|key| session.get::<u8>(key).expect("it is a number"));
        assert_eq!(numbers, [Some(3), None, Some(4)]);
        assert_eq!(session.user().as_deref(), Some("bob"));
        assert_eq!(session.authenticated(), Some(NOON));
        assert_eq!(session.len(), 3);
    }

    #[test]
    fn ckw_12_a_stored_session_is_read_on_while_and_after_it_is_committed() {
        let side = ServerSide::new(MemoryStore::new());
        let manager = SessionManager::new(side, SessionConfig::flask());
        let manager = Arc::new(manager.expect("browsers take the cookie"));
        let (slot, session) = opened(&manager, "");
        session.insert("a", &1).expect("it is JSON");
        session.insert("b", &2).expect("it is JSON");
        let set = committed(&slot).expect("a new session sets a cookie");
        let cookie = set.split(';').next().expect("there is a first part");

        let (slot, session) = opened(&manager, cookie);
        session.insert("a", &3).expect("it is JSON");
        assert!(session.remove("b").expect("nothing was sent"));
        session.insert("c", &4).expect("it is JSON");
        session.log_in("bob").expect("nothing was sent");
        assert_reads(&session);
        let commit = manager.commit(&slot, [], 200, NOON);
        assert_reads(&session);
        assert!(
            block_on(commit)
                .expect("the store works")
                .set_cookie
                .is_some()
        );
        assert_reads(&session);
        let late = session.insert("a", &5);
        assert!(matches!(late, Err(SessionError::AlreadySent)));
        // Once more: the old id is dead by now, and nothing is forgotten.
        assert_eq!(committed(&slot), None);
        assert_reads(&session);
    }
}
