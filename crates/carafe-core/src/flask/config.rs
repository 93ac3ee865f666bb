//! The cookie and session settings of a Flask application.

use crate::{
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
///     "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; \
///      Secure; HttpOnly; Path=/; SameSite=Lax",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | setting | valid values | default |
/// | setting | valid values | default |
/// | `SECRET_KEY` | text of at least 16 bytes, or [bytes](super::key_bytes) | required |
/// | `SECRET_KEY_FALLBACKS` | a list of such keys, or null | none |
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
/// | `REMEMBER_COOKIE_NAME`, `…_DOMAIN`, `…_PATH` | as above | `remember_token`, null, `/` |
/// | `REMEMBER_COOKIE_SECURE`, `…_HTTPONLY`, `…_SAMESITE` | as above | false, true, null |
/// | `SESSION_PROTECTION` | `basic`, `strong`, or null | `basic`, as in Flask-Login |
/// | `SERVER_NAME` | a host name, or null | domain [before Flask 2.3][before] |
/// | `MAX_COOKIE_SIZE` | bytes, or null | has no effect |
///
/// `MAX_COOKIE_SIZE` only sets the size at which Flask warns. Browsers drop a cookie with more than
/// 4096 bytes of name and value in any case, so that is the limit here. All other settings, such as
/// `TESTING`, do not affect sessions (or belong to another program) and are ignored.
///
/// [before]: super::FlaskConfigLoader::before_flask_2_3
#[derive(Clone, Debug)]
pub struct FlaskConfig {
    pub(super) keys: KeyRing,
    pub(super) session: SessionConfig,
}

impl FlaskConfig {
    /// Returns the key ring of `SECRET_KEY` and its fallbacks.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::flask::FlaskConfig;
    /// use carafe_core::token::signed::{SignerSettings, UrlSafeSerializer};
    ///
    /// // The application's own tokens have the same keys as its sessions.
    /// let config = FlaskConfig::from_json(r#"{"SECRET_KEY": "flask-spec-secret"}"#)?;
    /// let settings = SignerSettings::with_salt("confirm");
    /// let serializer = UrlSafeSerializer::new(config.keys(), settings);
    /// let signed = serializer.dumps("ada@example.com")?;
    /// assert_eq!(serializer.loads::<String>(&signed, Timestamp::now())?, "ada@example.com");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// Returns the session rules: [`SessionConfig::flask`] with the application's settings.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_core::{flask::FlaskConfig, session::SessionManager};
    ///
    /// let config = FlaskConfig::from_json(
    ///     r#"{"SECRET_KEY": "flask-spec-secret", "PERMANENT_SESSION_LIFETIME": 3600,
    ///         "SESSION_COOKIE_NAME": "shop"}"#,
    /// )?;
    /// let manager = SessionManager::new(config.client_side(), config.session_config())?;
    /// assert_eq!(manager.lifetime(), Duration::from_secs(3_600));
    /// assert_eq!(manager.cookie().name(), "shop");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn session_config(&self) -> SessionConfig {
        self.session.clone()
    }

    /// Returns Flask's own session backend: signed cookies, with the application's keys.
    #[must_use]
    pub fn client_side(&self) -> ClientSide {
        ClientSide::signed(self.keys.clone())
    }
}
