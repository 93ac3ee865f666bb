//! Acknowledged writes survive `kill -9` at random times.
//!
//! A child creates, patches, rotates and deletes sessions in four threads, and prints a line for
//! each acknowledged write. The parent kills it, and in half of the cycles also a second child,
//! which starts with the recovery of the file. Then the parent compares the file with the lines.
//! `CARAFE_KILL_SEED` repeats a run, except for its timing. `CARAFE_KILL_CYCLES` sets the number of
//! cycles: 10,000 take minutes.

#![allow(
    clippy::print_stderr,
    reason = "the seed is printed, for repeating a run"
)]

use std::{
    collections::HashMap,
    env,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use carafe_core::{
    session::Patch,
    store::{KeyState, Rotation, SessionStore, StoreKey},
};
use carafe_sqlite::SqliteStore;
use futures_executor::block_on;

use crate::common::{self, NOW, Scratch, applied, file_one, patient, renewal, set};

const FILE: &str = "CARAFE_TEST_FILE";
const CYCLE: &str = "CARAFE_TEST_CYCLE";
const WORKERS: u64 = 4;

#[test]
fn kills_lose_nothing_acknowledged() {
    let cycles = from_env("CARAFE_KILL_CYCLES").unwrap_or(20);
    let mut random = Random::new();
    let scratch = Scratch::new("kill");
    drop(scratch.store());
    let mut acknowledged = 0;
    for cycle in 0..cycles {
        let at_work = random.below(4) > 0;
        let first = killed_after(&scratch, cycle, at_work, random.below(40));
        let mut runs = vec![(cycle, first)];
        if random.below(2) == 0 {
            // This child starts with the recovery of the file.
            let second = cycles + cycle;
            runs.push((
                second,
                killed_after(&scratch, second, false, random.below(40)),
            ));
        }
        let store = scratch.store_with(patient());
        for (cycle, lines) in runs {
            acknowledged += lines.lines().count();
            compare(&store, cycle, &lines);
        }
    }
    let whole: String = scratch
        .raw()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("the check runs");
    assert_eq!(whole, "ok");
    eprintln!("{cycles} cycles, {acknowledged} acknowledged writes, none lost");
}

/// Returns the complete lines that the child printed before it was killed.
///
/// The delay starts at the first acknowledgment, so that the child is writing, or at the start of
/// the child, so that the file may still be in recovery.
fn killed_after(scratch: &Scratch, cycle: u64, at_work: bool, milliseconds: u64) -> String {
    let mut child = child(scratch, cycle);
    let mut pipe = BufReader::new(child.stdout.take().expect("the pipe was made"));
    let mut printed = String::new();
    while at_work
        && !printed.contains("\nack ")
        && pipe.read_line(&mut printed).is_ok_and(|read| read > 0)
    {}
    thread::sleep(Duration::from_millis(milliseconds));
    child.kill().expect("the child can be killed");
    child.wait().expect("the child is dead");
    pipe.read_to_string(&mut printed)
        .expect("the pipe has text");
    printed.truncate(printed.rfind('\n').map_or(0, |end| end + 1));
    // The test harness also prints lines.
    let ours = |line: &&str| line.starts_with("ack ");
    printed
        .lines()
        .filter(ours)
        .map(|line| format!("{line}\n"))
        .collect()
}

fn child(scratch: &Scratch, cycle: u64) -> Child {
    Command::new(env::current_exe().expect("we are a file"))
        .args(["--exact", "kill::child_that_is_killed", "--nocapture"])
        .env(FILE, scratch.file())
        .env(CYCLE, cycle.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child can be made")
}

/// The child process; does nothing when it runs as a test.
#[test]
fn child_that_is_killed() {
    let (Ok(file), Some(cycle)) = (env::var(FILE), from_env(CYCLE)) else {
        return;
    };
    let store = &common::open(file.as_ref(), patient());
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            scope.spawn(move || work(store, cycle, worker));
        }
    });
}

/// Creates, patches and rotates sessions in a loop, and deletes the previous session.
///
/// The deletion uses the first and the second id alternately.
fn work(store: &SqliteStore, cycle: u64, worker: u64) {
    for step in 0.. {
        let (key, record) = file_one(store, &id(cycle, worker, step), "{}");
        acknowledge(worker, step, "filed");
        let record = applied(
            block_on(store.patch(&key, &record, &set("patched", "1"), NOW)).expect("patch works"),
        );
        acknowledge(worker, step, "patched");
        let (to, patch) = (moved(cycle, worker, step), Patch::default());
        let rotated = block_on(store.rotate(&key, &to, &record, &patch, rotation(step), NOW));
        applied(rotated.expect("rotate works"));
        acknowledge(worker, step, "moved");
        if step > 0 {
            let before = match rotation(step - 1) {
                Rotation::Renewal(_) => StoreKey::of_id(&id(cycle, worker, step - 1)),
                Rotation::Replacement => moved(cycle, worker, step - 1),
            };
            assert!(block_on(store.delete(&before, NOW)).expect("delete works"));
            acknowledge(worker, step, "deleted");
        }
    }
}

/// Prints a line with one `write` to the pipe, so that the line is either complete or missing.
fn acknowledge(worker: u64, step: u64, what: &str) {
    let line = format!("ack {worker} {step} {what}\n");
    std::io::stdout()
        .write_all(line.as_bytes())
        .expect("the parent listens");
}

fn compare(store: &SqliteStore, cycle: u64, lines: &str) {
    let mut last: HashMap<u64, (u64, &str)> = HashMap::new();
    for line in lines.lines() {
        let [_, worker, step, what] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("`{line}` is no acknowledgement");
        };
        let number = |text: &str| text.parse::<u64>().expect("a number");
        last.insert(number(worker), (number(step), what));
    }
    for (worker, (step, what)) in last {
        let found = |key: &StoreKey| block_on(store.load(key, NOW)).expect("load works");
        let (first, second) = (
            StoreKey::of_id(&id(cycle, worker, step)),
            moved(cycle, worker, step),
        );
        let context = format!("cycle {cycle}, worker {worker}, step {step}, {what}");
        // The child may have completed one more write than the last line says: the rotation or the
        // next `create`.
        let newest = match (found(&first), found(&second)) {
            (KeyState::Current(record), KeyState::Absent) => {
                assert!(
                    ["filed", "patched"].contains(&what),
                    "moved and back: {context}"
                );
                record
            }
            (old, KeyState::Current(record)) => {
                match rotation(step) {
                    Rotation::Renewal(_) => assert!(matches!(old, KeyState::Moved(_)), "{context}"),
                    Rotation::Replacement => assert!(matches!(old, KeyState::Retired), "{context}"),
                }
                record
            }
            other => panic!("filed and lost: {context}: {other:?}"),
        };
        if what != "filed" {
            let patched = newest.data.text_of("patched").is_some();
            assert!(patched, "patched and lost: {context}");
        }
        let deleted = if what == "deleted" {
            step
        } else {
            step.saturating_sub(1)
        };
        for earlier in 0..deleted {
            for key in [
                StoreKey::of_id(&id(cycle, worker, earlier)),
                moved(cycle, worker, earlier),
            ] {
                let state = found(&key);
                assert!(
                    matches!(state, KeyState::Retired),
                    "deleted and not retired: {context}"
                );
            }
        }
    }
}

/// Returns the key that the session of a step is moved to.
fn moved(cycle: u64, worker: u64, step: u64) -> StoreKey {
    StoreKey::of_id(&format!("{}/moved", id(cycle, worker, step)))
}

/// Returns the kind of rotation of a step.
fn rotation(step: u64) -> Rotation {
    match step % 2 {
        0 => renewal(),
        _ => Rotation::Replacement,
    }
}

fn id(cycle: u64, worker: u64, step: u64) -> String {
    format!("{cycle}/{worker}/{step}")
}

fn from_env(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// SplitMix64: repeatable, and good enough to choose times.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock");
        let seed = from_env("CARAFE_KILL_SEED").unwrap_or(u64::from(now.subsec_nanos()));
        eprintln!("CARAFE_KILL_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
