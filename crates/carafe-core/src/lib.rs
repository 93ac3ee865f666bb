//! The engine of Carafe: cookies and sessions with Flask's model and Flask's wire format.
//!
//! This crate opens no socket, uses no web framework and reads no clock: its inputs are header
//! bytes and the time, its outputs are decisions and header text. Applications use the crate
//! `carafe` or `carafe-actix`. This crate is for adapters to other frameworks, for stores, and for
//! programs that sign or read cookies themselves.
//!
//! | module | responsibility | it never |
//! |---|---|---|
//! | [`key`] | secret keys and the key ring | shows a key |
//! | [`token`] | signed and encrypted text | decodes unverified text |
//! | [`json`] | Python's and Flask's JSON, byte for byte | changes unmodified text |
//! | [`cookie`] | parsing `Cookie`, rendering `Set-Cookie` | depends on a session |
//! | [`store`] | the contract of stores, and the memory store | sees a session ID |
//! | [`session`] | the dictionary, and the operations on it during a request | opens a socket |
//! | [`csrf`] | detection of cross-site requests | depends on a token |
//! | [`limits`] | size limits | depends on a store |
//! | [`error`] | responsibility for errors | repeats a cause |
//! | [`testing`] | clients and a clock for tests | depends on a framework |
//! | [`flask`] | a Flask application's settings, by their names | guesses a setting |
//!
//! # Example
//!
//! A session that a program keeps in a signed cookie, as Flask would:
//!
//! ```
//! use std::sync::Arc;
//!
//! use carafe_core::clock::Timestamp;
//! use carafe_core::key::SecretKey;
//! use carafe_core::session::{ClientSide, SessionConfig, SessionManager};
//!
//! # futures_executor::block_on(async {
//! let side = ClientSide::signed(SecretKey::short("flask-spec-secret")?);
//! let manager = Arc::new(SessionManager::new(side, SessionConfig::flask())?);
//!
//! // A request without cookies.
//! let (slot, now) = (manager.begin(), Timestamp::from_unix(1_700_000_000));
//! let session = manager.open(&slot, [], now).await?;
//! session.insert("user_id", &42)?;
//! let changes = manager.commit(&slot, [], 200, now).await?;
//! let line = changes.set_cookie.expect("the session has changed");
//! assert_eq!(
//!     line,
//!     "session=eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw; HttpOnly; Path=/",
//! );
//!
//! // The next request of the same browser, which sends the part before the first `;`.
//! let cookie = line.split(';').next().unwrap_or_default();
//! let slot = manager.begin();
//! let session = manager.open(&slot, [cookie.as_bytes()], now).await?;
//! assert_eq!(session.get("user_id")?, Some(42));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

#![warn(clippy::print_stdout, clippy::print_stderr)]

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
mod base64;
pub mod clock;
pub mod cookie;
pub mod csrf;
mod data;
pub mod error;
pub mod flask;
mod future;
mod id;
pub mod json;
pub mod key;
pub mod limits;
pub mod session;
pub mod store;
pub mod testing;
pub mod token;

pub use future::MaybeReady;
