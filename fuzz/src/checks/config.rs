//! Flask's configuration.

use carafe_core::{
    flask::{ConfigError, FlaskConfig},
    json::Value,
    session::SessionManager,
};

use super::input::Input;

const SECRET: &str = "a-secret-that-stands-nowhere-else";

/// A JSON text, then the same bytes as variables, one to a line: what loads makes a manager, and what does
/// not says so on one line per problem without a key.
pub fn flask_config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let secret = || [("SECRET_KEY", Value::from(SECRET))];
    let before = FlaskConfig::loader().map(secret()).json(&text);
    let after = FlaskConfig::loader().json(&text).map(secret());
    let listed = Value::List(vec![Value::from("x"), Value::from(SECRET)]);
    let fallbacks = after.clone().map([
        ("SECRET_KEY_FALLBACKS", listed),
        ("SECRET_KEY", Value::from("short")),
    ]);
    for loader in [before, after, fallbacks] {
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
            assert!(!format!("{flask:?}").contains(SECRET));
            let manager = SessionManager::new(flask.client_side(), flask.session_config());
            let manager = manager.expect("a configuration that loads makes a manager");
            assert!(manager.lifetime().as_secs() > 0);
        }
        Err(error) => {
            let text = error.to_string();
            assert_eq!(text.lines().count(), error.problems().len());
            assert!(!text.is_empty() && !text.contains(SECRET) && !text.contains(['\r', '\0']));
        }
    }
}
