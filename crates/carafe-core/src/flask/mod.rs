//! Reads the settings of a Flask application under their own names.
//!
//! [`FlaskConfig`] accepts the settings that `app.config` accepts from a JSON file and from
//! `FLASK_…` variables, and returns a key ring, the session rules and Flask's cookie format. Values
//! are checked where Flask accepts anything: `SESSION_COOKIE_SECURE=0` enables `Secure` in Flask
//! and is an error here. All problems are reported together, one line each, and no message contains
//! a key.
//!
//! Settings are never guessed or changed. A Python configuration file cannot be read. [`key_bytes`]
//! describes how to write a key of bytes, which JSON cannot express. Flask-Session's settings
//! (`SESSION_TYPE`…) are not read. `stored` (feature `flask-session`) reads its stored sessions.
//!
//! `settings.rs` contains the sources of settings, `value.rs` the valid values, `keys.rs` the
//! secret keys, and `cookie.rs` the rules for combinations of cookie settings.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//!
//! use carafe_core::{flask::FlaskConfig, session::SessionManager};
//!
//! let config = FlaskConfig::from_json(
//!     r#"{"SECRET_KEY": "flask-spec-secret", "SESSION_COOKIE_SAMESITE": "Lax"}"#,
//! )?;
//! let manager = SessionManager::new(config.client_side(), config.session_config())?;
//! assert_eq!(manager.cookie().removal().split("; ").last(), Some("SameSite=Lax"));
//!
//! let error = FlaskConfig::from_json(r#"{"SESSION_COOKIE_SECURE": 0}"#).unwrap_err();
//! assert_eq!(error.problems().len(), 2, "no key, and not a boolean");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod cookie;
mod error;
mod key_bytes;
mod keys;
mod loader;
mod login;
mod settings;
#[cfg(feature = "flask-session")]
pub mod stored;
mod value;

pub use config::FlaskConfig;
pub use error::{ConfigError, Problem};
pub use key_bytes::{KeyBytesError, key_bytes};
pub use loader::FlaskConfigLoader;

#[cfg(test)]
mod tests;
