//! Cookies and sessions for axum, with Flask's model and Flask's wire format.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use carafe::{ClientSide, SecretKey, Session, SessionError, SessionLayer};
//!
//! async fn visits(session: Session) -> Result<String, SessionError> {
//!     let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
//!     Ok(format!("visit number {visits}"))
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SecretKey::new(std::env::var("SECRET_KEY")?)?;
//! let app: Router = Router::new()
//!     .route("/", get(visits))
//!     .layer(SessionLayer::new(ClientSide::encrypted(key, "my-shop")));
//! axum::serve(tokio::net::TcpListener::bind("127.0.0.1:5000").await?, app).await?;
//! # Ok(())
//! # }
//! ```
//!
//! * [`SessionLayer`] wraps the routes; handlers extract [`Session`] or [`Cookies`], or return
//!   [`SetCookie`].
//! * [`ClientSide`] stores sessions in their cookies, encrypted, or signed in Flask's format;
//!   [`ServerSide`] keeps sessions in a store.
//! * [`SessionConfig`] contains the options: [`SessionConfig::default`] is safe,
//!   [`SessionConfig::flask`] has exactly Flask's defaults.
//! * [`Guarded`] limits the impact of a failing store; [`Sweeping`] deletes expired sessions.
//!
//! A handler that does not extract the session costs three small allocations and no header. An
//! invalid configuration is an error at startup; an invalid cookie is an empty session and one log
//! event.
//!
//! This crate only transfers headers; all decisions are made in its core.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod csrf_layer;
mod future;
mod layer;
mod service;

// Re-exports for authors of services: common types at the root, the others in modules by topic.
#[doc(inline)]
pub use carafe_core::{
    clock::{self, Timestamp},
    cookie::{self, CookieError, CookiePolicy, RequestCookies as Cookies, SameSite, SetCookie},
    csrf::{self, CsrfPolicy},
    error::{self, ErrorChain, Fault},
    flask::{self, FlaskConfig},
    json::{
        self,
        tag::{Bytes, DateTime, Markup, Tuple, Uuid},
    },
    key::{self, KeyError, KeyRing, SecretKey},
    limits::{self, LimitError, Limits},
    session::{
        self, AtLimit, BearerChallenge, BearerResponse, ClearSiteData, ClientIp, ClientSide,
        CommitError, Conflict, Duplicates, Flash, FlaskLogin, Key, LocalPath, LoggedIn,
        LoginAttempt, LoginRequired, OnCorrupt, ProviderSessions, RecentlyAuthenticated, Refresh,
        Rejection, ServerSide, Session, SessionBackend, SessionConfig, SessionError,
        SessionManager, SessionRejection, SessionToken, Timeouts, Transport, TransportKind,
    },
    store::{self, ErasedStore, MemoryStore, SessionStore, StoreError},
    testing, token,
};
#[doc(inline)]
pub use carafe_tokio::{
    Backoff, Checked, CircuitRules, GuardOptions, GuardStatus, Guarded, RevocationRules, Sweeper,
    Sweeping,
};
pub use csrf_layer::{CsrfLayer, CsrfService};
pub use future::{ResponseFuture, Tower};
pub use layer::SessionLayer;
pub use service::SessionService;

/// The code of the pages in `docs/`, which is compiled and run as documentation tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../docs/csrf.md")]
    struct Csrf;
    #[doc = include_str!("../../../docs/login.md")]
    struct Login;
    #[doc = include_str!("../../../docs/testing.md")]
    struct Testing;
    #[doc = include_str!("../../../docs/typed.md")]
    struct Typed;
}
