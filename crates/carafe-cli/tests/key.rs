//! `carafe key`, `--version` and `--help`.

mod support;

use support::{carafe, run};

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
        &["demo", "--help"],
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
    assert_eq!(
        rest,
        format!("stores: {stores}\nformats: flask, starlette, quart, encrypted\n")
    );
}

#[test]
fn help_does_not_show_the_key_in_the_environment() {
    let help = support::run_with(
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
