//! `kill -9` at random moments: what was acknowledged is there when the file is opened again.
//!
//! A child files, patches and deletes sessions in four threads and prints a line for each answer that it
//! gets. The parent kills it, in half of the cycles kills a second one while it repairs the file, and
//! compares the file with the lines. `CARAFE_KILL_SEED` repeats a run as far as time can be repeated,
//! `CARAFE_KILL_CYCLES` sets its length: 10,000 take minutes.
#![cfg(unix)] // elsewhere `kill` is not as sudden
#![allow(clippy::print_stderr)] // the seed, for repeating a run

mod common;

use std::{
    collections::HashMap,
    env,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use carafe_core::store::{SessionStore, StoreKey};
use carafe_sqlite::SqliteStore;
use common::{NOW, Scratch, applied, file_one, patient, set};
use futures_executor::block_on;

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
            // The first thing that this one does is to repair what the other has left.
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

/// What the child has printed until it was killed, whole lines only. Its time begins with its first
/// acknowledgement, so that it is at work, or with its start, so that it may still be repairing.
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
    // The test harness has lines of its own.
    let ours = |line: &&str| line.starts_with("ack ");
    printed
        .lines()
        .filter(ours)
        .map(|line| format!("{line}\n"))
        .collect()
}

fn child(scratch: &Scratch, cycle: u64) -> Child {
    Command::new(env::current_exe().expect("we are a file"))
        .args(["--exact", "child_that_is_killed", "--nocapture"])
        .env(FILE, scratch.file())
        .env(CYCLE, cycle.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child can be made")
}

/// What is killed; nothing when it is run as a test.
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

/// Files a session, changes it, deletes the one before, for ever.
fn work(store: &SqliteStore, cycle: u64, worker: u64) {
    for step in 0.. {
        let (key, record) = file_one(store, &id(cycle, worker, step), "{}");
        acknowledge(worker, step, "filed");
        applied(
            block_on(store.patch(&key, &record, &set("patched", "1"), NOW)).expect("patch works"),
        );
        acknowledge(worker, step, "patched");
        if step > 0 {
            let before = StoreKey::of_id(&id(cycle, worker, step - 1));
            assert!(block_on(store.delete(&before)).expect("delete works"));
            acknowledge(worker, step, "deleted");
        }
    }
}

/// One `write` to the pipe, so that a line is whole or absent.
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
        let found = |step| {
            let key = StoreKey::of_id(&id(cycle, worker, step));
            block_on(store.load(&key, NOW)).expect("load works")
        };
        let context = format!("cycle {cycle}, worker {worker}, step {step}, {what}");
        let newest = found(step);
        // It may have got one write further than the line that arrived: then the next one is filed.
        let is_there = newest.is_some();
        assert!(is_there, "filed and lost: {context}");
        if what != "filed" {
            let patched = newest.is_some_and(|record| record.data.text_of("patched").is_some());
            assert!(patched, "patched and lost: {context}");
        }
        if what == "deleted" {
            assert!(found(step - 1).is_none(), "deleted and back: {context}");
        }
        for earlier in 0..step.saturating_sub(1) {
            assert!(found(earlier).is_none(), "deleted and back: {context}");
        }
    }
}

fn id(cycle: u64, worker: u64, step: u64) -> String {
    format!("{cycle}/{worker}/{step}")
}

fn from_env(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// SplitMix64: good enough to choose moments, and repeatable.
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
