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
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.set_permanent(true)?;
    /// assert!(session.is_permanent());
    /// # Ok(())
    /// # }
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
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// let keep_me_signed_in = true; // from the form
    /// session.set_permanent(keep_me_signed_in)?;
    /// # Ok(())
    /// # }
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
    /// # use carafe_core::session::Session;
    /// # fn handler(session: &Session) -> String {
    /// format!("{} days", session.lifetime().as_secs() / 86_400)
    /// # }
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
