//! The user and the device of a session.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    limits::DEVICE_BYTES,
    session::{
        Session, SessionError,
        expiry::seconds,
        flask_login::{Client, FRESH, IDENTIFIER},
        keys::{CSRF, USER},
        slot::WriteGuard,
    },
    store::PublicId,
};

impl Session {
    /// Gives the session a new ID and keeps its content.
    ///
    /// Call this when privileges change (session fixation, OWASP ASVS 7.2.4). The commit
    /// invalidates the old id, and an in-flight request with the old id cannot change the session
    /// ([`Conflict`](crate::session::Conflict)). A client-side session has no id, so this only
    /// writes a new cookie.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # request.session().insert("cart", &["tea"])?;
    /// # client.finish(request, 200).await?;
    /// let thief = client.clone(); // has the same cookie
    ///
    /// let request = client.begin().await?;
    /// request.session().insert("is_admin", &true)?;
    /// request.session().renew()?;
    /// client.finish(request, 200).await?;
    ///
    /// assert_eq!(client.session().await?.get("is_admin")?, Some(true));
    /// let session = thief.session().await?;
    /// assert!(session.is_empty());
    /// assert_eq!(session.rejection(), Some(Rejection::Retired));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn renew(&self) -> Result<(), SessionError> {
        self.write_before_head(|state| {
            state.renewed = true;
            state.change();
        })
    }

    /// Renews the session and binds it to a user.
    ///
    /// The user is stored under Flask-Login's key (`_user_id`). The values of an anonymous visitor
    /// are kept. The values of another user are removed, even if that user was removed from the
    /// dictionary before. A log-in always results in a session: if another request has revoked this
    /// session in the meantime, the user gets a fresh session with the changes of this request
    /// alone. With [`FlaskLogin`](crate::session::FlaskLogin), the session is also marked as fresh
    /// and bound to this client.
    ///
    /// In a store, the commit rejects a user that is longer than
    /// [`USER_BYTES`](crate::limits::USER_BYTES) or contains a NUL.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// let request = client.begin().await?;
    /// request.session().insert("cart", &["tea"])?;
    /// client.finish(request, 200).await?;
    ///
    /// let request = client.begin().await?;
    /// request.session().log_in("ada")?; // after the password was verified
    /// assert_eq!(request.session().user().as_deref(), Some("ada"));
    /// assert!(request.session().contains_key("cart"), "a visitor's cart becomes the user's");
    /// client.finish(request, 200).await?;
    ///
    /// let request = client.begin().await?;
    /// request.session().log_in("bob")?;
    /// assert!(!request.session().contains_key("cart"), "the cart is another user's");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn log_in(&self, user: &str) -> Result<(), SessionError> {
        let text = self.encode(USER, user)?;
        let (manager, client) = (&self.0.manager, self.0.client());
        self.write_before_head(|state| {
            let is_identified = state.text_of(IDENTIFIER).is_some();
            // A visitor who knew the anonymous session may know its secret.
            let has_csrf_secret = state.text_of(CSRF).is_some();
            let known = [state.text_of(USER), state.found().data().text_of(USER)];
            let owner = state
                .found()
                .record()
                .and_then(|record| record.meta.user.as_deref());
            let changes_hands = known.into_iter().flatten().any(|known| known != text)
                || owner.is_some_and(|owner| owner != user);
            let opened = state.found().opened;
            let patch = state.patch();
            if changes_hands {
                patch.clear();
            }
            patch.set(USER, text);
            if has_csrf_secret {
                patch.remove(CSRF);
            }
            if let Some(login) = &manager.flask_login {
                let identifier = client.filter(|_| login.protects).map(Client::identifier);
                patch.set(FRESH, "true".to_owned());
                match identifier {
                    Some(identifier) => patch.set(IDENTIFIER, identifier),
                    None if is_identified => patch.remove(IDENTIFIER),
                    None => {}
                }
            }
            patch.facts.user = Some(user.to_owned());
            patch.facts.authenticated = Some(opened);
            (state.logged_in, state.wrote) = (true, true);
        })
    }

    /// Logs out: removes all keys and the cookie, regardless of the response's status.
    ///
    /// A server-side session is revoked even if the client disconnects or the handler panics after
    /// this call. [`Session::log_out_now`] reports whether the store has revoked the session. With
    /// [`FlaskLogin`](crate::session::FlaskLogin), the browser's "remember me" cookie is removed
    /// too.
    ///
    /// A client-side session is removed from this browser only: a copy of the cookie stays valid
    /// until it expires, and a late response to another request of the browser can restore the
    /// cookie. Sessions that must be revocable belong on the server side.
    ///
    /// ```
    /// # use carafe_core::testing::Effect;
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// let mut client = TestClient::signed_in(&manager, "ada").await?;
    /// let copy = client.clone();
    ///
    /// let request = client.begin().await?;
    /// request.session().log_out()?;
    /// assert_eq!(request.session().user(), None);
    /// assert_eq!(client.finish(request, 500).await?, Effect::Removed, "with any status");
    /// assert_eq!(copy.session().await?.user(), None, "a copied cookie is useless");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`]: use [`Session::log_out_now`].
    pub fn log_out(&self) -> Result<(), SessionError> {
        self.write_before_head(WriteGuard::end)
    }

    /// Returns the user that `log_in` or Flask-Login has set.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// assert_eq!(session.user(), None);
    /// session.log_in("ada")?;
    /// assert_eq!(session.user().as_deref(), Some("ada"));
    /// session.clear()?;
    /// assert_eq!(session.user(), None, "the user is a key of the session");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn user(&self) -> Option<String> {
        self.get(USER).ok().flatten()
    }

    /// Returns the time of the last `log_in`, when the user authenticated.
    ///
    /// Returns `None` for client-side sessions, which do not record the time.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, testing::Clock};
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// let clock = Clock::at(Timestamp::from_unix(1_700_000_000));
    /// let manager = SessionManager::new(side, SessionConfig::default())?;
    /// let manager = std::sync::Arc::new(manager.with_clock(clock.reader()));
    /// let client = TestClient::signed_in(&manager, "ada").await?;
    ///
    /// clock.advance(std::time::Duration::from_secs(600));
    /// let session = client.session().await?;
    /// assert_eq!(session.authenticated(), Some(Timestamp::from_unix(1_700_000_000)));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn authenticated(&self) -> Option<Timestamp> {
        self.read(|look| {
            let record = look.found.record();
            let stored = record.and_then(|record| record.meta.authenticated);
            look.changes.facts.authenticated.or(stored)
        })
    }

    /// Returns whether the user authenticated at most `within` ago, in whole seconds.
    ///
    /// Check this before a change of password or address (OWASP ASVS 7.5.1). A time further in the
    /// future than
    /// [`SessionConfig::with_clock_skew`](crate::session::SessionConfig::with_clock_skew) allows is
    /// not recent.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, testing::Clock};
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// use std::time::Duration;
    ///
    /// let clock = Clock::at(Timestamp::from_unix(1_700_000_000));
    /// let manager = SessionManager::new(side, SessionConfig::default())?;
    /// let manager = std::sync::Arc::new(manager.with_clock(clock.reader()));
    /// let client = TestClient::signed_in(&manager, "ada").await?;
    /// let minutes = |count: u64| Duration::from_secs(count * 60);
    ///
    /// clock.advance(minutes(5));
    /// assert!(client.session().await?.is_recently_authenticated(minutes(5)));
    /// clock.advance(minutes(1));
    /// assert!(!client.session().await?.is_recently_authenticated(minutes(5)), "ask again");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn is_recently_authenticated(&self, within: Duration) -> bool {
        let since = self.authenticated();
        let now = self.read(|look| look.found.opened);
        let skew = self.0.manager.clock_skew();
        let age = since.and_then(|since| now.age_of(since, skew));
        age.is_some_and(|age| age <= seconds(within))
    }

    /// Returns the session's public ID, for lists of devices.
    ///
    /// Returns `None` for new sessions and for client-side sessions.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// let request = client.begin().await?;
    /// request.session().log_in("ada")?;
    /// assert_eq!(request.session().public_id(), None, "a new session");
    /// client.finish(request, 200).await?;
    ///
    /// // Mark "this device" in a list of devices.
    /// let own = client.session().await?.public_id();
    /// let devices = manager.sessions_of("ada", None, manager.time()).await?;
    /// assert_eq!(own, Some(devices[0].public_id));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn public_id(&self) -> Option<PublicId> {
        self.read(|look| look.found.record().map(|record| record.meta.public_id))
    }

    /// Records a note about the device, such as its user agent, for lists of devices.
    ///
    /// Has no effect on client-side sessions. The note is truncated to
    /// [`DEVICE_BYTES`](crate::limits::DEVICE_BYTES) at a character boundary, because a client
    /// controls the length of its user agent.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// let request = client.begin().await?;
    /// request.session().log_in("ada")?;
    /// request.session().set_device("Firefox on Linux")?;
    /// client.finish(request, 200).await?;
    ///
    /// let devices = manager.sessions_of("ada", None, manager.time()).await?;
    /// assert_eq!(devices[0].device.as_deref(), Some("Firefox on Linux"));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn set_device(&self, note: &str) -> Result<(), SessionError> {
        let mut ends = (0..=note.len().min(DEVICE_BYTES)).rev();
        let end = ends.find(|&end| note.is_char_boundary(end));
        let note = &note[..end.unwrap_or_default()];
        let mut state = self.locked();
        state.admit_change()?;
        self.0.access();
        state.patch().facts.device = Some(note.to_owned());
        Ok(())
    }
}
