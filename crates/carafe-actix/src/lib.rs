//! Cookies and sessions for actix-web, with Flask's model and Flask's wire format.
//!
//! ```no_run
//! use actix_web::{App, HttpServer, get};
//! use carafe_actix::{ClientSide, SecretKey, Session, SessionError, SessionMiddleware};
//!
//! #[get("/")]
//! async fn visits(session: Session) -> Result<String, SessionError> {
//!     let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
//!     Ok(format!("visit number {visits}"))
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let key = SecretKey::new(std::env::var("SECRET_KEY")?)?;
//!     let sessions = SessionMiddleware::new(ClientSide::encrypted(key, "my-shop"));
//!     let app = move || App::new().wrap(sessions.clone()).service(visits);
//!     HttpServer::new(app).bind("127.0.0.1:5000")?.run().await?;
//!     Ok(())
//! }
//! ```
//!
//! * [`SessionMiddleware`] wraps an `App` or a `Scope`; handlers extract [`Session`] or
//!   [`Cookies`], and add a [`SetCookie`] to a response with `append_header`.
//! * [`ClientSide`] stores sessions in their cookies, encrypted, or signed in Flask's format;
//!   [`ServerSide`] keeps sessions in a store. All of Carafe's stores work with actix-web and with
//!   axum, and a session written by a service on axum is readable here.
//! * [`SessionConfig`] contains the options: [`SessionConfig::default`] is safe,
//!   [`SessionConfig::flask`] has exactly Flask's defaults.
//! * [`Guarded`] limits the impact of a failing store; [`Sweeping`] deletes expired sessions.
//!
//! An invalid configuration is an error at startup; an invalid cookie is an empty session and one
//! log event. Errors from handlers and middleware stay errors, and their responses carry the
//! session's cookie.
//!
//! This crate only transfers headers; all decisions are made in its core.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod answer;
mod csrf_middleware;
mod middleware;

pub use answer::{Actix, ResponseFuture};
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
pub use csrf_middleware::{CsrfMiddleware, CsrfService};
pub use middleware::{SessionMiddleware, SessionService};
