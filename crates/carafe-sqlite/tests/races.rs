//! Many writers of one session: threads of one process, and processes on one file.

mod common;

use std::{
    env, io,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Barrier,
    thread,
};

use carafe_core::store::{SessionStore, StoreKey};
use carafe_sqlite::SqliteStore;
use common::{NOW, Scratch, applied, file_one, increment, load, number, patient, set};
use futures_executor::block_on;

const ID: &str = "everybody's";
const FILE: &str = "CARAFE_TEST_FILE";
const WRITER: &str = "CARAFE_TEST_WRITER";

#[test]
fn a_thousand_updates_are_a_thousand() {
    let scratch = Scratch::new("updates");
    let store = &scratch.store_with(patient());
    let (key, _) = &file_one(store, ID, "{}");
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| add(store, key, 50));
        }
    });
    assert_eq!(count(store, key), 1000);
}

#[test]
fn a_hundred_writers_of_a_hundred_keys_keep_a_hundred() {
    let scratch = Scratch::new("keys");
    let store = &scratch.store_with(patient());
    let (key, base) = &file_one(store, ID, "{}");
    let start = &Barrier::new(100);
    thread::scope(|scope| {
        for writer in 0..100 {
            scope.spawn(move || {
                start.wait();
                let patch = set(&format!("writer-{writer}"), "1");
                applied(block_on(store.patch(key, base, &patch, NOW)).expect("patch works"));
            });
        }
    });
    assert_eq!(load(store, key).data.len(), 100);
}

#[test]
fn two_processes_lose_nothing() {
    let scratch = Scratch::new("processes");
    let store = scratch.store_with(patient());
    let (key, _) = file_one(&store, ID, "{}");
    let children: Vec<_> = (0..2).map(|writer| child(&scratch, writer)).collect();
    for child in children {
        assert!(finish(child).expect("the child ends").success());
    }
    assert_eq!(count(&store, &key), 1000);
    assert_eq!(
        load(&store, &key).data.len(),
        101,
        "the counter and 100 keys"
    );
}

/// What each of the two processes does; nothing when it is run as a test.
#[test]
fn child_of_two_processes_lose_nothing() {
    let (Ok(file), Ok(writer)) = (env::var(FILE), env::var(WRITER)) else {
        return;
    };
    let store = &common::open(file.as_ref(), patient());
    let key = &StoreKey::of_id(ID);
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| add(store, key, 50));
        }
        scope.spawn(|| {
            for name in 0..50 {
                let base = load(store, key);
                let patch = set(&format!("{writer}-{name}"), "1");
                applied(block_on(store.patch(key, &base, &patch, NOW)).expect("patch works"));
            }
        });
    });
}

fn child(scratch: &Scratch, writer: u32) -> io::Result<Child> {
    Command::new(env::current_exe()?)
        .args(["--exact", "child_of_two_processes_lose_nothing"])
        .env(FILE, scratch.file())
        .env(WRITER, writer.to_string())
        .stdout(Stdio::null())
        .spawn()
}

fn finish(child: io::Result<Child>) -> io::Result<ExitStatus> {
    child?.wait()
}

fn add(store: &SqliteStore, key: &StoreKey, times: u32) {
    for _ in 0..times {
        let base = load(store, key);
        let patch = increment("n", &base);
        applied(block_on(store.patch(key, &base, &patch, NOW)).expect("patch works"));
    }
}

fn count(store: &SqliteStore, key: &StoreKey) -> u64 {
    number(load(store, key).data.text_of("n"))
}
