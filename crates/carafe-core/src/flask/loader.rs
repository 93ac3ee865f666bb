//! Combines a configuration from its sources.

use std::ffi::OsStr;

use super::{ConfigError, FlaskConfig, cookie, keys, login, settings::Settings, value};
use crate::{
    json::Value,
    session::{Refresh, SessionConfig},
};

/// Reads a [`FlaskConfig`] from one source or several.
///
/// The settings of a later source replace those of an earlier one, as with Flask's `app.config`.
///
/// ```
/// use carafe_core::flask::FlaskConfig;
///
/// let file = r#"{
///     "SECRET_KEY": "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1",
///     "SESSION_COOKIE_NAME": "shop"
/// }"#;
/// let flask = FlaskConfig::loader()
///     .json(file)
///     .variables("SHOP", [("SHOP_SESSION_COOKIE_SECURE", "true")])
///     .load()?;
/// # Ok::<(), carafe_core::flask::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a loader does nothing until `load` is called"]
pub struct FlaskConfigLoader {
    settings: Settings,
    weak_keys: bool,
    before_flask_2_3: bool,
}

impl FlaskConfigLoader {
    /// Creates a loader without sources.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the object in a JSON text. As in Flask, `NaN` and duplicate keys are accepted.
    ///
    /// ```
    /// use carafe_core::flask::FlaskConfig;
    ///
    /// let error = FlaskConfig::loader().json("SECRET_KEY = 'x'").load().unwrap_err();
    /// assert!(!error.to_string().contains("SECRET_KEY = 'x'"), "the text may contain a key");
    /// ```
    pub fn json(mut self, text: &str) -> Self {
        self.settings.add_json(text);
        self
    }

    /// Adds settings in memory.
    ///
    /// ```
    /// use carafe_core::{flask::FlaskConfig, json::Value, session::SessionManager};
    ///
    /// let config = FlaskConfig::loader()
    ///     .json(r#"{"SECRET_KEY": "flask-spec-secret", "SESSION_COOKIE_NAME": "shop"}"#)
    ///     .map([("SESSION_COOKIE_NAME", Value::from("shop-test"))])
    ///     .load()?;
    /// let manager = SessionManager::new(config.client_side(), config.session_config())?;
    /// assert_eq!(manager.cookie().name(), "shop-test", "the later source wins");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map<K: AsRef<str>>(mut self, settings: impl IntoIterator<Item = (K, Value)>) -> Self {
        self.settings.add_values(settings);
        self
    }

    /// Adds the environment variables `FLASK_…`.
    pub fn env(self) -> Self {
        self.prefixed_env("FLASK")
    }

    /// Adds the environment variables `PREFIX_…`.
    pub fn prefixed_env(self, prefix: &str) -> Self {
        self.variables(prefix, std::env::vars_os())
    }

    /// Adds the given variables named `PREFIX_…`, for environments that the caller has read.
    ///
    /// ```
    /// use carafe_core::flask::FlaskConfig;
    ///
    /// let variables = [("SHOP_SECRET_KEY", "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1"), ("PATH", "/bin")];
    /// let flask = FlaskConfig::loader().variables("SHOP", variables).load()?;
    /// # Ok::<(), carafe_core::flask::ConfigError>(())
    /// ```
    pub fn variables<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        mut self,
        prefix: &str,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.settings.add_variables(prefix, variables);
        self
    }

    /// Accepts guessable keys, with which an attacker can forge sessions.
    ///
    /// For tests, and to run next to an application until it gets a stronger key. The empty key is
    /// still rejected.
    ///
    /// ```
    /// use carafe_core::flask::FlaskConfig;
    ///
    /// let loader = FlaskConfig::loader().json(r#"{"SECRET_KEY": "dev"}"#);
    /// assert!(loader.clone().load().is_err());
    /// assert!(loader.allow_weak_keys().load().is_ok());
    /// ```
    pub fn allow_weak_keys(mut self) -> Self {
        self.weak_keys = true;
        self
    }

    /// Derives the cookie's domain from `SERVER_NAME` if `SESSION_COOKIE_DOMAIN` is not set.
    ///
    /// For applications that run with Flask 1.0 to 2.2, which derives the domain in the same way.
    /// Without the same domain, neither application can replace or remove the other's cookie, so a
    /// log-out is lost.
    ///
    /// ```
    /// use carafe_core::{flask::FlaskConfig, session::SessionManager};
    ///
    /// let settings = r#"{
    ///     "SECRET_KEY": "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1",
    ///     "SERVER_NAME": "shop.example.com:443"
    /// }"#;
    /// let flask = FlaskConfig::loader().json(settings).before_flask_2_3().load()?;
    /// let sessions = SessionManager::new(flask.client_side(), flask.session_config())?;
    /// assert_eq!(sessions.cookie().domain(), Some("shop.example.com"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn before_flask_2_3(mut self) -> Self {
        self.before_flask_2_3 = true;
        self
    }

    /// Validates the settings.
    ///
    /// ```
    /// use carafe_core::flask::FlaskConfig;
    ///
    /// let variables = [("APP_SECRET_KEY", "dev"), ("APP_SESSION_COOKIE_SECURE", "yes")];
    /// let error = FlaskConfig::loader().variables("APP", variables).load().unwrap_err();
    /// let keys: Vec<_> = error.problems().iter().map(|problem| problem.key()).collect();
    /// assert_eq!(keys, ["APP_SECRET_KEY", "APP_SESSION_COOKIE_SECURE"]);
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with all problems, at most one per setting.
    pub fn load(self) -> Result<FlaskConfig, ConfigError> {
        let mut settings = self.settings;
        let keys = keys::read(&mut settings, self.weak_keys);
        let session = session(&mut settings, self.before_flask_2_3);
        ConfigError::of(settings.into_problems())?;
        // Without a problem there is a key, because `keys::read` reports a missing one.
        let keys = keys.expect("a ring that was not made is a problem");
        Ok(FlaskConfig { keys, session })
    }
}

impl FlaskConfig {
    /// Reads the environment variables `FLASK_…`: Flask's `config.from_prefixed_env()`.
    ///
    /// As in Flask, a variable is read as JSON if it is valid JSON, and as a string otherwise.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with all problems.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::loader().env().load()
    }

    /// Reads the environment variables `PREFIX_…`: Flask's `config.from_prefixed_env("PREFIX")`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with all problems.
    pub fn from_prefixed_env(prefix: &str) -> Result<Self, ConfigError> {
        Self::loader().prefixed_env(prefix).load()
    }

    /// Reads a JSON text: Flask's `config.from_file("config.json", load=json.load)`.
    ///
    /// ```
    /// use carafe_core::flask::FlaskConfig;
    ///
    /// let text = r#"{"SECRET_KEY": "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1"}"#;
    /// assert!(FlaskConfig::from_json(text).is_ok());
    /// assert!(FlaskConfig::from_json("{}").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with all problems.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        Self::loader().json(text).load()
    }

    /// Reads settings in memory: Flask's `config.from_mapping`.
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
    ///
    /// [`ConfigError`] with all problems.
    pub fn from_map<K: AsRef<str>>(
        settings: impl IntoIterator<Item = (K, Value)>,
    ) -> Result<Self, ConfigError> {
        Self::loader().map(settings).load()
    }

    /// Returns a [`FlaskConfigLoader`], for several sources or weak keys.
    pub fn loader() -> FlaskConfigLoader {
        FlaskConfigLoader::new()
    }
}

fn session(settings: &mut Settings, before_flask_2_3: bool) -> SessionConfig {
    let mut config = SessionConfig::flask().with_cookie(cookie::read(settings, before_flask_2_3));
    if let Some(lifetime) = settings.read("PERMANENT_SESSION_LIFETIME", value::lifetime) {
        config = config.with_lifetime(lifetime);
    }
    let truth = "Flask treats any text except the empty one as true";
    if settings.read("SESSION_REFRESH_EACH_REQUEST", |v| value::switch(v, truth)) == Some(false) {
        config = config.with_refresh(Refresh::Never);
    }
    config = config.with_flask_login(login::read(settings));
    // Only the type is checked, because the setting has no effect: see `FlaskConfig`.
    settings.read("MAX_COOKIE_SIZE", value::size);
    config
}
