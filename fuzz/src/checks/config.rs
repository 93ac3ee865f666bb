//! Flask's configuration.

use carafe_core::{
    flask::{ConfigError, FlaskConfig},
    json::Value,
    session::SessionManager,
};

use super::input::Input;

const SECRET: &str = "a-secret-that-stands-nowhere-else";
/// Too short for a key, so that a message mentions the key.
const WEAK: &str = "weak-elsewhere";

/// Checks a JSON text, then the same bytes as variables, one per line.
///
/// A configuration that loads builds a manager. Otherwise the error has one line per problem and
/// contains no key.
pub fn flask_config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let secret = || [("SECRET_KEY", Value::from(SECRET))];
    let before = FlaskConfig::loader().map(secret()).json(&text);
    let after = FlaskConfig::loader().json(&text).map(secret());
    let weak = || Value::from(WEAK);
    let fallbacks = |value| after.clone().map([("SECRET_KEY_FALLBACKS", value)]);
    let (listed, text) = (fallbacks(Value::List(vec![weak()])), fallbacks(weak()));
    let current = after.clone().map([("SECRET_KEY", weak())]);
    for loader in [before, after.clone(), listed, text, current] {
        checked(loader.clone().load());
        checked(loader.allow_weak_keys().load());
    }
    let mut input = Input(data);
    let mut variables = Vec::new();
    while !input.0.is_empty() {
        let line = input.line();
        let (name, value) = line.split_once('=').unwrap_or((&line, ""));
        variables.push((format!("FLASK_{name}"), value.to_owned()));
    }
    checked(
        FlaskConfig::loader()
            .map(secret())
            .variables("FLASK", variables)
            .load(),
    );
}

fn checked(loaded: Result<FlaskConfig, ConfigError>) {
    match loaded {
        Ok(flask) => {
            let shown = format!("{flask:?}");
            assert!(!shown.contains(SECRET) && !shown.contains(WEAK));
            let manager = SessionManager::new(flask.client_side(), flask.session_config());
            let manager = manager.expect("a configuration that loads makes a manager");
            assert!(manager.lifetime().as_secs() > 0);
        }
        Err(error) => {
            let text = error.to_string();
            assert_eq!(text.lines().count(), error.problems().len());
            assert!(!text.is_empty() && !text.contains(['\r', '\0']));
            assert!(!text.contains(SECRET) && !text.contains(WEAK));
        }
    }
}
