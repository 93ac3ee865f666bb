//! The sources of settings: JSON text, values and variables. Only known settings are kept.

use std::{collections::BTreeMap, ffi::OsStr, fmt};

use super::Problem;
use crate::json::Value;

/// The settings that Carafe reads.
const KNOWN: [&str; 21] = [
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_PARTITIONED",
    "PERMANENT_SESSION_LIFETIME",
    "SESSION_REFRESH_EACH_REQUEST",
    "MAX_COOKIE_SIZE",
    "APPLICATION_ROOT",
    "SERVER_NAME",
    "SESSION_PROTECTION",
    "REMEMBER_COOKIE_NAME",
    "REMEMBER_COOKIE_DOMAIN",
    "REMEMBER_COOKIE_PATH",
    "REMEMBER_COOKIE_SECURE",
    "REMEMBER_COOKIE_HTTPONLY",
    "REMEMBER_COOKIE_SAMESITE",
];

/// The settings read so far, and their problems.
#[derive(Clone, Default)]
pub(super) struct Settings {
    found: BTreeMap<&'static str, Setting>,
    problems: Vec<Problem>,
    /// The prefix of the last source, for the message about a missing setting.
    prefix: String,
}

#[derive(Clone)]
struct Setting {
    value: Result<Value, &'static str>,
    prefix: String,
}

impl Settings {
    pub(super) fn add_json(&mut self, text: &str) {
        match Value::parse(text, false) {
            Ok(Value::Dict(members)) => {
                let named = members
                    .into_iter()
                    .map(|(key, value)| (key.to_string(), value));
                self.add_values(named);
            }
            Ok(other) => {
                let reason = format!("is {}; write a JSON object", super::value::kind(&other));
                self.problems.push(Problem::new("the JSON text", reason));
            }
            Err(error) => {
                let reason = format!("cannot be read: {error}");
                self.problems.push(Problem::new("the JSON text", reason));
            }
        }
    }

    pub(super) fn add_values<K: AsRef<str>>(
        &mut self,
        values: impl IntoIterator<Item = (K, Value)>,
    ) {
        self.prefix.clear();
        for (key, value) in values {
            self.add(key.as_ref(), Ok(value));
        }
    }

    /// Adds variables like `config.from_prefixed_env`.
    ///
    /// Names are case-sensitive. Values are JSON or strings.
    pub(super) fn add_variables<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        &mut self,
        prefix: &str,
        variables: impl IntoIterator<Item = (K, V)>,
    ) {
        self.prefix = format!("{prefix}_");
        for (name, value) in variables {
            let name = name.as_ref().to_str();
            if let Some(key) = name.and_then(|name| name.strip_prefix(&self.prefix)) {
                self.add(key, json_or_text(value.as_ref()));
            }
        }
    }

    fn add(&mut self, key: &str, value: Result<Value, &'static str>) {
        if let Some(known) = KNOWN.into_iter().find(|known| *known == key) {
            let prefix = self.prefix.clone();
            self.found.insert(known, Setting { value, prefix });
        }
    }

    /// Returns the result of `read` for a setting, or `None` if the setting is absent or invalid.
    ///
    /// An invalid setting is added to the problems.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let setting = self.found.get(key)?;
        let result = match &setting.value {
            Ok(value) => read(value),
            Err(reason) => Err((*reason).to_owned()),
        };
        result.map_err(|reason| self.refuse(key, reason)).ok()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.found.contains_key(key)
    }

    /// Returns whether no problem has been found.
    pub(super) const fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    /// Adds a problem, if it is the first one of this setting.
    pub(super) fn refuse(&mut self, key: &str, reason: impl Into<String>) {
        let key = self.shown(key);
        if self.problems.iter().all(|known| known.key() != key) {
            self.problems.push(Problem::new(key, reason));
        }
    }

    /// Returns the name of the setting in its source.
    pub(super) fn shown(&self, key: &str) -> String {
        let setting = self.found.get(key);
        let prefix = setting.map_or(&self.prefix, |setting| &setting.prefix);
        format!("{prefix}{key}")
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}

fn json_or_text(value: &OsStr) -> Result<Value, &'static str> {
    let text = value.to_str().ok_or("is not UTF-8; write it in UTF-8")?;
    Ok(Value::parse(text, false).unwrap_or_else(|_| Value::from(text)))
}

/// Shows only names, because some values are keys.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.found.keys()).finish()
    }
}
