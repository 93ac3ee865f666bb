//! `carafe inspect`: verdicts, exit codes, the report for programs, the text for people, keys.

use crate::support::{COOKIE, KEY, NOON, inspect, run, run_with, run_with_input, vectors};
use serde_json::{Value, json};

fn with_key<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["--secret-key", KEY, "--now", NOON], more].concat()
}

#[test]
fn a_good_cookie_is_reported_in_full() {
    let (code, report) = inspect(&with_key(&["--", COOKIE]));
    let expected = json!({
        "verdict": "ok", "reason": null, "payload": "{\"user_id\":42}", "timestamp": 1_700_000_000,
        "age": 0, "compressed": false, "key": "current", "format": "flask",
    });
    assert_eq!((code, report), (0, expected));
}

#[test]
fn every_verdict_has_its_exit_code() {
    let other = format!("{}x", &COOKIE[..COOKIE.len() - 1]);
    for (now, cookie, verdict, exit) in [
        ("1700086400", COOKIE, "ok", 0),
        ("1700086401", COOKIE, "expired", 1),
        ("1699999994", COOKIE, "from-future", 1),
        (NOON, other.as_str(), "bad-signature", 1),
        (NOON, "nonsense", "malformed", 1),
        (
            NOON,
            "NQ.ZVPxAA.GS22_ochYDUvvot1sK5UKMrnPmg",
            "bad-payload",
            1,
        ),
    ] {
        let (code, report) = inspect(&[
            "--secret-key",
            KEY,
            "--now",
            now,
            "--max-age",
            "86400",
            "--",
            cookie,
        ]);
        assert_eq!((report["verdict"].as_str(), code), (Some(verdict), exit));
        assert_eq!(report["reason"].is_null(), verdict == "ok", "{verdict}");
    }
    let (code, report) = inspect(&["--", COOKIE]);
    assert_eq!((report["verdict"].as_str(), code), (Some("unverified"), 1));
}

#[test]
fn an_expired_cookie_still_shows_what_was_verified() {
    let (code, report) = inspect(&["--secret-key", KEY, "--now", "1702678401", "--", COOKIE]);
    assert_eq!((code, &report["verdict"]), (1, &json!("expired")));
    assert_eq!(report["reason"], "the age of 2678401 s exceeds 2678400 s");
    assert_eq!(report["payload"], "{\"user_id\":42}");
    assert_eq!(
        (&report["timestamp"], &report["key"]),
        (&json!(1_700_000_000), &json!("current"))
    );
    let any = inspect(&[
        "--secret-key",
        KEY,
        "--now",
        "1702678401",
        "--max-age",
        "any",
        "--",
        COOKIE,
    ]);
    assert_eq!(any.0, 0);
}

#[test]
fn nothing_of_a_refused_cookie_is_decoded() {
    let (_, report) = inspect(&["--secret-key", "another key of some length", "--", COOKIE]);
    for field in ["payload", "timestamp", "age", "compressed", "key"] {
        assert_eq!(report[field], Value::Null, "{field}");
    }
}

#[test]
fn without_a_key_the_content_is_marked() {
    let run = run(&["inspect", "--now", NOON, "--", COOKIE]);
    assert_eq!(run.code, 1);
    assert!(run.out.starts_with("UNVERIFIED: "), "{}", run.out);
    assert!(
        run.out.contains("{\"user_id\":42} (UNVERIFIED)"),
        "{}",
        run.out
    );
    let (_, report) = inspect(&["--now", NOON, "--", COOKIE]);
    assert_eq!(
        (&report["payload"], &report["key"]),
        (&json!("{\"user_id\":42}"), &Value::Null)
    );
}

#[test]
fn fallbacks_are_named_in_their_order() {
    let keys = [
        "--secret-key",
        "new key, long enough",
        "--fallback",
        "first, long enough",
        "--fallback",
        KEY,
    ];
    let (code, report) = inspect(&[&keys[..], &["--now", NOON, "--", COOKIE]].concat());
    assert_eq!((code, &report["key"]), (0, &json!("fallback-2")));
}

#[test]
fn keys_come_from_the_environment() {
    let fallbacks = format!("[\"older key, long enough\", {KEY:?}]");
    let env = [
        ("SECRET_KEY", "new key, long enough"),
        ("SECRET_KEY_FALLBACKS", fallbacks.as_str()),
    ];
    let run = run_with(&env, &["inspect", "--json", "--now", NOON, "--", COOKIE]);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((run.code, &report["key"]), (0, &json!("fallback-2")));
    let env = [("SECRET_KEY", KEY), ("SECRET_KEY_FALLBACKS", "oldkey")];
    let run = run_with(&env, &["inspect", "--", COOKIE]);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("not a JSON list") && !run.err.contains("oldkey"),
        "{}",
        run.err
    );
}

#[test]
fn weak_keys_are_taken_with_one_line_of_warning() {
    let run = run(&[
        "inspect",
        "--secret-key",
        "hunter2",
        "--fallback",
        "x",
        "--",
        COOKIE,
    ]);
    assert_eq!(run.code, 1);
    assert_eq!(run.err.lines().count(), 1);
    assert!(
        run.err.starts_with("warning: the secret key has 7 bytes"),
        "{}",
        run.err
    );
    assert!(!run.err.contains("hunter2") && !run.out.contains("hunter2"));
}

#[test]
fn wrong_calls_exit_with_2_and_say_one_line() {
    for (args, says) in [
        (
            &["--secret-key", "", "--", COOKIE][..],
            "the secret key is empty",
        ),
        (
            &["--fallback", KEY, "--", COOKIE],
            "--fallback requires --secret-key",
        ),
        (
            &["--secret-key", KEY, "--fallback", KEY, "--", COOKIE],
            "already contains",
        ),
        (
            &["--application", "shop", "--", COOKIE],
            "is for --format encrypted",
        ),
        (
            &["--secret-key", KEY, "--format", "encrypted", "--", "AQ"],
            "requires --application and --cookie-name",
        ),
        (
            &["--format", "encrypted", "--salt", "x", "--", "AQ"],
            "are for signed formats",
        ),
        (
            &["--max-age", "soon", "--", COOKIE],
            "give seconds, or `any`",
        ),
        (&[], "COOKIE"),
    ] {
        let run = run(&[&["inspect"], args].concat());
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{args:?}");
        assert!(run.err.contains(says), "{args:?}: {}", run.err);
        assert!(!run.err.contains(KEY), "{args:?} shows the key");
    }
}

#[test]
fn standard_input_and_names_are_understood() {
    let args = [&["inspect", "--json"], &with_key(&["-"])[..]].concat();
    assert_eq!(
        run_with_input(&args, format!("{COOKIE}\n").as_bytes()).code,
        0
    );
    assert_eq!(
        run_with_input(&args, format!("session={COOKIE}\n").as_bytes()).code,
        0
    );
    assert_eq!(run_with_input(&args, b"\xff\xfe").code, 2);
    let named = format!("sid={COOKIE}");
    assert_eq!(
        inspect(&with_key(&["--", &named])).1["verdict"],
        "bad-signature"
    );
    assert_eq!(
        inspect(&with_key(&["--cookie-name", "sid", "--", &named])).0,
        0
    );
}

#[test]
fn a_cookie_gives_no_orders_to_the_terminal() {
    let evil = "eyJhIjoiG1sySiJ9.ZVPxAA.x"; // {"a":"\x1b[2J"} with the escape character itself
    let run = run(&["inspect", "--", evil]);
    assert!(run.out.contains("\\u{1b}[2J"), "{}", run.out);
    assert!(!run.out.contains('\u{1b}'));
    let raw = "\u{1b}[31m.ZVPxAA.x";
    assert!(
        !crate::support::run(&["inspect", "--", raw])
            .out
            .contains('\u{1b}')
    );
}

#[test]
fn colours_are_for_terminals() {
    let args = ["inspect", "--", COOKIE];
    assert!(!run(&args).out.contains('\u{1b}'));
    assert!(
        run_with(&[("CLICOLOR_FORCE", "1")], &args)
            .out
            .contains('\u{1b}')
    );
    let env = [("NO_COLOR", "1")];
    assert!(!run_with(&env, &args).out.contains('\u{1b}'));
}

#[test]
fn settings_of_other_writers_are_options() {
    for row in vectors("signer_settings").iter().step_by(9) {
        let text = |name: &str| row[name].as_str().unwrap();
        let now = row["now"].to_string();
        let settings = [
            "--key-derivation",
            text("key_derivation"),
            "--digest",
            text("digest"),
            "--now",
            &now,
        ];
        // Salts may begin with a dash.
        let (key, salt) = (
            format!("--secret-key={}", text("secret")),
            format!("--salt={}", text("salt")),
        );
        let (code, report) =
            inspect(&[&settings[..], &[&key, &salt, "--", text("cookie")]].concat());
        assert_eq!(
            (code, report["payload"].as_str()),
            (0, row["payload"].as_str()),
            "{}",
            row["id"]
        );
    }
}

#[test]
fn cookies_of_flask_and_starlette_are_read() {
    for (file, format, step) in [
        ("session_accepted", "flask", 29),
        ("starlette", "starlette", 7),
    ] {
        for row in vectors(file).iter().step_by(step) {
            let (Some(cookie), Some(payload)) = (row["cookie"].as_str(), row["payload"].as_str())
            else {
                continue;
            };
            if row["session"] == "{}" || row["status"] == 500 || row["secret"] == "" {
                continue;
            }
            let now = (row["now"].as_f64().unwrap() as i64).to_string();
            let key = format!("--secret-key={}", row["secret"].as_str().unwrap());
            let (code, report) = inspect(&[
                "--format",
                format,
                "--max-age",
                "any",
                "--now",
                &now,
                &key,
                "--",
                cookie,
            ]);
            assert_eq!(code, 0, "{}: {}", row["id"], report["verdict"]);
            assert!(report["payload"] == payload, "{}", row["id"]);
        }
    }
}

/// Made by Flask 3.1.3 with `SECRET_KEY = b"_5#y2L\"F4Q8z\n\xec]/~"`.
#[test]
fn a_key_of_bytes_is_given_as_an_object() {
    const OF_BYTES: &str = "session=eyJfcGVybWFuZW50Ijp0cnVlfQ.ZVPxAA.ZczlAN2Q9LyfbCj3TEeHsRaXjJM";
    const HEX: &str = r#"{"hex": "5f352379324c22463451387a0aec5d2f7e"}"#;
    for key in [
        HEX,
        r#"{"base64": "XzUjeTJMIkY0UTh6CuxdL34="}"#,
        r#"{"python": "b'_5#y2L\"F4Q8z\\n\\xec]/~'"}"#,
    ] {
        let (code, report) = inspect(&["--secret-key", key, "--now", NOON, "--", OF_BYTES]);
        assert_eq!((report["verdict"].as_str(), code), (Some("ok"), 0), "{key}");
        let fallback = [
            "--secret-key",
            KEY,
            "--fallback",
            key,
            "--now",
            NOON,
            "--",
            OF_BYTES,
        ];
        assert_eq!(inspect(&fallback).1["key"], "fallback-1", "{key}");
    }
    let fallbacks = [
        ("SECRET_KEY", KEY),
        (
            "SECRET_KEY_FALLBACKS",
            r#"[{"hex": "5f352379324c22463451387a0aec5d2f7e"}]"#,
        ),
    ];
    let found = run_with(
        &fallbacks,
        &["inspect", "--now", NOON, "--json", "--", OF_BYTES],
    );
    assert!(
        found.out.contains(r#""key": "fallback-1""#),
        "{}{}",
        found.out,
        found.err
    );
    let found = run(&[
        "inspect",
        "--secret-key",
        r#"{"hex": "5f3"}"#,
        "--",
        OF_BYTES,
    ]);
    assert_eq!(found.code, 2);
    assert!(
        found.err.contains("odd number of hexadecimal digits"),
        "{}",
        found.err
    );
    let literal = r#"b'_5#y2L"F4Q8z\n\xec]/~'"#;
    let found = run(&[
        "inspect",
        "--secret-key",
        literal,
        "--now",
        NOON,
        "--",
        OF_BYTES,
    ]);
    assert!(
        found.err.contains("looks like Python's bytes"),
        "{}",
        found.err
    );
}
