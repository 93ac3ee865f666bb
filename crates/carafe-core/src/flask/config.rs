//! A Flask application's configuration, as far as cookies and sessions go.

use super::{ConfigError, FlaskConfigLoader};
use crate::{
    json::Value,
    key::KeyRing,
    session::{ClientSide, SessionConfig},
};

/// The keys and the session rules of a Flask application, from its own settings.
///
/// ```
/// use carafe_core::{flask::FlaskConfig, session::SessionManager};
///
/// let flask = FlaskConfig::from_json(r#"{
///     "SECRET_KEY": "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1",
///     "SECRET_KEY_FALLBACKS": ["9f86d081884c7d659a2feaa0c55ad015"],
///     "SESSION_COOKIE_SECURE": true,
///     "SESSION_COOKIE_SAMESITE": "Lax",
///     "MAIL_SERVER": "localhost"
/// }"#)?;
/// let sessions = SessionManager::new(flask.client_side(), flask.session_config())?;
/// assert_eq!(
///     sessions.cookie().removal(),
///     "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Secure; HttpOnly; Path=/; SameSite=Lax",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | setting | may be | unless set |
/// |---|---|---|
/// | `SECRET_KEY` | text of 16 bytes or more | needed |
/// | `SECRET_KEY_FALLBACKS` | a list of such texts, or null | none |
/// | `SESSION_COOKIE_NAME` | a cookie name | `session` |
/// | `SESSION_COOKIE_DOMAIN` | a host name; null or false for this host only | null |
/// | `SESSION_COOKIE_PATH` | a path; null for `APPLICATION_ROOT` | null |
/// | `SESSION_COOKIE_HTTPONLY` | true, false | true |
/// | `SESSION_COOKIE_SECURE` | true, false | false; true if `PARTITIONED` |
/// | `SESSION_COOKIE_SAMESITE` | `Lax`, `Strict`, `None` in any case, or null | null |
/// | `SESSION_COOKIE_PARTITIONED` | true, false | false |
/// | `PERMANENT_SESSION_LIFETIME` | seconds, over 0 | 2678400 (31 days) |
/// | `SESSION_REFRESH_EACH_REQUEST` | true, false | true |
/// | `APPLICATION_ROOT` | a path | `/` |
/// | `MAX_COOKIE_SIZE` | bytes, or null | has no effect |
///
/// `MAX_COOKIE_SIZE` only makes Flask warn, with any value, and browsers drop a cookie whose name and
/// value have over 4096 bytes, with any value: that is the limit here. All other settings, such as
/// `SERVER_NAME`, say nothing about sessions (or are another program's) and are ignored.
#[derive(Clone, Debug)]
pub struct FlaskConfig {
    pub(super) keys: KeyRing,
    pub(super) session: SessionConfig,
}

impl FlaskConfig {
    /// From the variables `FLASK_…` of the environment: Flask's `config.from_prefixed_env()`.
    ///
    /// A variable is read as JSON if it is JSON, and as text otherwise, as Flask does it.
    ///
    /// # Errors
    /// [`ConfigError`] with all that is wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::loader().env().load()
    }

    /// From the variables `PREFIX_…`: Flask's `config.from_prefixed_env("PREFIX")`.
    ///
    /// # Errors
    /// [`ConfigError`] with all that is wrong.
    pub fn from_prefixed_env(prefix: &str) -> Result<Self, ConfigError> {
        Self::loader().prefixed_env(prefix).load()
    }

    /// From the text of a JSON file: Flask's `config.from_file("config.json", load=json.load)`.
    ///
    /// # Errors
    /// [`ConfigError`] with all that is wrong.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        Self::loader().json(text).load()
    }

    /// From settings in memory: Flask's `config.from_mapping`.
    ///
    /// ```
    /// use carafe_core::{flask::FlaskConfig, json::Value};
    ///
    /// let flask = FlaskConfig::from_map([
    ///     ("SECRET_KEY", Value::from("4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1")),
    ///     ("PERMANENT_SESSION_LIFETIME", Value::from(3600)),
    /// ])?;
    /// # Ok::<(), carafe_core::flask::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] with all that is wrong.
    pub fn from_map<K: AsRef<str>>(
        settings: impl IntoIterator<Item = (K, Value)>,
    ) -> Result<Self, ConfigError> {
        Self::loader().map(settings).load()
    }

    /// From several sources, or with weak keys: see [`FlaskConfigLoader`].
    pub fn loader() -> FlaskConfigLoader {
        FlaskConfigLoader::new()
    }

    /// `SECRET_KEY` and its fallbacks.
    #[must_use]
    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// The rules of the application's sessions: [`SessionConfig::flask`] with its settings.
    pub fn session_config(&self) -> SessionConfig {
        self.session.clone()
    }

    /// Flask's own sessions: signed, kept in the cookie, under the application's keys.
    #[must_use]
    pub fn client_side(&self) -> ClientSide {
        ClientSide::signed(self.keys.clone())
    }
}
