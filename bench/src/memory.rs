//! Family 3: the memory of a session.
//!
//! A million sessions of 90 bytes of JSON, each started by a request, in a separate process: the
//! live bytes of its allocator, and the growth of the process.

use std::{collections::HashMap, fs, process::Command, time::Instant};

use axum::{Router, http::StatusCode};
use tokio::runtime::Builder;

use crate::{
    content::Login,
    harness::{Outcome, Table, asked},
    peers::{call, carafe, start, tower_sessions},
};

/// The argument that selects the inner process; the next argument names the peer.
pub(crate) const INSIDE: &str = "--memory";

const SESSIONS: u32 = 1_000_000;
/// Number of digits of a token, for a JSON text of 90 bytes.
const DIGITS: usize = 46;

const OURS: &str = "**Carafe**";
const TOWER_SESSIONS: &str = "tower-sessions";
const BARE: &str = "JSON text in a `HashMap`";

/// The result of an inner process.
struct Found {
    alive: f64,
    resident: f64,
    seconds: f64,
}

pub(crate) fn run(_rounds: usize) -> Outcome {
    println!("\n## Memory");
    let mut table = Table::new(["", "asked for", "resident", "seconds to make them"]);
    for row in [BARE, OURS, TOWER_SESSIONS] {
        let found = outside(row)?;
        table.row(
            row,
            [
                format!("{:.0}", found.alive),
                format!("{:.0}", found.resident),
                format!("{:.1}", found.seconds),
            ],
        );
    }
    table.print("Bytes for each of 1,000,000 sessions of 90 bytes");
    Ok(())
}

fn outside(row: &str) -> Outcome<Found> {
    let output = Command::new(std::env::current_exe()?)
        .args([INSIDE, row])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let numbers: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
    match numbers?[..] {
        [alive, resident, seconds] => Ok(Found {
            alive,
            resident,
            seconds,
        }),
        _ => Err(format!("the process for {row} said {text:?}").into()),
    }
}

/// Runs the inner process: creates the sessions and prints their memory.
pub(crate) fn inside(arguments: &[String]) -> Outcome {
    match arguments.first().map(String::as_str) {
        Some(BARE) => told(|| Ok(bare())),
        Some(OURS) => told(|| visited(carafe::in_memory())),
        Some(TOWER_SESSIONS) => told(|| visited(tower_sessions::in_memory())),
        other => Err(format!("whose sessions are those of {other:?}?").into()),
    }
}

fn told<T>(make: impl FnOnce() -> Outcome<T>) -> Outcome {
    let (alive, resident, begin) = (asked().alive, resident()?, Instant::now());
    let made = make()?;
    let seconds = begin.elapsed().as_secs_f64();
    let each = |bytes: i64| bytes as f64 / f64::from(SESSIONS);
    println!(
        "{} {} {seconds}",
        each(asked().alive - alive),
        each(self::resident()? - resident)
    );
    drop(made);
    Ok(())
}

/// Creates the minimum: the text under a key of 16 bytes.
fn bare() -> HashMap<u128, Box<str>> {
    let mut texts = HashMap::new();
    for browser in 0..SESSIONS {
        let text = serde_json::to_string(&Login::of((browser, DIGITS))).expect("it is JSON");
        let key = u128::from(browser).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        texts.insert(key, text.into());
    }
    texts
}

fn visited(mut router: Router) -> Outcome<Router> {
    let runtime = Builder::new_current_thread().build()?;
    runtime.block_on(async {
        for browser in 0..SESSIONS {
            let response = call(&mut router, &start(browser, DIGITS), None).await;
            assert_eq!(response.status(), StatusCode::OK);
        }
    });
    Ok(router)
}

/// Returns the resident memory of this process, in bytes.
fn resident() -> Outcome<i64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kilobytes
        .ok_or("the kernel gave no VmRSS")?
        .parse::<i64>()?
        * 1024)
}
