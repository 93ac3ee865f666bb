//! `docs/cli.md` is what the program says of itself, and so are the manual and the completions.
//!
//! `CARAFE_BLESS=1 cargo test -p carafe-cli --test cli docs` writes that part of `docs/cli.md`
//! anew.

#![cfg(all(feature = "redis", feature = "postgres", feature = "mysql"))]

use crate::support::{carafe, run, run_with, stores::Dir};

/// The text above this line is written by hand.
const MARK: &str =
    "<!-- From here on: CARAFE_BLESS=1 cargo test -p carafe-cli --test cli docs -->\n";

#[test]
fn the_help_is_in_the_docs() {
    let path = format!("{}/../../docs/cli.md", env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_to_string(&path).unwrap();
    let (head, _) = docs.split_once(MARK).unwrap();
    let mut text = format!("{head}{MARK}");
    append(&mut text, &[]);
    if std::env::var_os("CARAFE_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let docs = std::fs::read_to_string(&path).unwrap();
    assert!(
        docs == text,
        "docs/cli.md is not what the program prints; CARAFE_BLESS=1 cargo test -p carafe-cli --test cli docs writes it"
    );
}

/// The help of a command and of those below it.
fn append(text: &mut String, command: &[&str]) {
    let shown = run(&[command, &["--help"]].concat());
    assert_eq!(shown.code, 0, "{command:?}: {}", shown.err);
    let name = [&["carafe"], command].concat().join(" ");
    text.push_str(&format!("\n## `{name}`\n\n```text\n{}```\n", shown.out));
    for name in commands(&shown.out) {
        append(text, &[command, &[name]].concat());
    }
}

/// The names below `Commands:`.
fn commands(help: &str) -> Vec<&str> {
    let (_, rest) = help.split_once("\nCommands:\n").unwrap_or_default();
    let lines = rest.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        (!name.is_empty() && name != "help").then_some(name)
    });
    names.collect()
}

#[test]
fn there_is_a_page_of_the_manual_for_each_command() {
    let dir = Dir::new();
    let pages = dir.file("man");
    let secret = [
        ("SECRET_KEY", "hunter2-hunter2"),
        ("STORE_URL", "redis://:hunter2@h"),
    ];
    let made = run_with(&secret, &["man", pages.to_str().unwrap()]);
    assert_eq!((made.code, made.err.as_str()), (0, ""));
    for (page, says) in [
        ("carafe.1", "Exit codes"),
        ("carafe-sessions-list.1", "POSITION"),
        ("carafe-migrate.1", "stopped before the end"),
        ("carafe-key-rotate.1", "lifetime"),
    ] {
        let text = std::fs::read_to_string(pages.join(page)).unwrap();
        assert!(
            text.starts_with(".") && text.contains(says),
            "{page}: {text}"
        );
        assert!(!text.contains("hunter2"), "{page}");
    }
    std::fs::write(dir.file("a file"), "").unwrap();
    let refused = run(&["man", dir.file("a file").to_str().unwrap()]);
    assert_eq!(refused.code, 1);
}

#[test]
fn the_shells_get_their_completions() {
    for (shell, says) in [
        ("bash", "complete -F _carafe"),
        ("zsh", "#compdef carafe"),
        ("fish", "complete -c carafe"),
    ] {
        let script = run(&["completions", shell]);
        assert_eq!((script.code, script.err.as_str()), (0, ""));
        assert!(
            script.out.contains(says) && script.out.contains("migrate"),
            "{shell}"
        );
    }
    assert_eq!(run(&["completions", "cmd.exe"]).code, 2);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = carafe()
        .args(["completions", "zsh"])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
}
