//! Opens the session of a request: finds, verifies and reads its cookie.

use std::{pin::pin, sync::Arc};

use super::{
    Loaded, Rejection, Session, SessionManager, Slot, backend::Prepared, client_side::Codec,
    header_changes::Removed, loaded::LoadedSession, slot::WriteGuard,
};
use crate::{
    clock::Timestamp,
    cookie::Candidates,
    future::{MaybeReady, at_once},
    store::{StoreError, with_budget},
};

/// The future of [`SessionManager::open`]. Ready immediately for sessions in cookies or in memory.
pub(crate) type OpenFuture<'a> = MaybeReady<'a, Result<Session, StoreError>>;

impl SessionManager {
    /// Returns the slot for the session of a new request. Reads neither a cookie nor the store.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> Slot {
        Slot::new(Arc::clone(self))
    }

    /// Returns the session of a request with the `Cookie` header lines `cookies`.
    ///
    /// The first call opens the session.
    ///
    /// A rejected cookie results in an empty session and one log event with the reason. A session
    /// opened after the commit can be read, but not written.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, session::*, store::MemoryStore};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let now = Timestamp::from_unix(1_700_000_000);
    /// let slot = manager.begin();
    /// let lines: [&[u8]; 2] = [b"theme=dark", b"__Host-Http-session=unknown"];
    /// let session = manager.open(&slot, lines, now).await?;
    /// assert!(session.is_empty());
    /// assert_eq!(session.rejection(), Some(Rejection::UnknownId));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store fails. Respond with its [status](StoreError::status) and leave
    /// the browser's cookie unchanged. Client-side sessions never fail to open.
    pub fn open<'h>(
        &'h self,
        slot: &'h Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
        now: Timestamp,
    ) -> OpenFuture<'h> {
        if let Some(session) = Session::of(slot) {
            return MaybeReady::now(Ok(session));
        }
        self.resolve(slot, cookies, now, |late| match late {
            Some(found) => Session::too_late(slot, found),
            None => Session::opened(slot),
        })
    }

    /// Closes the slot of a request that has not used its session.
    ///
    /// Reads neither the cookies nor the clock. A session opened later cannot be changed, because
    /// the head has been sent.
    pub(super) fn close(&self, slot: &Slot) {
        slot.0.close();
    }

    /// Loads the session into its slot and returns the result of `end`.
    ///
    /// `end` receives the session if the slot was closed before the session was loaded.
    pub(super) fn resolve<'h, T: Send + 'h>(
        &'h self,
        slot: &'h Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
        now: Timestamp,
        end: impl FnOnce(Option<LoadedSession>) -> T + Send + 'h,
    ) -> MaybeReady<'h, Result<T, StoreError>> {
        let side = match &self.side {
            Prepared::Client(codec) => {
                return MaybeReady::now(Ok(end(self.resolve_client(codec, slot, cookies, now))));
            }
            Prepared::Server(side) => side,
        };
        let mut candidates = Candidates::default();
        if let Err(rejection) = self.find(&mut candidates, slot, cookies) {
            let found = || self.refused(rejection, now);
            return MaybeReady::now(Ok(end(slot.0.load_once(found))));
        }
        if side.store.never_waits() {
            let found = at_once(|| side.load(&candidates, self.choice(), now));
            let settle = |found| end(slot.0.load_once(|| self.logged(found)));
            return MaybeReady::now(found.map(settle));
        }
        MaybeReady::later(async move {
            // Pinned here to keep the future small.
            let load = pin!(side.load(&candidates, self.choice(), now));
            let found = with_budget(&*side.store, load).await?;
            Ok(end(slot.0.load_once(|| self.logged(found))))
        })
    }

    /// Like [`resolve`](Self::resolve), for client-side sessions.
    pub(super) fn resolve_client<'h>(
        &self,
        codec: &Codec,
        slot: &Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
        now: Timestamp,
    ) -> Option<LoadedSession> {
        slot.0.load_once(|| {
            let mut candidates = Candidates::default();
            if let Err(rejection) = self.find(&mut candidates, slot, cookies) {
                return self.refused(rejection, now);
            }
            self.logged(codec.load(&candidates, self.choice(), self.lifetime(), now))
        })
    }

    /// Adds the tokens of the request to `candidates`: the values of its cookie, or the token of
    /// another transport.
    ///
    /// Also records in the slot whether the request has Flask-Login's cookie, and whether its
    /// session's cookie.
    fn find<'t, 'h: 't>(
        &self,
        candidates: &mut Candidates<'t>,
        slot: &'t Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
    ) -> Result<(), Rejection> {
        let other = self.flask_login.as_ref().map(|login| login.remember.name());
        let place = self.transports.cookie;
        if (place.is_some() || other.is_some())
            && candidates.read(cookies, (self.cookie.name(), other), self.grammar)
        {
            slot.0.remember();
        }
        match place {
            Some(place) if candidates.iter().any(|value| !value.is_empty()) => {
                slot.0.answer_in(place);
            }
            Some(_) => {}
            None => *candidates = Candidates::default(),
        }
        if let Some(presented) = slot.0.presented() {
            *candidates = Candidates::of(presented.beside(candidates)?);
        }
        Ok(())
    }

    fn refused(&self, rejection: Rejection, now: Timestamp) -> LoadedSession {
        self.logged(LoadedSession::nothing(Loaded::Rejected(rejection), now))
    }

    /// Returns the other removals of a log-out.
    ///
    /// These are Flask-Login's "remember me" cookie, if the browser has sent it, and the data in
    /// `Clear-Site-Data`, unless the session has content again.
    pub(super) fn forgets(&self, state: &WriteGuard<'_>, slot: &Slot) -> Removed {
        if !state.ended {
            return Removed::default();
        }
        let login = self.flask_login.as_ref();
        let login = login.filter(|_| slot.0.is_remembered());
        Removed {
            remember_cookie: login.map(|login| login.remember.removal().to_owned()),
            clear_site_data: self.clear_site_data().filter(|_| state.look().is_empty()),
        }
    }

    fn logged(&self, found: LoadedSession) -> LoadedSession {
        if let Loaded::Rejected(rejection) = &found.loaded {
            log_rejection(self.cookie.name(), rejection);
        }
        found
    }
}

/// Logs a rejected cookie as one event, without any byte of the cookie.
#[cold]
fn log_rejection(cookie: &str, rejection: &Rejection) {
    let reason = rejection.code();
    match rejection {
        Rejection::Ambiguous | Rejection::SeveralTransports => {
            tracing::warn!(cookie, reason, "session cookie refused: {rejection}");
        }
        // Already logged by `on_corrupt`, with the cause.
        Rejection::Unreadable => {}
        Rejection::Token(_)
        | Rejection::UnknownId
        | Rejection::Retired
        | Rejection::MalformedBearer => {
            tracing::info!(cookie, reason, "session cookie refused: {rejection}");
        }
    }
}
