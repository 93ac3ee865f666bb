//! Sessions: a dictionary that persists across the requests of one browser.
//!
//! The life cycle of a request: [`SessionManager::begin`] creates a [`Slot`] and reads nothing. The
//! first use opens the slot, which finds, verifies and scans the cookie. Handlers use [`Session`],
//! in memory unless they commit. [`SessionManager::commit`] calls the pure function `decide` and
//! returns the header changes.
//!
//! | file | holds |
//! |---|---|
//! | `handle` | [`Session`], the type that handlers use |
//! | `decide` | the decision and its truth table |
//! | `live` | commits before and after the response |
//! | `manager` | [`SessionManager`]: the configuration, and the sessions of a user |
//! | `open`, `commit` | loading and saving a session |
//! | `loaded` | a session as loaded from its cookie or store |
//! | `slot` | the state of a session during its request |
//! | `flask_login` | data shared with Flask-Login, except the user |
//! | `header_changes`, `head` | changes of the response's headers |
//! | `lifetime` | the lifetime of one session |
//! | `login_required` | the extractors of a logged-in user |
//! | `csrf_token`, `login_attempt`, `local_path` | tokens of forms, log-ins at a provider |
//! | `provider_sessions` | sessions that an OpenID provider can end |
//! | `transport` | the locations of tokens: cookie, bearer, header |
//!
//! The decisions are functions of their arguments. The functions around them call the store, write
//! log events and take random bytes for new IDs, and a commit by a handler ([`Session::commit`])
//! reads the clock of [`SessionManager`]. The module is independent of frameworks.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//!
//! use carafe_core::session::{ServerSide, SessionConfig, SessionManager, Timeouts};
//! use carafe_core::store::MemoryStore;
//!
//! # futures_executor::block_on(async {
//! let side = ServerSide::new(MemoryStore::new()).with_timeouts(Timeouts::asvs_l2());
//! let manager = Arc::new(SessionManager::new(side, SessionConfig::default())?);
//!
//! // An adapter makes these calls for each request.
//! let (slot, now) = (manager.begin(), manager.time());
//! let session = manager.open(&slot, [], now).await?;
//! session.log_in("ada")?;
//! let changes = manager.commit(&slot, [], 200, now).await?;
//! let line = changes.set_cookie.expect("a new session");
//! assert!(line.starts_with("__Host-Http-session="));
//! assert!(line.ends_with("; Secure; HttpOnly; Path=/; SameSite=Lax"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod backend;
mod client_side;
mod commit;
mod commit_error;
mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
mod csrf_token;
mod decide;
mod expiry;
mod flash;
mod flask_login;
mod handle;
mod head;
mod header_changes;
mod keys;
mod lifetime;
mod limit;
mod live;
mod loaded;
mod local_path;
mod login_attempt;
mod login_required;
mod lookup;
mod manager;
mod on_corrupt;
mod open;
mod plan;
mod provider_sessions;
mod rejection;
mod server_side;
mod session_error;
mod slot;
mod transport;
mod typed_key;

pub use crate::data::{
    Access, Change, MetaPatch, Patch, SessionData, Update, UpdateError, UpdateFn,
};
pub use backend::SessionBackend;
pub use client_side::ClientSide;
pub use commit::CommitFuture;
pub use commit_error::CommitError;
pub use config::{ClearSiteData, Conflict, Duplicates, SessionConfig};
pub use decide::Refresh;
pub(crate) use decide::{Commit, Decision, Facts, Policy, decide};
pub use expiry::Timeouts;
pub use flash::Flash;
pub use flask_login::{ClientIp, FlaskLogin};
pub use handle::Session;
#[cfg(any(feature = "actix", feature = "axum"))]
pub(crate) use head::answer_error;
pub use head::{Field, ResponseHead};
pub use header_changes::{HeaderChanges, TokenHeader};
pub use limit::AtLimit;
pub use loaded::{Loaded, Rejection};
pub use local_path::{LocalPath, NotLocal};
pub use login_attempt::{LOGIN_ATTEMPTS, LOGIN_DURATION, LoginAttempt};
pub use login_required::{LoggedIn, LoginRequired, RecentlyAuthenticated, Visit};
pub use manager::SessionManager;
pub use on_corrupt::OnCorrupt;
pub(crate) use plan::{StoredFacts, verb};
pub use provider_sessions::ProviderSessions;
pub use rejection::SessionRejection;
pub use server_side::ServerSide;
pub use session_error::SessionError;
pub use slot::Slot;
pub use transport::{
    BearerChallenge, BearerResponse, RequestHead, SessionToken, Transport, TransportKind,
};
pub use typed_key::{Key, KeyName, KeyOf};
