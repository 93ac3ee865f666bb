//! Tests of the demo over HTTP, as a browser uses it.
//!
//! | module | tests |
//! |---|---|
//! | `pages`, `server_side` | the demo over HTTP |
//! | `footer_code` | the code at the foot of the page |
//! | `browser` | the demo in Chromium |

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod browser;
mod footer_code;
mod pages;
mod server_side;

use std::process::Command;

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
    token::signed::{SignedFormat, SignedSessions},
};
use carafe_test_browser::Client;
use tempfile::TempDir;

/// Flask's cookie for `{"user_id":42}` under this key, from 2023-11-14.
const KEY: &str = "flask-spec-secret";
const COOKIE: &str = "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw";

/// Returns the program, with no key in its environment.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carafe-demo"));
    for name in [
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "NO_COLOR",
        "CLICOLOR_FORCE",
    ] {
        command.env_remove(name);
    }
    command
}

/// The output of a run that fails to serve.
struct Run {
    code: i32,
    out: String,
    err: String,
}

fn run_with(env: &[(&str, &str)], args: &[&str]) -> Run {
    let output = program()
        .envs(env.iter().copied())
        .args(args)
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Starts the demo on a free port.
fn start() -> Client {
    start_with(&[])
}

/// Starts the demo with these environment variables.
fn start_with(env: &[(&str, &str)]) -> Client {
    start_as(env, &[])
}

/// Starts the demo with these environment variables and arguments.
fn start_as(env: &[(&str, &str)], args: &[&str]) -> Client {
    let temporary = TempDir::new().unwrap();
    let mut command = program();
    let command = command
        .env("TMPDIR", temporary.path())
        .envs(env.iter().copied())
        .args(["--listen", "127.0.0.1:0"])
        .args(args);
    Client::serving(command, temporary)
}

/// Signs a payload as Flask does.
fn flask_cookie(key: &str, payload: &str) -> String {
    let keys = KeyRing::new(SecretKey::short(key).unwrap());
    SignedSessions::new(&keys, &SignedFormat::flask()).seal(payload, Timestamp::now())
}
