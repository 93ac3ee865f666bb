//! `carafe sign`, and what `carafe inspect` says about the result.

use crate::support::{COOKIE, KEY, NOON, inspect, run, run_with, run_with_input, vectors};
use serde_json::json;

fn sign(args: &[&str]) -> String {
    let run = run(&[&["sign", "--secret-key", KEY, "--now", NOON], args].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    run.out.trim_end().to_owned()
}

#[test]
fn flasks_cookie_comes_out() {
    assert_eq!(sign(&["--", "{\"user_id\":42}"]), COOKIE);
    assert_eq!(sign(&["--", " { \"user_id\" : 42 } "]), COOKIE);
    let env = [("SECRET_KEY", KEY)];
    assert_eq!(
        run_with(&env, &["sign", "--now", NOON, "--", "{\"user_id\":42}"])
            .out
            .trim(),
        COOKIE
    );
    let piped = run_with_input(
        &["sign", "--secret-key", KEY, "--now", NOON, "-"],
        b"{\"user_id\":42}\n",
    );
    assert_eq!(piped.out.trim(), COOKIE);
}

#[test]
fn json_is_written_as_the_format_writes_it() {
    let given =
        "{\"z\": 1.0, \"a\": {\"y\": \"\u{e9}\", \"b\": [1e16, NaN]}, \"t\": {\" t\": [1]}}";
    for (format, payload) in [
        (
            "flask",
            r#"{"a":{"b":[1e+16,NaN],"y":"\u00e9"},"t":{" t":[1]},"z":1.0}"#,
        ),
        (
            "quart",
            r#"{"z":1.0,"a":{"y":"\u00e9","b":[1e+16,NaN]},"t":{" t":[1]}}"#,
        ),
        (
            "starlette",
            r#"{"z": 1.0, "a": {"y": "\u00e9", "b": [1e+16, NaN]}, "t": {" t": [1]}}"#,
        ),
    ] {
        let cookie = sign(&["--format", format, "--", given]);
        let (code, report) = inspect(&[
            "--format",
            format,
            "--secret-key",
            KEY,
            "--now",
            NOON,
            "--",
            &cookie,
        ]);
        assert_eq!(
            (code, &report["payload"], &report["format"]),
            (0, &json!(payload), &json!(format))
        );
    }
}

#[test]
fn an_encrypted_cookie_goes_round() {
    let context = [
        "--format",
        "encrypted",
        "--application",
        "shop",
        "--cookie-name",
        "id",
    ];
    let cookie = sign(&[&context[..], &["--max-age", "60", "--", "{\"user_id\":42}"]].concat());
    let look = |now, name| {
        let context = [
            "--format",
            "encrypted",
            "--application",
            "shop",
            "--cookie-name",
            name,
        ];
        inspect(
            &[
                &context[..],
                &["--secret-key", KEY, "--now", now, "--", &cookie],
            ]
            .concat(),
        )
    };
    let (code, report) = look("1700000060", "id");
    assert_eq!(
        (code, &report["payload"], &report["compressed"]),
        (0, &json!("{\"user_id\":42}"), &json!(false))
    );
    let (code, report) = look("1700000061", "id");
    assert_eq!(
        (code, &report["verdict"], &report["timestamp"]),
        (1, &json!("expired"), &json!(1_700_000_000))
    );
    assert_eq!(look(NOON, "other").1["verdict"], "bad-signature");
    let (code, report) = inspect(&["--format", "encrypted", "--", &cookie]);
    assert_eq!(
        (code, &report["verdict"], &report["payload"]),
        (1, &json!("unverified"), &json!(null))
    );
}

#[test]
fn compression_is_a_choice() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(200));
    let compressed = |when: &str| sign(&["--compress", when, "--", &long]).starts_with('.');
    assert!(compressed("always") && !compressed("never") && !compressed("auto"));
    let longer = format!("{{\"a\":\"{}\"}}", "x".repeat(600));
    assert!(sign(&["--", &longer]).starts_with('.'));
}

#[test]
fn settings_of_other_writers_are_options() {
    for row in vectors("signer_settings").iter().step_by(9) {
        let text = |name: &str| row[name].as_str().unwrap();
        let now = row["now"].to_string();
        let (key, salt) = (
            format!("--secret-key={}", text("secret")),
            format!("--salt={}", text("salt")),
        );
        let settings = [
            "--key-derivation",
            text("key_derivation"),
            "--digest",
            text("digest"),
            "--now",
            &now,
        ];
        let signed = run(&[
            &["sign", "--compress", "never", &key, &salt],
            &settings[..],
            &["--", text("payload")],
        ]
        .concat());
        assert_eq!(signed.code, 0, "{}", signed.err);
        // The output of zlib differs between versions, that of HMAC does not.
        if !text("cookie").starts_with('.') {
            assert_eq!(signed.out.trim_end(), text("cookie"), "{}", row["id"]);
        }
    }
}

#[test]
fn wrong_input_is_a_clear_error() {
    for (args, says) in [
        (&["--", "[1,2]"][..], "not a JSON object"),
        (&["--", "5"], "not a JSON object"),
        (&["--", "{'a':1}"], "not JSON that Python accepts"),
        (
            &["--", "{\"a\":{\" u\":\"no uuid\"}}"],
            "a tag contains a value that it cannot hold",
        ),
        (
            &["--max-age", "5", "--", "{}"],
            "--max-age is for --format encrypted",
        ),
        (
            &["--format", "starlette", "--compress", "always", "--", "{}"],
            "no compression",
        ),
        (
            &[
                "--format",
                "encrypted",
                "--application",
                "a",
                "--cookie-name",
                "b",
                "--",
                "{}",
            ],
            "and --max-age",
        ),
        (
            &[
                "--format",
                "encrypted",
                "--application",
                "a",
                "--max-age",
                "1",
                "--",
                "{}",
            ],
            "--cookie-name",
        ),
    ] {
        let run = run(&[&["sign", "--secret-key", KEY], args].concat());
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{args:?}");
        assert!(run.err.contains(says), "{args:?}: {}", run.err);
        assert!(!run.err.contains(KEY));
    }
    assert!(
        run(&["sign", "--", "{}"])
            .err
            .contains("set SECRET_KEY or pass --secret-key")
    );
}

#[test]
fn a_cookie_that_browsers_drop_is_warned_of() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(5000));
    let run = run(&[
        "sign",
        "--secret-key",
        KEY,
        "--compress",
        "never",
        "--",
        &long,
    ]);
    assert_eq!(run.code, 0);
    assert!(
        run.err.contains("browsers drop cookies over 4096"),
        "{}",
        run.err
    );
}
