//! Puts a configuration together from its sources.

use std::ffi::OsStr;

use super::{ConfigError, FlaskConfig, cookie, keys, settings::Settings, value};
use crate::{
    json::Value,
    session::{Refresh, SessionConfig},
};

/// Reads a [`FlaskConfig`] from one source or several; a later one replaces the settings of an earlier
/// one, as calls on Flask's `app.config` do.
///
/// ```
/// use carafe_core::flask::FlaskConfig;
///
/// let file = r#"{"SECRET_KEY": "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1", "SESSION_COOKIE_NAME": "shop"}"#;
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
}

impl FlaskConfigLoader {
    /// A loader without sources.
    pub fn new() -> Self {
        Self::default()
    }

    /// The object in a JSON file. Flask reads Python's JSON, so `NaN` and repeated keys are no errors.
    pub fn json(mut self, text: &str) -> Self {
        self.settings.add_json(text);
        self
    }

    /// Settings in memory.
    pub fn map<K: AsRef<str>>(mut self, settings: impl IntoIterator<Item = (K, Value)>) -> Self {
        self.settings.add_values(settings);
        self
    }

    /// The variables `FLASK_…` of the environment.
    pub fn env(self) -> Self {
        self.prefixed_env("FLASK")
    }

    /// The variables `PREFIX_…` of the environment.
    pub fn prefixed_env(self, prefix: &str) -> Self {
        self.variables(prefix, std::env::vars_os())
    }

    /// Those of the given variables that are called `PREFIX_…`, for environments that were read elsewhere.
    pub fn variables<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        mut self,
        prefix: &str,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.settings.add_variables(prefix, variables);
        self
    }

    /// Accepts keys that can be guessed, by which anybody can forge sessions: for tests, and to serve
    /// beside an application until it gets a better key. The empty key is refused all the same.
    pub fn allow_weak_keys(mut self) -> Self {
        self.weak_keys = true;
        self
    }

    /// Checks all of it.
    ///
    /// # Errors
    /// [`ConfigError`] with all that is wrong, one problem for each setting at most.
    pub fn load(self) -> Result<FlaskConfig, ConfigError> {
        let mut settings = self.settings;
        let keys = keys::read(&mut settings, self.weak_keys);
        let session = session(&mut settings);
        ConfigError::of(settings.into_problems())?;
        // Without a problem there is a key: `keys::read` reports a missing one.
        let keys = keys.expect("a ring that was not made is a problem");
        Ok(FlaskConfig { keys, session })
    }
}

fn session(settings: &mut Settings) -> SessionConfig {
    let mut config = SessionConfig::flask().with_cookie(cookie::read(settings));
    if let Some(lifetime) = settings.read("PERMANENT_SESSION_LIFETIME", value::lifetime) {
        config = config.with_lifetime(lifetime);
    }
    let truth = "Flask takes any text but the empty one for true";
    if settings.read("SESSION_REFRESH_EACH_REQUEST", |v| value::switch(v, truth)) == Some(false) {
        config = config.with_refresh(Refresh::Never);
    }
    // Checked for its type, and then without effect: see `FlaskConfig`.
    settings.read("MAX_COOKIE_SIZE", value::size);
    config
}
