//! The cookies that the settings give.

use std::sync::Arc;

use futures_executor::block_on;

use super::{NOW, SECRET, first_cookie, with};
use crate::{
    flask::{FlaskConfig, FlaskConfigLoader},
    json::Value,
    session::SessionManager,
};

#[test]
fn later_sources_replace_earlier_ones_and_other_settings_are_ignored() {
    let flask = FlaskConfig::loader()
        .json(r#"{"SESSION_COOKIE_NAME":"file","SESSION_COOKIE_SECURE":0,"SESSION_TYPE":"redis","SERVER_NAME":7,"secret_key":1}"#)
        .variables("FLASK", [("FLASK_SECRET_KEY", SECRET), ("FLASK_SESSION_COOKIE_SECURE", "true"), ("SESSION_COOKIE_NAME", "x")])
        .load()
        .unwrap();
    let cookie = first_cookie(&flask).unwrap();
    assert!(
        cookie.starts_with("file=") && cookie.contains("; Secure"),
        "{cookie}"
    );
}

/// The domain of Flask 2.2.5, without the leading dot, which browsers ignore.
#[test]
fn before_flask_2_3_the_servers_name_gives_the_cookie_its_domain() {
    for (settings, domain) in [
        (
            r#"{"SERVER_NAME":"shop.example.com"}"#,
            Some("shop.example.com"),
        ),
        (
            r#"{"SERVER_NAME":"shop.example.com:5000"}"#,
            Some("shop.example.com"),
        ),
        (r#"{"SERVER_NAME":".example.com"}"#, Some("example.com")),
        (
            r#"{"SERVER_NAME":"example.com","APPLICATION_ROOT":"/app"}"#,
            Some("example.com"),
        ),
        (
            r#"{"SERVER_NAME":"example.com","SESSION_COOKIE_DOMAIN":null}"#,
            Some("example.com"),
        ),
        (
            r#"{"SERVER_NAME":"example.com","SESSION_COOKIE_DOMAIN":false}"#,
            None,
        ),
        (
            r#"{"SERVER_NAME":"a.example.com","SESSION_COOKIE_DOMAIN":"example.com"}"#,
            Some("example.com"),
        ),
        (r#"{"SERVER_NAME":"localhost:5000"}"#, None),
        (r#"{"SERVER_NAME":"127.0.0.1:5000"}"#, None),
        (r#"{"SERVER_NAME":"[::1]:5000"}"#, None),
        (r#"{"SERVER_NAME":null}"#, None),
        ("{}", None),
    ] {
        let loader = || {
            let key = [("SECRET_KEY", Value::from(SECRET))];
            FlaskConfig::loader().map(key).json(settings)
        };
        let domain_of = |loader: FlaskConfigLoader| {
            let flask = loader.load().unwrap();
            let manager = SessionManager::new(flask.client_side(), flask.session_config());
            manager.unwrap().cookie().domain().map(str::to_owned)
        };
        let derived = domain_of(loader().before_flask_2_3());
        assert_eq!(derived.as_deref(), domain, "{settings}");
        let is_set = settings.contains(r#"DOMAIN":"example.com""#);
        assert_eq!(
            domain_of(loader()).is_some(),
            is_set,
            "since 2.3: {settings}"
        );
    }
    for (name, reason) in [
        (
            Value::from(7),
            "SERVER_NAME: is the number 7; write a host name, or null",
        ),
        (
            Value::from("shop.example.com."),
            "SERVER_NAME: is refused: cookie domain",
        ),
    ] {
        let settings = [("SECRET_KEY", Value::from(SECRET)), ("SERVER_NAME", name)];
        let loader = FlaskConfig::loader().map(settings);
        assert!(loader.clone().load().is_ok());
        let error = loader.before_flask_2_3().load().unwrap_err();
        assert!(error.to_string().starts_with(reason), "{error}");
    }
}

#[test]
fn flask_logins_settings_give_the_cookie_that_a_log_out_removes() {
    let removal = |settings: &str| {
        let flask = with(settings).unwrap();
        let manager = SessionManager::new(flask.client_side(), flask.session_config()).unwrap();
        let slot = Arc::new(manager).begin();
        let name = match settings.contains("keep") {
            true => "keep=x",
            false => "remember_token=x",
        };
        let session = block_on(slot.manager().open(&slot, [name.as_bytes()], NOW)).unwrap();
        session.log_out().unwrap();
        let effects = block_on(slot.manager().commit(&slot, [], 200, NOW)).unwrap();
        effects.remember_cookie.unwrap()
    };
    let gone = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0";
    assert_eq!(
        removal("{}"),
        format!("remember_token=; {gone}; HttpOnly; Path=/")
    );
    assert_eq!(
        removal(
            r#"{"REMEMBER_COOKIE_NAME":"keep","REMEMBER_COOKIE_DOMAIN":".example.com","REMEMBER_COOKIE_PATH":"/app","REMEMBER_COOKIE_SECURE":true}"#
        ),
        format!("keep=; Domain=example.com; {gone}; Secure; HttpOnly; Path=/app")
    );
    for (settings, key) in [
        (r#"{"REMEMBER_COOKIE_NAME":"a b"}"#, "REMEMBER_COOKIE_NAME"),
        (
            r#"{"REMEMBER_COOKIE_DOMAIN":"com"}"#,
            "REMEMBER_COOKIE_DOMAIN",
        ),
        (r#"{"REMEMBER_COOKIE_PATH":"app"}"#, "REMEMBER_COOKIE_PATH"),
        (r#"{"REMEMBER_COOKIE_SECURE":0}"#, "REMEMBER_COOKIE_SECURE"),
        (
            r#"{"REMEMBER_COOKIE_SAMESITE":"None"}"#,
            "REMEMBER_COOKIE_SAMESITE",
        ),
        (r#"{"SESSION_PROTECTION":"weak"}"#, "SESSION_PROTECTION"),
    ] {
        let error = with(settings).unwrap_err();
        assert_eq!(error.problems().len(), 1, "{error}");
        assert_eq!(error.problems()[0].key(), key);
    }
}
