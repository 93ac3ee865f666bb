//! `carafe store`, and what is said of stores that cannot be opened.

use crate::support::{json, run, run_with, stores::Dir};

#[test]
fn init_makes_the_tables_once_and_says_so() {
    let dir = Dir::new();
    let url = dir.url("a.db");
    let before = run(&["store", "check", "--store", &url]);
    assert_eq!(before.code, 4);
    assert!(before.err.contains("carafe store init"), "{}", before.err);
    assert!(!dir.file("a.db").exists(), "a look makes nothing");
    for said in ["the tables were created", "nothing to do"] {
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
fn the_user_information_of_a_url_is_never_shown() {
    // Nothing listens on port 1.
    let urls = [
        "redis://hunter2:hunter2@127.0.0.1:1/0",
        "redis://hunter2:hunter2?x@127.0.0.1:1/0",
        "redis://hunter2:hunter2#x@127.0.0.1:1/0",
        "redis://hunter2:hunter2/x@127.0.0.1:1/0",
        "redis://hunter2:x@hunter2@127.0.0.1:1/0",
        "redis://:x%2fhunter2@127.0.0.1:1/0",
        "redis+unix:///nowhere?user=hunter2&pass=hunter2",
        "redis+cluster://hunter2:hunter2@127.0.0.1:1",
        "redis+sentinel://hunter2:hunter2@127.0.0.1:1/main",
        "rediss://:hunter2@127.0.0.1:1",
        "postgres://hunter2:hunter2@127.0.0.1:1/shop?sslmode=disable",
        "postgres://127.0.0.1:1/shop?user=hunter2&password=hunter2",
        "postgres://app:hunter2:?#[]@127.0.0.1:1/shop",
        "mysql://hunter2:hunter2@127.0.0.1:1/shop",
        "mysql://app:hunter2@127.0.0.1:port/shop",
        "mysql://app:hunter2/x@y@127.0.0.1:1/shop",
        "carafe://app:hunter2@127.0.0.1:1",
        "redis://app:hunter2@@@[",
        "sqlite+redis://app:hunter2@127.0.0.1:1",
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

/// The second half of each is the rest of a URL with a user and a password that are words of the
/// message.
#[cfg(all(feature = "redis", feature = "postgres", feature = "mysql"))]
#[test]
fn nothing_but_the_user_information_is_masked() {
    for (url, shown) in [
        (
            "postgres://postgres:postgres@127.0.0.1:1/postgres",
            "postgres://127.0.0.1:1/postgres",
        ),
        ("mysql://mysql:ro@127.0.0.1:1/ro", "mysql://127.0.0.1:1/ro"),
        (
            "redis://error:connection@127.0.0.1:1/0?prefix=error",
            "redis://127.0.0.1:1/0?prefix=error",
        ),
    ] {
        let run = run(&["store", "check", "--store", url]);
        assert_eq!(run.code, 4, "{}", run.err);
        assert!(
            run.err.starts_with(&format!(
                "error: {shown}: the session store is unavailable: "
            )),
            "{}",
            run.err
        );
        assert!(!run.err.contains("***"), "{}", run.err);
    }
}

#[cfg(all(feature = "redis", feature = "postgres", feature = "mysql"))]
#[test]
fn a_refused_connection_is_reported_at_once_with_its_cause() {
    for url in [
        "redis://127.0.0.1:1",
        "rediss://127.0.0.1:1",
        "redis+cluster://127.0.0.1:1",
        "redis+sentinel://127.0.0.1:1/main",
        "postgres://127.0.0.1:1/x",
        "mysql://127.0.0.1:1/x",
        "flask-session+postgres://127.0.0.1:1/x",
    ] {
        let start = std::time::Instant::now();
        let run = match url.starts_with("flask-session+") {
            true => run(&["migrate", "--from", url, "--to", "redis://127.0.0.1:1"]),
            false => run(&["sessions", "stats", "--store", url]),
        };
        assert_eq!(run.code, 4, "{}", run.err);
        assert!(
            run.err.contains(url) && run.err.contains("refused"),
            "{}",
            run.err
        );
        assert!(
            start.elapsed() < std::time::Duration::from_secs(8),
            "{url}: {:?}",
            start.elapsed()
        );
    }
}

#[cfg(all(feature = "redis", feature = "postgres", feature = "mysql"))]
#[test]
fn parameters_that_do_not_exist_are_refused_with_those_that_do() {
    for (url, known) in [
        ("postgres://127.0.0.1:1/x?tabel=foo", "table, "),
        ("mysql://127.0.0.1:1/x?tabel=foo", "table, "),
        ("redis://127.0.0.1:1/0?prefx=shop", "prefix, "),
        ("rediss://127.0.0.1:1/0?prefx=shop", "prefix, "),
        ("redis+unix:///nowhere?prefx=shop", "prefix, "),
        ("redis+cluster://127.0.0.1:1?prefx=shop", "prefix"),
        ("redis+sentinel://127.0.0.1:1/main?prefx=shop", "prefix"),
        ("sqlite:a.db?tabel=foo", "no parameters"),
        ("postgres://127.0.0.1:1/x?table=a&table=b", "more than once"),
        ("postgres://127.0.0.1:1/x?key_prefix=a", "table, "),
        ("mysql://127.0.0.1:1/x?table=a-b", "`table`"),
        ("postgres://127.0.0.1:1/x?tls=off", "`tls`"),
    ] {
        let run = run(&["store", "check", "--store", url]);
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(run.err.contains(known), "{}", run.err);
    }
    #[cfg(feature = "flask-session")]
    for url in [
        "flask-session+redis://127.0.0.1:1/0?key_prefx=a",
        "flask-session+postgres://127.0.0.1:1/x?key_prefx=a",
        "flask-session+sqlite:a.db?key_prefx=a",
    ] {
        let run = run(&["migrate", "--from", url, "--to", "sqlite:b.db"]);
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(run.err.contains("no parameter `key_prefx`"), "{}", run.err);
    }
}

/// Its errors, and what it says of itself.
#[cfg(feature = "redis")]
#[test]
fn text_of_a_server_gives_no_orders_to_the_terminal() {
    use std::io::{Read as _, Write as _};
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).is_ok_and(|length| length > 0) {
                    let answer =
                        "-ERR \u{1b}[2Jaway\u{9b}31m\u{7}\u{202e}\u{2066}\u{7f}\r\n".repeat(8);
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    let url = format!("redis://127.0.0.1:{port}");
    for command in [
        &["store", "check"][..],
        &["sessions", "list"],
        &["sessions", "stats"],
    ] {
        let run = run(&[command, &["--store", &url]].concat());
        assert_ne!(run.code, 0);
        let said = run.out + &run.err;
        assert!(said.contains("\\u{1b}[2Jaway\\u{9b}31m"), "{said:?}");
        assert!(
            !said
                .trim_end()
                .contains(|c: char| c.is_control() || "\u{202e}\u{2066}".contains(c)),
            "{said:?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_write_is_refused_and_one_that_they_can_read_is_a_problem() {
    use std::{fs, os::unix::fs::PermissionsExt as _};
    let dir = Dir::new();
    drop(dir.store("a.db"));
    let link = format!("sqlite:{}", dir.file("link.db").display());
    std::os::unix::fs::symlink(dir.file("a.db"), dir.file("link.db")).unwrap();
    let url = dir.url("a.db");
    for (mode, url, code, said) in [
        (0o600, &url, 0, "permissions "),
        (0o644, &url, 1, "can read the sessions"),
        (0o666, &url, 4, "`chmod 600 "),
        (0o600, &link, 1, "is a symbolic link"),
        (0o666, &link, 4, "`chmod 600 "),
    ] {
        fs::set_permissions(dir.file("a.db"), fs::Permissions::from_mode(mode)).unwrap();
        let run = run(&["store", "check", "--store", url]);
        let text = run.out + &run.err;
        assert_eq!(run.code, code, "{mode:o}: {text}");
        assert!(text.contains(said), "{mode:o}: {text}");
    }
    let init = run(&["store", "init", "--store", &dir.url("new.db")]);
    assert_eq!(init.code, 0, "{}", init.err);
    let mode = fs::metadata(dir.file("new.db"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[cfg(not(feature = "redis"))]
#[test]
fn a_store_that_is_not_built_in_is_named_with_its_feature() {
    let run = run(&["store", "check", "--store", "redis://127.0.0.1"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("--features redis"), "{}", run.err);
}
