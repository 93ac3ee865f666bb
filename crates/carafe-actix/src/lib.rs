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
//! * [`SessionMiddleware`] wraps an `App` or a `Scope`; handlers take [`Session`] or [`Cookies`], and add a
//!   [`SetCookie`] to a response by `append_header`.
//! * [`ClientSide`] keeps sessions in their cookies, encrypted or signed as Flask signs them; [`ServerSide`] keeps
//!   them in a store. All stores of Carafe work here as they do with axum, and a session that a service with axum
//!   has written is read here.
//! * [`SessionConfig`] holds the rules: [`SessionConfig::default`] is safe, [`SessionConfig::flask`] is
//!   Flask's defaults to the letter.
//! * [`Guarded`] keeps a store's trouble from becoming everybody's; [`Sweeping`] removes what has expired.
//!
//! Errors in the configuration stop the start; a bad cookie is an empty session and one log event. Errors that
//! handlers and middlewares give go on as errors, and their responses carry the session's cookie.
//!
//! This crate carries headers in and out and decides nothing: all decisions are in `carafe_core`.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod answer;
mod middleware;

pub use answer::{Actix, ResponseFuture};
#[doc(inline)]
pub use carafe_core::prelude::*;
#[doc(inline)]
pub use carafe_tokio::{GuardOptions, GuardStatus, Guarded, Sweeper, Sweeping};
pub use middleware::{SessionMiddleware, SessionService};
