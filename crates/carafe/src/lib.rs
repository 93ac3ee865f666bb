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
//! * [`SessionLayer`] surrounds the routes; handlers take [`Session`], [`Cookies`], or return [`SetCookie`].
//! * [`ClientSide`] keeps sessions in their cookies, encrypted or signed as Flask signs them.
//! * [`SessionConfig`] holds the rules: [`SessionConfig::default`] is safe, [`SessionConfig::flask`] is
//!   Flask's defaults to the letter.
//! * [`Guarded`] keeps a store's trouble from becoming everybody's; [`Sweeping`] removes what has expired.
//!
//! A handler that does not take the session costs three small allocations and no header. Errors in the
//! configuration stop the start; a bad cookie is an empty session and one log event.
//!
//! This crate carries headers in and out and decides nothing: all decisions are in `carafe_core`.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod future;
mod layer;
mod service;

#[doc(inline)]
pub use carafe_core::prelude::*;
#[doc(inline)]
pub use carafe_tokio::{GuardOptions, GuardStatus, Guarded, Sweeper, Sweeping};
pub use future::{ResponseFuture, Tower};
pub use layer::SessionLayer;
pub use service::SessionService;
