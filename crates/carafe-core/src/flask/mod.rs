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
