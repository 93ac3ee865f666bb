//! `carafe key`, `--version` and `--help`.

use crate::support::{carafe, run};

#[test]
fn a_key_is_64_hexadecimal_digits_and_nothing_else() {
    let (one, two) = (run(&["key"]), run(&["key"]));
    assert_eq!((one.code, one.err.as_str()), (0, ""));
    let digits = one.out.strip_suffix('\n').unwrap();
    assert_eq!(digits.len(), 64);
    assert!(
        digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    );
    assert_ne!(one.out, two.out);
}

#[test]
fn help_has_examples_and_says_where_keys_come_from() {
    for args in [
        &["--help"][..],
        &["console", "--help"],
        &["key", "--help"],
        &["inspect", "--help"],
        &["sign", "--help"],
    ] {
        let help = run(args);
        assert_eq!(help.code, 0);
        assert!(help.out.contains("Examples:\n"), "{args:?}");
    }
    for args in [&["--help"][..], &["inspect", "--help"], &["sign", "--help"]] {
        let help = run(args).out;
        assert!(
            help.contains("SECRET_KEY") && help.contains("SECRET_KEY_FALLBACKS"),
            "{args:?}"
        );
    }
}

#[test]
fn the_version_tells_the_stores_and_formats_built_in() {
    let version = concat!("carafe ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(run(&["-V"]).out, version);
    let long = run(&["--version"]).out;
    let rest = long.strip_prefix(version).unwrap();
    let built_in = |feature, name| if feature { Some(name) } else { None };
    let stores: Vec<_> = [
        Some("sqlite"),
        built_in(cfg!(feature = "redis"), "redis"),
        built_in(cfg!(feature = "postgres"), "postgres"),
        built_in(cfg!(feature = "mysql"), "mysql"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let stores = if stores.is_empty() {
        "none".to_owned()
    } else {
        stores.join(", ")
    };
    let stored = match cfg!(feature = "flask-session") {
        true => ", flask-session",
        false => "",
    };
    assert_eq!(
        rest,
        format!("stores: {stores}\nformats: flask, starlette, quart, encrypted{stored}\n")
    );
}

#[test]
fn a_rotation_has_three_phases_and_shows_no_old_key_unasked() {
    let keys = [
        ("SECRET_KEY", "the old one's key"),
        ("SECRET_KEY_FALLBACKS", r#"["an even older key"]"#),
    ];
    let hidden = crate::support::run_with(&keys, &["key", "rotate"]);
    assert_eq!(hidden.code, 0, "{}", hidden.err);
    let all = format!("{}{}", hidden.out, hidden.err);
    assert!(!all.contains("old one") && !all.contains("even older"));
    let shown = crate::support::run_with(&keys, &["key", "rotate", "--show", "--lifetime", "3600"]);
    let lines: Vec<_> = shown.out.lines().map(str::trim).collect();
    let position = |end: &str| lines.iter().position(|line| line.ends_with(end));
    let old = r"SECRET_KEY='the old one'\''s key'";
    let first = position(old).unwrap();
    let fallbacks = lines[first + 1]
        .strip_prefix("SECRET_KEY_FALLBACKS=")
        .unwrap();
    let fallbacks = fallbacks.trim_matches('\'');
    let fallbacks: Vec<String> = serde_json::from_str(fallbacks).unwrap();
    let [new, older] = &fallbacks[..] else {
        panic!("{fallbacks:?}")
    };
    assert_eq!((new.len(), older.as_str()), (64, "an even older key"));
    let second = position(&format!("Carafe  SECRET_KEY={new}")).unwrap();
    assert!(second > first);
    assert_eq!(
        lines[second + 1],
        r#"SECRET_KEY_FALLBACKS='["the old one'\''s key", "an even older key"]'"#
    );
    assert!(
        lines
            .iter()
            .skip(second)
            .any(|line| *line == "FLASK_SECRET_KEY_FALLBACKS='[]'")
    );
    assert!(shown.out.contains("1 h after"), "{}", shown.out);
}

#[test]
fn a_rotation_can_be_planned_without_the_old_key() {
    let plan = run(&["key", "rotate"]);
    assert_eq!(plan.code, 0);
    assert!(
        plan.out.contains("'<the current SECRET_KEY>'"),
        "{}",
        plan.out
    );
    assert_eq!(run(&["key", "rotate", "--show"]).code, 2);
}

#[test]
fn help_does_not_show_the_key_in_the_environment() {
    let help = crate::support::run_with(
        &[("SECRET_KEY", "hunter2-hunter2-hunter2")],
        &["inspect", "--help"],
    );
    assert!(!help.out.contains("hunter2"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for args in [&["key"][..], &["--help"], &["inspect", "--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = carafe().args(args).stdout(writer).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}
