//! The storage of sessions: in their cookies, or in a store.

use std::time::Duration;

use super::{ClientSide, ServerSide, client_side::Codec};
use crate::{json::JsonDialect, store::Record};

/// The storage of sessions. Transparent to handlers.
///
/// A function that selects the backend by a setting returns this type:
///
/// ```
/// use carafe_core::key::SecretKey;
/// use carafe_core::session::{
///     ClientSide, ServerSide, SessionBackend, SessionConfig, SessionManager,
/// };
/// use carafe_core::store::{MemoryStore, StoreError};
///
/// fn backend(key: Option<SecretKey>) -> SessionBackend {
///     match key {
///         Some(key) => ClientSide::encrypted(key, "shop").into(),
///         None => ServerSide::new(MemoryStore::new()).into(),
///     }
/// }
///
/// # futures_executor::block_on(async {
/// let key = SecretKey::new(SecretKey::random_text()?.as_bytes())?;
/// let manager = SessionManager::new(backend(Some(key)), SessionConfig::default())?;
/// let sessions = manager.sessions_of("ada", None, manager.time()).await;
/// assert!(matches!(sessions, Err(StoreError::Unsupported)), "only a store has a list");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub enum SessionBackend {
    /// Sessions are stored in their cookies.
    Client(ClientSide),
    /// Sessions are kept in a store.
    Server(ServerSide),
}

/// A backend prepared for one cookie.
pub(super) enum Prepared {
    Client(Box<Codec>),
    Server(ServerSide),
}

impl SessionBackend {
    pub(super) fn prepare(self, cookie: &str, clock_skew: Duration) -> Prepared {
        match self {
            Self::Client(side) => Prepared::Client(Box::new(side.prepare(cookie, clock_skew))),
            Self::Server(mut side) => {
                side.clock_skew = clock_skew;
                Prepared::Server(side)
            }
        }
    }
}

impl Prepared {
    pub(super) const fn style(&self) -> JsonDialect {
        match self {
            Self::Client(codec) => codec.style(),
            Self::Server(_) => Record::STYLE,
        }
    }
}

impl From<ClientSide> for SessionBackend {
    fn from(side: ClientSide) -> Self {
        Self::Client(side)
    }
}

impl From<ServerSide> for SessionBackend {
    fn from(side: ServerSide) -> Self {
        Self::Server(side)
    }
}
