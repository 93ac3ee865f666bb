//! The errors of saving a session, and the response that replaces the handler's.

use std::{error::Error, fmt};

use super::TokenHeader;
use crate::{
    cookie::{CookieError, MAX_COOKIE_BYTES},
    error::Fault,
    limits::{LimitError, write_largest},
    store::StoreError,
    token::SealError,
};

/// The error of saving a session.
///
/// The browser keeps its cookie. The handler's response must not be sent, because it would claim a
/// change that did not happen.
///
/// ```
/// use carafe_core::{error::Fault, key::SecretKey, session::*, testing::TestClient};
///
/// # futures_executor::block_on(async {
/// let key = SecretKey::new(SecretKey::random_text()?.as_bytes())?;
/// let manager = SessionManager::new(ClientSide::signed(key), SessionConfig::flask())?;
/// let mut client = TestClient::new(&std::sync::Arc::new(manager));
/// let request = client.begin().await?;
/// let draft: String = (0..2_000).map(|number| number.to_string()).collect();
/// request.session().insert("theme", "dark")?;
/// request.session().insert("draft", &draft)?;
/// let error = client.finish(request, 200).await.unwrap_err();
/// assert_eq!((error.fault(), error.status()), (Fault::Data, 500));
/// match error {
///     CommitError::TooLarge { largest, .. } => assert_eq!(largest[0].0, "draft"),
///     other => panic!("{other}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CommitError {
    /// The cookie would exceed the size that browsers accept.
    TooLarge {
        /// The size of the name and the value, in bytes.
        size: usize,
        /// The keys with the longest values, longest first, with the size of their JSON text in
        /// bytes.
        largest: Vec<(String, usize)>,
    },
    /// The session exceeds a limit: [`limits`](crate::limits). No store was called.
    Limit(LimitError),
    /// The cookie cannot be written.
    Cookie(CookieError),
    /// The cookie cannot be encrypted.
    Seal(SealError),
    /// The user has reached the limit of sessions, and the log-in was refused.
    ///
    /// See [`AtLimit::Refuse`](super::AtLimit::Refuse).
    TooManySessions {
        /// The maximum number of sessions per user.
        limit: usize,
    },
    /// Another request has revoked the session or given it a new ID, so the changes came too late.
    ///
    /// See [`Conflict::Reject`](super::Conflict::Reject).
    Conflict,
    /// The store failed to save the change.
    Store {
        /// The error of the store.
        source: StoreError,
        /// A `Set-Cookie` value for the replacement response.
        ///
        /// A log-out removes the browser's cookie even if the store could not be reached.
        set_cookie: Option<String>,
        /// Another `Set-Cookie` value, which removes Flask-Login's "remember me" cookie.
        remember_cookie: Option<String>,
        /// The removal of the client's token, instead of `set_cookie`.
        token: Option<TokenHeader>,
    },
}

impl CommitError {
    /// Returns the party that is responsible for the error.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::TooLarge { .. } | Self::Limit(_) => Fault::Data,
            Self::Cookie(_) => Fault::Caller,
            Self::Seal(SealError::NoRandomness) => Fault::Store,
            Self::TooManySessions { .. } | Self::Conflict => Fault::Conflict,
            Self::Store { source, .. } => source.fault(),
        }
    }

    /// Returns the status of the replacement response: [`Fault::status`], [`StoreError::status`].
    ///
    /// ```
    /// use carafe_core::{session::CommitError, store::StoreError};
    ///
    /// assert_eq!(CommitError::Conflict.status(), 409);
    /// assert_eq!(CommitError::TooManySessions { limit: 5 }.status(), 409);
    /// let source = StoreError::unavailable("connection refused");
    /// let (set_cookie, remember_cookie, token) = (None, None, None);
    /// let outage = CommitError::Store { source, set_cookie, remember_cookie, token };
    /// assert_eq!(outage.status(), 503);
    /// ```
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Store { source, .. } => source.status(),
            _ => self.fault().status(),
        }
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { size, largest } => {
                write!(
                    f,
                    "the session cookie would have {size} bytes, and browsers drop cookies over {MAX_COOKIE_BYTES}"
                )?;
                write_largest(largest, f)?;
                f.write_str("; store less in the session, or use a server-side session")
            }
            Self::Limit(_) => f.write_str("the session exceeds a limit and was not stored"),
            Self::Cookie(_) => f.write_str("the session cookie cannot be written"),
            Self::Seal(_) => f.write_str("the session cookie cannot be encrypted"),
            Self::TooManySessions { limit } => {
                write!(f, "the user has reached the limit of sessions ({limit})")
            }
            Self::Conflict => {
                f.write_str("another request has revoked the session or given it a new ID")
            }
            Self::Store { .. } => f.write_str("the session was not stored"),
        }
    }
}

impl Error for CommitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::TooLarge { .. } | Self::TooManySessions { .. } | Self::Conflict => None,
            Self::Limit(error) => Some(error),
            Self::Cookie(error) => Some(error),
            Self::Seal(error) => Some(error),
            Self::Store { source, .. } => Some(source),
        }
    }
}
