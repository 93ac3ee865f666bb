//! Flask's configuration: the settings of a Flask application, read under their own names.
//!
//! [`FlaskConfig`] takes what `app.config` takes from a JSON file and from `FLASK_…` variables, and gives
//! a key ring, the rules of sessions and Flask's cookie format. It is strict where Flask believes anything:
//! `SESSION_COOKIE_SECURE=0` switches `Secure` on in Flask, and here it does not start. All problems are
//! reported at once, one line each, and none shows a key.
//!
//! It never guesses what was meant, and it never changes anything. A Python configuration file cannot be
//! read, and keys are text: JSON has no bytes. Flask-Session's settings (`SESSION_TYPE`…) are not read; what it
//! keeps in its stores is: `stored` (feature `flask-session`).
//!
//! Next: `settings.rs` where values come from, `value.rs` what each may be, `keys.rs` the secrets,
//! `cookie.rs` what the cookie's settings must be together.

mod config;
mod cookie;
mod error;
mod keys;
mod loader;
mod settings;
#[cfg(feature = "flask-session")]
pub mod stored;
mod value;

pub use config::FlaskConfig;
pub use error::{ConfigError, Problem};
pub use loader::FlaskConfigLoader;

#[cfg(test)]
mod tests;
