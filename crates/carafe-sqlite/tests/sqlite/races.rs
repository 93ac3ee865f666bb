//! Concurrent writers of one session: threads of one process, and processes that share a file.

use std::{
    env, io,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Barrier,
    thread,
};

use carafe_core::{
    session::Patch,
    store::{Patched, Rotation, SessionListing, SessionStore, StoreKey},
};
use carafe_sqlite::SqliteStore;
use futures_executor::block_on;

use crate::common::{
    self, NOW, Scratch, applied, file_one, increment, load, number, patient, renewal, set,
};

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

/// All sessions created by now are deleted while their ids are renewed as fast as possible.
#[test]
fn a_new_id_does_not_escape_the_end_of_all() {
    let scratch = Scratch::new("end");
    let store = &scratch.store_with(patient());
    let sessions: Vec<_> = (0..8)
        .map(|session| file_one(store, &format!("{session}-0"), "{}"))
        .collect();
    let start = &Barrier::new(9);
    thread::scope(|scope| {
        for (session, (key, base)) in sessions.iter().enumerate() {
            scope.spawn(move || {
                start.wait();
                let mut from = *key;
                for turn in 1..100_000 {
                    let to = StoreKey::of_id(&format!("{session}-{turn}"));
                    let rotation = match turn % 2 {
                        0 => renewal(),
                        _ => Rotation::Replacement,
                    };
                    let patch = Patch::default();
                    let rotated = block_on(store.rotate(&from, &to, base, &patch, rotation, NOW));
                    if let Patched::Gone = rotated.expect("rotate works") {
                        return;
                    }
                    from = to;
                }
                panic!("it was never ended");
            });
        }
        start.wait();
        let mut ended = 0;
        while let count @ 1.. =
            block_on(store.delete_created_before(NOW, 3, NOW)).expect("delete_created_before works")
        {
            ended += count;
        }
        assert_eq!(ended, 8);
        let page = block_on(store.list(None, 10, NOW)).expect("newest works");
        assert!(page.is_empty(), "{page:?}");
    });
    for left in ["sessions", "session_former_keys WHERE leads_to IS NOT NULL"] {
        let sql = format!("SELECT count(*) FROM {left}");
        let count: i64 = scratch
            .raw()
            .query_row(&sql, [], |row| row.get(0))
            .expect("a number");
        assert_eq!(count, 0, "{left}");
    }
}

/// The child process of `two_processes_lose_nothing`; does nothing when it runs as a test.
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
        .args(["--exact", "races::child_of_two_processes_lose_nothing"])
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
