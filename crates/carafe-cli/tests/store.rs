//! `carafe store`, and what is said of stores that cannot be opened.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use support::{json, run, run_with, stores::Dir};

#[test]
fn init_makes_the_tables_once_and_says_so() {
    let dir = Dir::new();
    let url = dir.url("a.db");
    let before = run(&["store", "check", "--store", &url]);
    assert_eq!(before.code, 4);
    assert!(before.err.contains("carafe store init"), "{}", before.err);
    assert!(!dir.file("a.db").exists(), "a look makes nothing");
    for said in ["the tables are made", "nothing was to do"] {
        let run = run(&["store", "init", "--store", &url]);
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        assert!(run.out.contains(said), "{}", run.out);
    }
}

#[test]
fn check_says_how_the_store_is() {
    let dir = Dir::new();
    let url = dir.url("a.db");
    drop(dir.store("a.db"));
    let text = run_with(&[("STORE_URL", &url)], &["store", "check"]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    assert!(text.out.starts_with("ok: sqlite:"), "{}", text.out);
    let report = json(&["store", "check", "--json", "--store", &url]);
    assert_eq!(report["store"], "sqlite");
    assert_eq!(report["good"], true);
    assert_eq!(report["problems"], serde_json::json!([]));
    assert!(
        report["facts"]
            .as_object()
            .is_some_and(|facts| !facts.is_empty())
    );
}

#[test]
fn a_file_of_somebody_elses_is_refused_and_left_alone() {
    let dir = Dir::new();
    std::fs::write(
        dir.file("a.db"),
        "not a database at all, but longer than a page's head",
    )
    .unwrap();
    let run = run(&["store", "init", "--store", &dir.url("a.db")]);
    assert_eq!(run.code, 4);
    let kept = std::fs::read_to_string(dir.file("a.db")).unwrap();
    assert!(kept.starts_with("not a database"));
}

#[test]
fn urls_that_name_no_store_are_a_wrong_call() {
    for url in [
        "",
        "http://example.com",
        "sessions.db",
        "sqlite::memory:",
        "redis+sentinel://h:1",
    ] {
        let run = run(&["store", "check", "--store", url]);
        assert_eq!(run.code, 2, "{url}: {}", run.err);
    }
    let run = run(&["store", "check"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("STORE_URL"), "{}", run.err);
}

#[test]
fn a_password_is_never_shown() {
    // Nothing listens on port 1.
    let urls = [
        "redis://app:hunter2@127.0.0.1:1/0",
        "redis+cluster://app:hunter2@127.0.0.1:1",
        "rediss://:hunter2@127.0.0.1:1",
        "postgres://app:hunter2@127.0.0.1:1/shop?sslmode=disable",
        "postgres://app@127.0.0.1:1/shop?password=hunter2",
        "mysql://app:hunter2@127.0.0.1:1/shop",
        "mysql://app:hunter2@127.0.0.1:port/shop",
        "carafe://app:hunter2@127.0.0.1:1",
        "redis://app:hunter2@@@[",
    ];
    // A driver may try for seconds, so all at once.
    std::thread::scope(|scope| {
        for url in urls {
            scope.spawn(move || {
                let found = run_with(&[("STORE_URL", url)], &["sessions", "list"]);
                assert_ne!(found.code, 0, "{url}");
                assert!(!(found.out + &found.err).contains("hunter2"), "{url}");
            });
            scope.spawn(move || {
                let given = run(&["store", "check", "--store", url]);
                assert_ne!(given.code, 0, "{url}");
                let help = run_with(&[("STORE_URL", url)], &["sessions", "list", "--help"]);
                let wrong = [
                    "migrate",
                    "--from",
                    url,
                    "--to",
                    "sqlite:x.db",
                    "--batch",
                    "no",
                ];
                let wrong = run_with(&[("STORE_TO", url)], &wrong);
                for run in [given, help, wrong] {
                    assert!(!(run.out + &run.err).contains("hunter2"), "{url}");
                }
            });
        }
    });
}

#[cfg(all(feature = "redis", feature = "postgres"))]
#[test]
fn a_store_that_does_not_answer_has_an_exit_code_of_its_own() {
    for url in ["redis://127.0.0.1:1", "postgres://127.0.0.1:1/x"] {
        let run = run(&["sessions", "stats", "--store", url]);
        assert_eq!(run.code, 4, "{}", run.err);
        assert!(run.err.contains(url), "{}", run.err);
    }
}

#[cfg(not(feature = "redis"))]
#[test]
fn a_store_that_is_not_built_in_is_named_with_its_feature() {
    let run = run(&["store", "check", "--store", "redis://127.0.0.1"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("--features redis"), "{}", run.err);
}
