//! The token of a session, and the transport that carries it.

use crate::{
    session::{
        CommitError, Loaded, Rejection, Session, SessionError, SessionToken, TransportKind,
        backend::Prepared, expiry::seconds,
    },
    token::SessionId,
};

impl Session {
    /// Returns whether the request presents its token outside its cookies.
    pub(in crate::session) fn presents_token(&self) -> bool {
        self.0.presented().is_some()
    }

    /// Returns the kind of transport that carries the session's token in this request.
    ///
    /// For a request without a token, returns the transport of a new token.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// let config = SessionConfig::default()
    ///     .with_transports([Transport::cookie(), Transport::bearer("x-session-token")]);
    /// let manager = std::sync::Arc::new(SessionManager::new(side, config)?);
    /// let slot = manager.begin();
    /// let session = manager.open(&slot, [], manager.time()).await?;
    /// assert_eq!(session.transport(), TransportKind::Cookie, "the first one");
    /// session.set_transport(TransportKind::Bearer)?;
    /// assert_eq!(session.transport(), TransportKind::Bearer);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn transport(&self) -> TransportKind {
        self.0.access();
        self.0.transport().kind()
    }

    /// Selects the transport of a new token, for a request that presents no token.
    ///
    /// For a log-in of a client that stores the token itself: without this call, the first of the
    /// configured transports carries the token.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// let config = SessionConfig::default()
    ///     .with_transports([Transport::cookie(), Transport::bearer("x-session-token")]);
    /// let manager = std::sync::Arc::new(SessionManager::new(side, config)?);
    /// let now = manager.time();
    /// let slot = manager.begin();
    /// let session = manager.open(&slot, [], now).await?;
    /// session.set_transport(TransportKind::Bearer)?;
    /// session.log_in("42")?;
    /// let error = session.set_transport(TransportKind::Header).unwrap_err();
    /// assert!(matches!(error, SessionError::Transport), "not configured");
    ///
    /// let changes = manager.commit(&slot, [], 200, now).await?;
    /// assert!(changes.set_cookie.is_none());
    /// assert_eq!(&*changes.token.expect("a new session").name, "x-session-token");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Transport`] if the transport is not configured, or if the request presents a
    /// token in another one. [`SessionError::AlreadySent`].
    pub fn set_transport(&self, kind: TransportKind) -> Result<(), SessionError> {
        let place = self.0.manager.transports.place_of(kind);
        let place = place.ok_or(SessionError::Transport)?;
        self.locked().admit_change()?;
        self.0.access();
        match self.0.answer_in(place) || self.0.transport().kind() == kind {
            true => Ok(()),
            false => Err(SessionError::Transport),
        }
    }

    /// Returns the session's token, for the body of a response.
    ///
    /// Returns `None` for a session in a cookie, which scripts must not read, and for a session
    /// without a token yet: call [`Session::commit`] first if the session is server-side. The token
    /// of a client-side session contains the current session, without later changes. The response
    /// also carries the token in its header.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// let config = SessionConfig::default()
    ///     .with_transports([Transport::cookie(), Transport::bearer("x-session-token")]);
    /// let manager = std::sync::Arc::new(SessionManager::new(side, config)?);
    /// let slot = manager.begin();
    /// let session = manager.open(&slot, [], manager.time()).await?;
    /// session.set_transport(TransportKind::Bearer)?;
    /// session.log_in("42")?;
    /// assert_eq!(session.token()?, None, "the store has no session yet");
    /// session.commit().await?;
    /// let body = session.token()?.map(|token| format!(r#"{{"token":"{}"}}"#, token.as_str()));
    /// assert_eq!(body.map(|body| body.len()), Some(r#"{"token":""}"#.len() + 43));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Commit`] if a client-side session cannot be encrypted.
    pub fn token(&self) -> Result<Option<SessionToken>, SessionError> {
        if self.transport() == TransportKind::Cookie {
            return Ok(None);
        }
        let manager = &self.0.manager;
        let codec = match &manager.side {
            Prepared::Client(codec) => codec,
            Prepared::Server(side) => {
                let id = self.lasting_id();
                return Ok(id.map(|id| {
                    let signed = side.signed(&id);
                    let text = signed.as_ref().map_or(id.as_str(), |text| text.as_str());
                    SessionToken(text.to_owned())
                }));
            }
        };
        let payload = self.read(|look| (!look.is_empty()).then(|| look.render(manager.style())));
        let Some(payload) = payload else {
            return Ok(None);
        };
        let now = manager.now();
        let expires = now.saturating_add(seconds(self.lifetime()));
        let sealed = codec
            .seal(&payload, now, expires)
            .map_err(CommitError::Seal);
        match sealed {
            Ok(text) => Ok(Some(SessionToken(text))),
            Err(error) => Err(SessionError::Commit(Box::new(error))),
        }
    }

    /// Returns the ID of the stored session, unless the next commit replaces it.
    fn lasting_id(&self) -> Option<SessionId> {
        let state = self.locked();
        if state.ended || state.renewed || state.logged_in || state.user_has_left() || state.gone {
            return None;
        }
        if let Some(id) = &state.last_id {
            return Some(SessionId::clone(id));
        }
        let stored = state.found().in_store()?;
        Some(stored.successor().unwrap_or_else(|| stored.at.id.clone()))
    }

    /// Returns the reason why the request's cookie was rejected.
    ///
    /// Returns `None` if the cookie was valid or absent.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, session::*, store::MemoryStore};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let now = Timestamp::from_unix(1_700_000_000);
    /// let slot = manager.begin();
    /// let session = manager.open(&slot, [&b"__Host-Http-session=forged"[..]], now).await?;
    /// let rejection = session.rejection().expect("the cookie is no ID");
    /// assert_eq!(rejection, Rejection::UnknownId);
    /// assert_eq!(rejection.to_string(), "no session has this id");
    /// assert!(session.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn rejection(&self) -> Option<Rejection> {
        self.read(|look| match &look.found.loaded {
            Loaded::Rejected(rejection) => Some(rejection.clone()),
            Loaded::Absent | Loaded::Valid { .. } | Loaded::Stored => None,
        })
    }

    /// Adds `Cache-Control: no-store` to the response, unless the handler sets the header.
    ///
    /// For pages that show that a user is logged in: the browser's Back button then does not show
    /// them after a log-out. [`LoggedIn`](crate::session::LoggedIn) calls this.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, session::*, store::MemoryStore};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let now = Timestamp::from_unix(1_700_000_000);
    /// let slot = manager.begin();
    /// let session = manager.open(&slot, [], now).await?;
    /// session.forbid_storing();
    /// assert!(manager.commit(&slot, [], 200, now).await?.no_store);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn forbid_storing(&self) {
        self.0.access();
        self.0.forbid_storing();
    }
}
