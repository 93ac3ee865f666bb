//! The messages about wrong settings.

use super::with;
use crate::flask::{FlaskConfig, Problem};

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
    let mut keys: Vec<_> = error.problems().iter().map(Problem::key).collect();
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
