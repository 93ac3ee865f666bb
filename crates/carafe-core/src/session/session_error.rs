//! The errors of calls on a session, and the response if the handler propagates them.

use super::{CommitError, ResponseHead, head::answer_error};
use crate::{error::Fault, json::EncodeError, store::StoreError};

/// The error of a call on a session. The call has not changed the session.
///
/// ```
/// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
/// # futures_executor::block_on(async {
/// # let side = ServerSide::new(MemoryStore::new());
/// # let manager = SessionManager::new(side, SessionConfig::default())?;
/// # let manager = std::sync::Arc::new(manager);
/// # let mut client = TestClient::new(&manager);
/// let request = client.begin().await?;
/// let session = request.session().clone();
/// session.insert("visits", &1)?;
/// let decode = session.get::<String>("visits").unwrap_err();
/// assert!(matches!(decode, SessionError::Decode { key, .. } if key == "visits"));
///
/// client.finish(request, 200).await?;
/// let late = session.renew().unwrap_err();
/// assert!(matches!(late, SessionError::AlreadySent), "the new ID cannot reach the browser");
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionError {
    /// The value cannot be serialized as JSON.
    Encode {
        /// The key of the value.
        key: String,
        /// The reason why the value cannot be encoded.
        source: EncodeError,
    },
    /// The value does not have the requested type.
    Decode {
        /// The key.
        key: String,
        /// The mismatch.
        reason: String,
    },
    /// The session as a whole does not fit the requested type, or the type is no set of members.
    Whole {
        /// The name of the type.
        type_name: &'static str,
        /// The mismatch.
        reason: String,
    },
    /// The response's head was sent, so a change can no longer reach the browser.
    ///
    /// The session is in its cookie, or the change needs a new cookie. Change the session before
    /// the response is returned. If the browser already has the ID of a server-side session, later
    /// changes are possible with [`Session::commit`](super::Session::commit).
    AlreadySent,
    /// The session has expired, was revoked, or was given a new ID by a log-in since it was opened.
    ///
    /// The changes are lost.
    Gone,
    /// The call needs a session in a store.
    Unsupported,
    /// The transport is not configured, or the request presents its token in another one.
    Transport,
    /// The function passed to [`Session::try_update_now`](super::Session::try_update_now) failed.
    Update(Box<dyn std::error::Error + Send + Sync>),
    /// The store failed. The changes are kept, and another commit retries.
    Store(StoreError),
    /// The session cannot be committed in its current state. The changes are kept.
    Commit(Box<CommitError>),
}

impl SessionError {
    /// Returns the party that is responsible for the error.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Encode { .. } | Self::Decode { .. } | Self::Whole { .. } | Self::Update(_) => {
                Fault::Data
            }
            Self::AlreadySent | Self::Unsupported | Self::Transport => Fault::Caller,
            Self::Gone => Fault::Conflict,
            Self::Store(error) => error.fault(),
            Self::Commit(error) => error.fault(),
        }
    }

    /// Returns the status of the response if the handler propagates the error.
    ///
    /// 409 for [`SessionError::Gone`], the status of the underlying error for a store or a commit,
    /// and 500 otherwise.
    ///
    /// ```
    /// use carafe_core::{session::SessionError, store::StoreError};
    ///
    /// assert_eq!(SessionError::Gone.status(), 409);
    /// assert_eq!(SessionError::AlreadySent.status(), 500);
    /// assert_eq!(SessionError::Store(StoreError::Full).status(), 503);
    /// ```
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Store(error) => error.status(),
            Self::Commit(error) => error.status(),
            _ => self.fault().status(),
        }
    }

    /// Writes the error's headers and logs one event. Returns the response's status.
    #[must_use]
    pub fn answer(&self, head: &mut impl ResponseHead) -> u16 {
        answer_error(self, self.fault(), head);
        self.status()
    }

    pub(super) fn encode(key: &str, source: EncodeError) -> Self {
        Self::Encode {
            key: key.to_owned(),
            source,
        }
    }

    pub(super) fn whole<T>(reason: &(impl ToString + ?Sized)) -> Self {
        Self::Whole {
            type_name: std::any::type_name::<T>(),
            reason: reason.to_string(),
        }
    }

    pub(super) fn shape(key: &str, reason: &(impl ToString + ?Sized)) -> Self {
        Self::Decode {
            key: key.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl std::fmt::Display for SessionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Encode { key, .. } => {
                write!(f, "the value for session key {key:?} cannot be stored")
            }
            Self::Decode { key, reason } => write!(
                f,
                "the value of session key {key:?} has another type: {reason}"
            ),
            Self::Whole { type_name, reason } => {
                write!(f, "the session is not a {type_name}: {reason}")
            }
            Self::AlreadySent => {
                f.write_str("the session was changed after the response's head was sent")
            }
            Self::Gone => f.write_str("the session has expired or was revoked"),
            Self::Unsupported => f.write_str("this operation requires a session in a store"),
            Self::Transport => f.write_str(
                "the transport is not configured, or the request presents its token in another one",
            ),
            Self::Update(_) => f.write_str("the function that updates a session key failed"),
            Self::Store(_) => f.write_str("the session store failed"),
            Self::Commit(_) => f.write_str("the session cannot be saved"),
        }
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Encode { source, .. } => Some(source),
            Self::Update(source) => Some(&**source),
            Self::Store(source) => Some(source),
            Self::Commit(source) => Some(&**source),
            Self::Decode { .. }
            | Self::Whole { .. }
            | Self::AlreadySent
            | Self::Gone
            | Self::Unsupported
            | Self::Transport => None,
        }
    }
}

/// For handlers that use both a session and a store.
impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
