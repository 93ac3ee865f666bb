//! Flask's environment vectors, the pitfalls of Flask's configuration, and keys in messages.

use futures_executor::block_on;
use std::{fs, path::PathBuf, sync::Arc};

use serde_json::Value as Json;

use super::{ConfigError, FlaskConfig, FlaskConfigLoader};
use crate::{
    clock::Timestamp,
    json::Value,
    session::{SessionManager, Slot},
};

/// The key of the vectors.
const SECRET: &str = "flask-spec-secret";
const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

/// Settings that Flask accepts and Carafe rejects, each with the reason.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "a switch is true or false: in Flask anything else switches the attribute on, even 0",
        &[
            "E004", "E005", "E006", "E007", "E008", "E009", "E011", "E013", "E014", "E015", "E018",
            "E019", "E020", "E021", "E022", "E023", "E025", "E027", "E028", "E029", "E032", "E033",
            "E034", "E035", "E036", "E037", "E039", "E041", "E042", "E043", "E046", "E047", "E048",
            "E049", "E050", "E051", "E053", "E055", "E056", "E057",
        ],
    ),
    (
        "a switch is not null, which for HttpOnly would be the unsafe one",
        &["E010", "E024", "E038", "E052"],
    ),
    (
        "fallbacks are a list: Flask accepts each character of a text, and each key of an object",
        &["E070", "E072", "E073", "E076", "E079", "E080"],
    ),
    (
        "a fallback is not empty: Flask accepts cookies signed with the empty key",
        &["E075"],
    ),
    (
        "a name is one that browsers keep: none is not, with a blank is not, and prefixes have rules",
        &["E084", "E086", "E087"],
    ),
    (
        "a domain is a host name: Flask sends `Domain=`, `Domain=False`, `Domain=None`",
        &["E091", "E094", "E095"],
    ),
    (
        "a cookie for an IP address is for that host only",
        &["E096"],
    ),
    (
        "a path begins with a slash, or browsers ignore it",
        &["E101"],
    ),
    (
        "SameSite=None needs Secure, or browsers drop the cookie",
        &["E107", "E108"],
    ),
    ("a lifetime is a number over 0", &["E115", "E116", "E123"]),
    ("a size is not negative", &["E127"]),
    (
        "the application's root is a path: Flask sends `Path=` or none",
        &["E131", "E132", "E137"],
    ),
    (
        "a cookie that was written not to be secure is not made so by Partitioned",
        &["E140"],
    ),
];

fn vectors() -> Vec<Json> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../testdata/vectors/flask_environment.jsonl");
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Loads an application that had the vectors' key before its environment was read.
fn under(env: &Json) -> FlaskConfigLoader {
    let pairs = env.as_object().unwrap().iter();
    let variables = pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    FlaskConfig::loader()
        .map([("SECRET_KEY", Value::from(SECRET))])
        .variables("FLASK", variables)
}

/// Returns the cookie of a view that creates a permanent session.
fn first_cookie(flask: &FlaskConfig) -> Option<String> {
    let manager = SessionManager::new(flask.client_side(), flask.session_config()).unwrap();
    let slot: Slot = Arc::new(manager).begin();
    let manager = slot.manager();
    block_on(manager.open(&slot, [], NOW))
        .unwrap()
        .set_permanent(true)
        .unwrap();
    block_on(manager.commit(&slot, [], 200, NOW))
        .unwrap()
        .set_cookie
}

#[test]
fn every_environment_gives_flasks_cookie_or_is_refused_for_a_reason() {
    let mut listed = REFUSED
        .iter()
        .flat_map(|(_, ids)| ids.iter().copied())
        .collect::<Vec<_>>();
    for vector in vectors() {
        let id = vector["id"].as_str().unwrap();
        let is_trap = listed.iter().position(|known| *known == id);
        match under(&vector["env"]).allow_weak_keys().load() {
            Ok(flask) => {
                assert_eq!(is_trap, None, "{id} is not refused any more");
                assert_eq!(
                    first_cookie(&flask).as_deref(),
                    vector["set_cookie"].as_str(),
                    "{id}"
                );
            }
            Err(error) => {
                let flask_fails = vector["status"] == 500;
                assert!(flask_fails || is_trap.is_some(), "{id}: {error}");
                assert_eq!(error.problems().len(), 1, "{id}: {error}");
                assert!(
                    error.problems()[0].key().starts_with("FLASK_"),
                    "{id}: {error}"
                );
            }
        }
        is_trap.map(|position| listed.swap_remove(position));
    }
    assert!(
        listed.is_empty(),
        "listed twice or not in the file: {listed:?}"
    );
}

#[test]
fn guessable_keys_are_refused_unless_asked_for_by_name() {
    for id in ["E058", "E063", "E069", "E071", "E141"] {
        let vectors = vectors();
        let vector = vectors.iter().find(|vector| vector["id"] == id).unwrap();
        let loader = under(&vector["env"]);
        let error = loader.clone().load().unwrap_err().to_string();
        assert!(error.contains("SECRET_KEY"), "{id}: {error}");
        assert!(loader.allow_weak_keys().load().is_ok(), "{id}");
    }
    let empty = FlaskConfig::loader()
        .json(r#"{"SECRET_KEY":""}"#)
        .allow_weak_keys()
        .load();
    assert!(empty.is_err());
}

/// Loads settings with a valid key.
fn with(settings: &str) -> Result<FlaskConfig, ConfigError> {
    FlaskConfig::loader()
        .map([("SECRET_KEY", Value::from(SECRET))])
        .json(settings)
        .load()
}

#[test]
fn each_message_says_what_it_got_and_what_to_write() {
    for (settings, message) in [
        (
            r#"{"SESSION_COOKIE_SECURE":0}"#,
            "SESSION_COOKIE_SECURE: is the number 0; write true or false (for Flask even 0 and \"False\" switch Secure on)",
        ),
        (
            r#"{"SESSION_COOKIE_HTTPONLY":"False"}"#,
            "SESSION_COOKIE_HTTPONLY: is the text \"False\"; write true or false (for Flask even 0 and \"False\" switch HttpOnly on)",
        ),
        (
            r#"{"SESSION_REFRESH_EACH_REQUEST":"no"}"#,
            "SESSION_REFRESH_EACH_REQUEST: is the text \"no\"; write true or false (Flask treats any text except the empty one as true)",
        ),
        (
            r#"{"SECRET_KEY":1234}"#,
            "SECRET_KEY: is read as a number, with which Flask fails; put it into double quotes inside the value, or take a key with letters in it",
        ),
        (
            r#"{"SECRET_KEY":null}"#,
            "SECRET_KEY: is null; `carafe key` makes a key",
        ),
        (
            r#"{"SECRET_KEY":["a"]}"#,
            "SECRET_KEY: is a list, with which Flask fails; write text",
        ),
        (
            r#"{"SECRET_KEY":{"bytes":"a"}}"#,
            "SECRET_KEY: is an object; write bytes as {\"hex\": \"5f35…\"}, {\"base64\": \"XzUj…\"} or {\"python\": \"b'_5…'\"}",
        ),
        (
            r#"{"SECRET_KEY":{"hex":"5f352379324c22463451387a0aec5d2"}}"#,
            "SECRET_KEY: has an odd number of hexadecimal digits; write bytes as {\"hex\": \"5f35…\"}, {\"base64\": \"XzUj…\"} or {\"python\": \"b'_5…'\"}",
        ),
        (
            r#"{"SECRET_KEY":{"hex":"5f3523"}}"#,
            "SECRET_KEY: is refused: the secret key has 3 bytes and needs at least 16; `carafe key` generates one",
        ),
        (
            r#"{"SECRET_KEY_FALLBACKS":["0123456789abcdef",{"base64":"%"}]}"#,
            "SECRET_KEY_FALLBACKS: item 2 is no base64; write bytes as {\"hex\": \"5f35…\"}, {\"base64\": \"XzUj…\"} or {\"python\": \"b'_5…'\"}",
        ),
        (
            r#"{"SECRET_KEY":""}"#,
            "SECRET_KEY: is empty, often from a variable that is not set; `carafe key` makes a key",
        ),
        (
            r#"{"SECRET_KEY":"\ud800aaaaaaaaaaaaaaaa"}"#,
            "SECRET_KEY: holds half a surrogate pair, which is no text; write another key",
        ),
        (
            r#"{"SECRET_KEY":"hunter2"}"#,
            "SECRET_KEY: is refused: the secret key has 7 bytes and needs at least 16; `carafe key` generates one",
        ),
        (
            r#"{"SECRET_KEY_FALLBACKS":"oldkey"}"#,
            "SECRET_KEY_FALLBACKS: is text and no list, and Flask would accept each of its characters as a key, so that anybody could forge sessions; write a JSON list, as [\"old key\"], or [] for none",
        ),
        (
            r#"{"SECRET_KEY_FALLBACKS":[""]}"#,
            "SECRET_KEY_FALLBACKS: item 1 is empty, often from a variable that is not set; `carafe key` makes a key",
        ),
        (
            r#"{"SECRET_KEY_FALLBACKS":["0123456789abcdef",7]}"#,
            "SECRET_KEY_FALLBACKS: item 2 is a number; write text",
        ),
        (
            r#"{"SECRET_KEY_FALLBACKS":["flask-spec-secret"]}"#,
            "SECRET_KEY_FALLBACKS: item 1: the key ring already contains this secret key; leave it out",
        ),
        (
            r#"{"SECRET_KEY_FALLBACKS":7}"#,
            "SECRET_KEY_FALLBACKS: is a number; write a JSON list, as [\"old key\"], or [] for none",
        ),
        (
            r#"{"PERMANENT_SESSION_LIFETIME":0}"#,
            "PERMANENT_SESSION_LIFETIME: is the number 0, so every session would expire immediately; write a number of seconds over 0, such as 3600",
        ),
        (
            r#"{"PERMANENT_SESSION_LIFETIME":1e99}"#,
            "PERMANENT_SESSION_LIFETIME: is the number 1e99, which is too long for the date of a cookie; write a number of seconds over 0, such as 3600",
        ),
        (
            r#"{"PERMANENT_SESSION_LIFETIME":"1h"}"#,
            "PERMANENT_SESSION_LIFETIME: is the text \"1h\"; write a number of seconds over 0, such as 3600",
        ),
        (
            r#"{"SESSION_COOKIE_SAMESITE":"no\nne"}"#,
            "SESSION_COOKIE_SAMESITE: is the text \"no\\nne\"; write \"Lax\", \"Strict\" or \"None\", or null for no attribute",
        ),
        (
            r#"{"SESSION_COOKIE_SAMESITE":"None"}"#,
            "SESSION_COOKIE_SAMESITE: gives SameSite=None, and browsers drop such a cookie without Secure; set SESSION_COOKIE_SECURE to true, or leave SameSite=None out",
        ),
        (
            r#"{"SESSION_COOKIE_NAME":"__Host-sid"}"#,
            "SESSION_COOKIE_NAME: is refused: cookie \"__Host-sid\": the prefix __Host- needs Secure; turn it on or rename the cookie (that is SESSION_COOKIE_SECURE)",
        ),
        (
            r#"{"SESSION_COOKIE_DOMAIN":""}"#,
            "SESSION_COOKIE_DOMAIN: is the text \"\"; write a host name, or null for this host only",
        ),
        (
            r#"{"SESSION_COOKIE_DOMAIN":"127.0.0.1"}"#,
            "SESSION_COOKIE_DOMAIN: is refused: cookie domain \"127.0.0.1\": a cookie for an IP address is for that host only; leave the domain out",
        ),
        (
            r#"{"SESSION_COOKIE_PATH":"app"}"#,
            "SESSION_COOKIE_PATH: is refused: cookie path \"app\": must start with \"/\", or browsers ignore it",
        ),
        (
            r#"{"APPLICATION_ROOT":"app"}"#,
            "APPLICATION_ROOT: is refused: cookie path \"app\": must start with \"/\", or browsers ignore it",
        ),
        (
            r#"{"MAX_COOKIE_SIZE":"big"}"#,
            "MAX_COOKIE_SIZE: is the text \"big\"; write a number of bytes, such as 4093, or null",
        ),
        ("[1]", "the JSON text: is a list; write a JSON object"),
        (
            r#"{"SECRET_KEY":"#,
            "the JSON text: cannot be read: not JSON from byte 14 on",
        ),
    ] {
        assert_eq!(with(settings).unwrap_err().to_string(), message);
    }
}

#[test]
fn all_problems_come_at_once_one_for_each_setting() {
    let variables = [
        ("SHOP_SECRET_KEY", "42"),
        ("SHOP_SECRET_KEY_FALLBACKS", "old"),
        ("SHOP_SESSION_COOKIE_NAME", "a b"),
        ("SHOP_SESSION_COOKIE_DOMAIN", "a..b"),
        ("SHOP_SESSION_COOKIE_PATH", "app"),
        ("SHOP_SESSION_COOKIE_HTTPONLY", "0"),
        ("SHOP_SESSION_COOKIE_SAMESITE", "None"),
        ("SHOP_PERMANENT_SESSION_LIFETIME", "-1"),
        ("SHOP_SESSION_REFRESH_EACH_REQUEST", "False"),
        ("SHOP_MAX_COOKIE_SIZE", "big"),
        ("SHOP_APPLICATION_ROOT", ""),
        ("FLASK_SESSION_COOKIE_PARTITIONED", "another program's"),
    ];
    let error = FlaskConfig::loader()
        .variables("SHOP", variables)
        .load()
        .unwrap_err();
    let mut keys: Vec<_> = error.problems().iter().map(super::Problem::key).collect();
    let mut set: Vec<_> = variables[..11].iter().map(|(name, _)| *name).collect();
    keys.sort_unstable();
    set.sort_unstable();
    assert_eq!(keys, set);
    assert_eq!(error.to_string().lines().count(), 11);
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn a_missing_key_is_named_as_it_would_be_set() {
    let none: [(&str, &str); 0] = [];
    let error = FlaskConfig::loader()
        .variables("SHOP", none)
        .load()
        .unwrap_err();
    assert_eq!(error.problems()[0].key(), "SHOP_SECRET_KEY");
    assert_eq!(
        FlaskConfig::from_json("{}").unwrap_err().problems()[0].key(),
        "SECRET_KEY"
    );
}

#[test]
fn what_cannot_be_read_is_not_reported_twice() {
    for settings in [
        r#"{"SESSION_COOKIE_SECURE":"True","SESSION_COOKIE_SAMESITE":"None"}"#,
        r#"{"SESSION_COOKIE_SECURE":1,"SESSION_COOKIE_PARTITIONED":true,"SESSION_COOKIE_NAME":"__Host-s"}"#,
    ] {
        assert_eq!(
            with(settings).unwrap_err().problems().len(),
            1,
            "{settings}"
        );
    }
}

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
