//! How long a session lives.

use std::time::Duration;

use crate::session::{
    Session, SessionError,
    keys::{LIFETIME, PERMANENT},
    lifetime,
};

impl Session {
    /// Returns whether the cookie persists after the browser is closed: Flask's
    /// `session.permanent`.
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
    /// assert!(!session.is_permanent());
    /// session.insert("_permanent", &true)?; // as Flask stores it
    /// assert!(session.is_permanent());
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.read(|look| lifetime::is_permanent(look.text_of(PERMANENT)))
    }

    /// Sets whether the cookie persists after the browser is closed.
    ///
    /// The flag is a key of the session, as in Flask, so `clear` removes it.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, session::*, store::MemoryStore};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let now = Timestamp::from_unix(1_700_000_000);
    /// let cookie = async |permanent: bool| -> Result<String, Box<dyn std::error::Error>> {
    ///     let slot = manager.begin();
    ///     let session = manager.open(&slot, [], now).await?;
    ///     session.insert("theme", "dark")?;
    ///     session.set_permanent(permanent)?;
    ///     let changes = manager.commit(&slot, [], 200, now).await?;
    ///     Ok(changes.set_cookie.unwrap_or_default())
    /// };
    /// assert!(!cookie(false).await?.contains("Expires"), "until the browser closes");
    /// assert!(cookie(true).await?.contains("; Expires=Tue, 28 Nov 2023 22:13:20 GMT;"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn set_permanent(&self, permanent: bool) -> Result<(), SessionError> {
        self.insert(PERMANENT, &permanent)
    }

    /// Sets how long this session lives, at most as long as the configuration allows.
    ///
    /// Counted like [`SessionManager::lifetime`](crate::session::SessionManager::lifetime). The
    /// cookie persists after the browser closes, as after [`Session::set_permanent`], which Flask
    /// sees as `session.permanent`; `set_permanent(false)` afterwards undoes that and keeps the
    /// lifetime. Without this call, a session has the configured lifetime.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session, keep_me_signed_in: bool) -> Result<(), SessionError> {
    /// session.log_in("42")?;
    /// if keep_me_signed_in {
    ///     session.set_lifetime(Duration::from_secs(14 * 86_400))?;
    /// } else {
    ///     session.set_lifetime(Duration::from_secs(12 * 3_600))?;
    ///     session.set_permanent(false)?; // this browser session only
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, testing::Clock};
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # use std::time::Duration;
    /// let clock = Clock::at(Timestamp::from_unix(1_700_000_000));
    /// let manager = SessionManager::new(side, SessionConfig::default())?;
    /// let manager = std::sync::Arc::new(manager.with_clock(clock.reader()));
    /// let mut client = TestClient::new(&manager);
    /// let request = client.begin().await?;
    /// request.session().log_in("ada")?;
    /// request.session().set_lifetime(Duration::from_secs(3_600))?;
    /// client.finish(request, 200).await?;
    ///
    /// clock.advance(Duration::from_secs(3_601));
    /// assert_eq!(client.session().await?.user(), None);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn set_lifetime(&self, lifetime: Duration) -> Result<(), SessionError> {
        let lifetime = lifetime.min(self.0.manager.lifetime());
        self.insert(LIFETIME, &lifetime.as_secs())?;
        self.set_permanent(true)
    }

    /// Returns how long this session lives.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// let days = |session: &Session| session.lifetime().as_secs() / 86_400;
    /// assert_eq!(days(session), 14, "the configured lifetime");
    /// session.set_lifetime(Duration::from_secs(2 * 86_400))?;
    /// assert_eq!(days(session), 2);
    /// session.set_lifetime(Duration::from_secs(90 * 86_400))?;
    /// assert_eq!(days(session), 14, "the configuration allows no more");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        let configured = self.0.manager.lifetime();
        let own = self
            .json_text(LIFETIME)
            .as_deref()
            .and_then(lifetime::parse);
        own.map_or(configured, |own| own.min(configured))
    }
}
