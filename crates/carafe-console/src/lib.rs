//! The console: a router with pages for operators that show the live sessions of a store. An axum
//! application mounts it behind its own log-in.
//!
//! [`router`] answers a request only if the application has put an [`Operator`] into its
//! extensions. Anything else gets a 403 without content.
//!
//! ```
//! use std::sync::Arc;
//!
//! use axum::{
//!     Router,
//!     extract::Request,
//!     http::StatusCode,
//!     middleware::{Next, from_fn},
//!     response::Response,
//! };
//! use carafe_console::{ConsoleOptions, Operator};
//! use carafe::{ErasedStore, MemoryStore};
//!
//! /// The application's own log-in, reduced to a header that a proxy sets.
//! async fn operators_only(mut request: Request, next: Next) -> Result<Response, StatusCode> {
//!     let name = request.headers().get("x-operator").and_then(|name| name.to_str().ok());
//!     let operator = Operator::new(name.ok_or(StatusCode::UNAUTHORIZED)?);
//!     request.extensions_mut().insert(operator);
//!     Ok(next.run(request).await)
//! }
//!
//! let store: Arc<dyn ErasedStore> = Arc::new(MemoryStore::new());
//! let console = carafe_console::router(store, ConsoleOptions::new());
//! let console = console.layer(from_fn(operators_only));
//! let app: Router = Router::new().nest("/admin/sessions", console);
//! ```
//!
//! `examples/console.rs` is a whole application.
//!
//! # What the console does and does not do
//!
//! * It shows summaries, times and contents of sessions, and names a session by its public ID. It
//!   never sees an ID or a key of a session.
//! * Every action is a POST that redirects, and is preceded by a page that asks for confirmation. A
//!   form carries a token that is bound to the operator's log-in, and cross-site POSTs are rejected
//!   (OWASP CSRF Prevention Cheat Sheet).
//! * Every response forbids framing, foreign scripts and caching. Every page works without scripts.
//! * Every revocation is an event of `tracing`, with the target `carafe_console::audit` and the
//!   operator's name.
//! * Numbers about all sessions are estimated from a random sample of 2,000 sessions. The console
//!   takes a sample every 30 seconds for its plot of the number of sessions.
//!
//! | file | holds |
//! |---|---|
//! | `options`, `operator` | the settings of the application |
//! | `csrf`, `notes` | tokens of forms, messages for the next page |
//! | `monitored_store` | the store with deadlines and outage detection |
//! | `statistics`, `per_user`, `histogram` | numbers from a random sample |
//! | `trend` | the number of sessions since the start |
//! | `revocation`, `audit` | the progress of a revocation, and its log events |
//! | `state`, `sampling` | what all requests share, and the task that samples the store |
//! | `context` | what a page knows of its request, and the paths of links |
//! | `search` | a page of the list, and the results of a search |
//! | `view`, `style.css`, `console.js` | the HTML, its style, and the script that updates a page |
//! | `admission` | the checks before each page |
//! | `overview`, `list`, `session` | the pages that show sessions |
//! | `end_all`, `revoke` | revocations of very many sessions, and the pages that revoke sessions |

mod admission;
mod audit;
mod context;
mod csrf;
mod end_all;
mod histogram;
mod list;
mod monitored_store;
mod notes;
mod operator;
mod options;
mod overview;
mod per_user;
mod revocation;
mod revoke;
mod sampling;
mod search;
mod session;
#[doc(hidden)]
pub mod shared;
mod state;
mod statistics;
mod trend;
mod view;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderName, header},
    middleware::{from_fn, from_fn_with_state},
    routing::{any, get},
};
use carafe_core::store::ErasedStore;

pub use self::{
    context::LIVE_HEADER,
    operator::Operator,
    options::{Access, ConsoleOptions},
};
use self::{monitored_store::MonitoredStore, state::Console};

/// Returns the pages of the console over `store`.
///
/// The store must have a [`SessionListing`](carafe_core::store::SessionListing) and
/// [`UserSessions`](carafe_core::store::UserSessions); otherwise every page reports that they are
/// missing. Mount the router under any path with [`Router::nest`] or [`Router::nest_service`]:
/// links follow the path of each request. The router needs tokio's runtime with its timers, as axum
/// does.
pub fn router(store: Arc<dyn ErasedStore>, options: ConsoleOptions) -> Router {
    let (settings, log_out, redact) = options.into_parts();
    let console = Arc::new(Console::new(MonitoredStore::new(store, redact), settings));
    sampling::start(&console);
    let changing = Router::new()
        .route(
            "/sessions/{public_id}/revoke",
            get(revoke::ask_one).post(revoke::one),
        )
        .route("/revoke-user", get(revoke::ask_user).post(revoke::user))
        .route("/end-all", get(revoke::ask_all).post(revoke::all))
        .route_layer(from_fn(admission::writable));
    let pages = Router::new()
        .route("/", get(overview::page))
        .route("/sessions", get(list::page))
        .route("/sessions/{public_id}", get(session::page))
        .route("/style.css", get(style))
        .route("/console.js", get(script))
        // Not a fallback, because axum cannot nest a fallback under a path with parameters.
        .route("/{*path}", any(admission::not_found))
        .merge(changing);
    let pages = match log_out {
        Some(handler) => pages.route("/leave", handler),
        None => pages,
    };
    pages.layer(from_fn_with_state(console, admission::admit))
}

async fn style() -> ([(HeaderName, &'static str); 1], &'static str) {
    let kind = "text/css; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared::CONSOLE_STYLE)
}

async fn script() -> ([(HeaderName, &'static str); 1], &'static str) {
    let kind = "text/javascript; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], include_str!("console.js"))
}
