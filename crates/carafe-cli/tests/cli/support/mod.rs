//! Runs the program, and fills stores and a console for it.

pub(crate) mod console;
pub(crate) mod stores;

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

/// Flask's own answer for `{"user_id":42}` under this key at this time.
pub(crate) const KEY: &str = "flask-spec-secret";
pub(crate) const NOON: &str = "1700000000";
pub(crate) const COOKIE: &str = "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw";

/// The program, with no key in its environment.
pub(crate) fn carafe() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carafe"));
    for name in [
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "STORE_URL",
        "STORE_FROM",
        "STORE_TO",
    ] {
        command.env_remove(name);
    }
    command
}

/// The outcome of a run.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn run(args: &[&str]) -> Run {
    finish(carafe().args(args).output().unwrap())
}

pub(crate) fn run_with(env: &[(&str, &str)], args: &[&str]) -> Run {
    finish(
        carafe()
            .envs(env.iter().copied())
            .args(args)
            .output()
            .unwrap(),
    )
}

pub(crate) fn run_with_input(args: &[&str], input: &[u8]) -> Run {
    let mut command = carafe();
    let command = command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    finish(child.wait_with_output().unwrap())
}

/// `inspect --json`, read as another program would read it.
pub(crate) fn inspect(args: &[&str]) -> (i32, serde_json::Value) {
    let run = run(&[&["inspect", "--json"], args].concat());
    let report = serde_json::from_str(&run.out);
    (
        run.code,
        report.unwrap_or_else(|_| panic!("{}{}", run.out, run.err)),
    )
}

/// The output of a command with `--json`, parsed by another library.
pub(crate) fn json(args: &[&str]) -> serde_json::Value {
    let run = run(args);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    serde_json::from_str(&run.out).unwrap()
}

/// The rows of a file of vectors.
pub(crate) fn vectors(file: &str) -> Vec<serde_json::Value> {
    let path = format!(
        "{}/../../testdata/vectors/{file}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn finish(output: Output) -> Run {
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
