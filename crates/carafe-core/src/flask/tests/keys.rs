//! Secret keys, their forms and their absence in messages.

use std::sync::Arc;

use futures_executor::block_on;

use super::{NOW, SECRET, first_cookie, with};
use crate::{flask::FlaskConfig, json::Value, session::SessionManager};

#[test]
fn fallbacks_verify_and_the_refresh_can_be_switched_off() {
    let old = with("{}").unwrap();
    let cookie = first_cookie(&old).unwrap();
    let new = r#"{"SECRET_KEY":"another-spec-secret","SECRET_KEY_FALLBACKS":["flask-spec-secret"],"SESSION_REFRESH_EACH_REQUEST":false}"#;
    let new = with(new).unwrap();
    let manager = SessionManager::new(new.client_side(), new.session_config()).unwrap();
    assert!(!manager.commits_untouched());
    let slot = Arc::new(manager).begin();
    let header = cookie.split(';').next().unwrap().as_bytes();
    assert!(
        block_on(slot.manager().open(&slot, [header], NOW))
            .unwrap()
            .is_permanent()
    );
}

#[test]
fn no_key_is_shown() {
    const KEY: &str = "hunter2-hunter2-hunter2";
    let flask = FlaskConfig::from_map([("SECRET_KEY", Value::from(KEY))]).unwrap();
    let loader = FlaskConfig::loader().map([("SECRET_KEY", Value::from(KEY))]);
    assert_eq!(
        format!("{loader:?}"),
        "FlaskConfigLoader { settings: [\"SECRET_KEY\"], weak_keys: false, before_flask_2_3: false }"
    );
    let shown = format!("{flask:?} {:?} {:?}", flask.keys(), flask.client_side());
    assert!(
        !shown.contains("hunter2") && shown.contains("SecretKey(…)"),
        "{shown}"
    );
    for settings in [
        r#"{"SECRET_KEY":"hunter2"}"#,
        r#"{"SECRET_KEY":["hunter2"]}"#,
        r#"{"SECRET_KEY":{"hunter2":"hunter2"}}"#,
        r#"{"SECRET_KEY":72723}"#,
        r#"{"SECRET_KEY_FALLBACKS":"hunter2"}"#,
        r#"{"SECRET_KEY_FALLBACKS":["hunter2"]}"#,
        r#"{"SECRET_KEY_FALLBACKS":[72723]}"#,
        r#"{"SECRET_KEY_FALLBACKS":{"hunter2":1}}"#,
        r#"{"SECRET_KEY":"hunter2""#,
    ] {
        let error = with(settings).unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.problems());
        assert!(
            !shown.contains("hunter2") && !shown.contains("72723"),
            "{shown}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf_8_is_refused_if_it_is_ours() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let bytes = OsStr::from_bytes(b"\xff-0123456789abcdef");
    let name = OsStr::new;
    let theirs = FlaskConfig::loader().variables(
        "FLASK",
        [
            (name("FLASK_SECRET_KEY"), name(SECRET)),
            (name("FLASK_X"), bytes),
            (bytes, bytes),
        ],
    );
    assert!(theirs.load().is_ok());
    let ours = FlaskConfig::loader()
        .variables("FLASK", [(name("FLASK_SECRET_KEY"), bytes)])
        .load();
    assert_eq!(
        ours.unwrap_err().to_string(),
        "FLASK_SECRET_KEY: is not UTF-8; write it in UTF-8"
    );
}

/// The key of Flask's documentation, with one byte changed so that it is not rejected as well
/// known. The vector was created by Flask 3.1.3.
#[test]
fn a_key_of_bytes_signs_as_flask_signs_with_it() {
    let key = b"_5#y2L\"F4Q8z\n\xec]/~";
    let hex = "5f352379324c22463451387a0aec5d2f7e";
    let base64 = "XzUjeTJMIkY0UTh6CuxdL34=";
    let literal = r#"b'_5#y2L\"F4Q8z\\n\\xec]/~'"#;
    let forms = [
        format!(r#"{{"hex":"{hex}"}}"#),
        format!(r#"{{"base64":"{base64}"}}"#),
        format!(r#"{{"python":"{literal}"}}"#),
    ];
    let mut loaded: Vec<_> = forms
        .iter()
        .map(|form| FlaskConfig::from_json(&format!(r#"{{"SECRET_KEY":{form}}}"#)).unwrap())
        .collect();
    loaded.push(FlaskConfig::from_map([("SECRET_KEY", Value::Bytes(key.to_vec()))]).unwrap());
    let variables = [("FLASK_SECRET_KEY", &forms[0])];
    loaded.push(
        FlaskConfig::loader()
            .variables("FLASK", variables)
            .load()
            .unwrap(),
    );
    for flask in loaded {
        assert_eq!(
            first_cookie(&flask).as_deref(),
            Some(
                "session=eyJfcGVybWFuZW50Ijp0cnVlfQ.ZVPxAA.ZczlAN2Q9LyfbCj3TEeHsRaXjJM; Expires=Fri, 15 Dec 2023 22:13:20 GMT; HttpOnly; Path=/"
            ),
        );
    }
    let fallbacks = format!(
        r#"{{"SECRET_KEY":"another key of some length","SECRET_KEY_FALLBACKS":[{},"a third key of some length"]}}"#,
        forms[0]
    );
    assert!(FlaskConfig::from_json(&fallbacks).is_ok());
}
