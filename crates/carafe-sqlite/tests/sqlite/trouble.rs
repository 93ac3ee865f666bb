//! Foreign locks, full queues, panics, closing: every caller gets a result in time.

use std::{
    panic,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use carafe_core::{
    error::ErrorChain,
    session::Patch,
    store::{KeyState, Rotation, SessionStore, StoreError, StoreKey},
};
use carafe_sqlite::SqliteOptions;
use futures_executor::block_on;
use futures_util::{FutureExt, future::join_all};

use crate::common::{
    NOW, Scratch, applied, file_one, increment, is_there, load, number, patient, renewal, set,
};

#[test]
fn a_lock_held_for_ever_times_out_and_changes_nothing() {
    let scratch = Scratch::new("locked");
    let store = scratch.store_with(SqliteOptions::default().deadline(Duration::from_millis(200)));
    let (key, base) = file_one(&store, "id", "{}");
    let other = scratch.raw();
    other
        .execute_batch("BEGIN IMMEDIATE")
        .expect("the lock is free");

    let begun = Instant::now();
    let (a, b, c) = (set("a", "1"), set("b", "1"), set("c", "1"));
    let writes = [&a, &b, &c].map(|patch| store.patch(&key, &base, patch, NOW));
    for result in block_on(join_all(writes)) {
        assert!(matches!(result, Err(StoreError::Timeout(after)) if after.as_millis() == 200));
    }
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_millis(200), "{waited:?}");
    assert!(waited < Duration::from_millis(600), "{waited:?}");
    assert!(load(&store, &key).data.is_empty(), "reads go on");

    other.execute_batch("COMMIT").expect("the lock is ours");
    applied(block_on(store.patch(&key, &base, &set("d", "1"), NOW)).expect("patch works"));
    let members = load(&store, &key).data.len();
    assert_eq!(members, 1, "a change that timed out is not run later");
}

#[test]
fn a_lock_held_for_a_while_is_waited_for() {
    let scratch = Scratch::new("waits");
    let store = scratch.store_with(patient());
    let (key, base) = file_one(&store, "id", "{}");
    let other = scratch.raw();
    other
        .execute_batch("BEGIN IMMEDIATE")
        .expect("the lock is free");
    thread::scope(|scope| {
        let write = scope.spawn(|| block_on(store.patch(&key, &base, &set("a", "1"), NOW)));
        thread::sleep(Duration::from_millis(50));
        other.execute_batch("COMMIT").expect("the lock is ours");
        applied(write.join().expect("no panic").expect("patch works"));
    });
}

#[test]
fn one_write_too_many_is_refused_at_once() {
    let scratch = Scratch::new("queue");
    let store = scratch.store_with(patient().queue(3));
    let (key, base) = file_one(&store, "id", "{}");
    let other = scratch.raw();
    other
        .execute_batch("BEGIN IMMEDIATE")
        .expect("the lock is free");

    let patch = increment("n", &base);
    let mut writes: Vec<_> = (0..20)
        .map(|_| Box::pin(store.patch(&key, &base, &patch, NOW)))
        .collect();
    let begun = Instant::now();
    let answers: Vec<_> = writes.iter_mut().map(FutureExt::now_or_never).collect();
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "waits for the deadline"
    );
    for answer in answers.iter().flatten() {
        assert!(
            matches!(answer, Err(StoreError::Unavailable(_))),
            "{answer:?}"
        );
    }
    let refused = answers.iter().flatten().count();
    assert!((1..20).contains(&refused), "{refused}");

    // Dropping the futures does not cancel the queued writes.
    drop((answers, writes));
    other.execute_batch("COMMIT").expect("the lock is ours");
    store.close();
    let store = scratch.store();
    assert_eq!(
        number(load(&store, &key).data.text_of("n")),
        20 - refused as u64
    );
}

#[test]
fn a_panic_in_an_update_ends_that_update_only() {
    let scratch = Scratch::new("panic");
    let store = scratch.store_with(patient());
    let (key, base) = file_one(&store, "id", "{}");
    let mut bad = Patch::default();
    let again = Arc::new(|_: Option<&str>| panic!("on purpose"));
    bad.update(
        "n",
        Some("something else".to_owned()),
        "1".to_owned(),
        again,
    );
    let good = increment("n", &base);

    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let writes = (0..30).map(|turn| {
        let patch = if turn % 3 == 1 { &bad } else { &good };
        store.patch(&key, &base, patch, NOW)
    });
    let results = block_on(join_all(writes));
    panic::set_hook(hook);
    for (turn, result) in results.into_iter().enumerate() {
        match result {
            Ok(patched) if turn % 3 != 1 => drop(applied(patched)),
            Err(StoreError::Unavailable(why)) if turn % 3 == 1 => {
                assert!(why.to_string().contains("panicked"));
            }
            other => panic!("{turn}: {other:?}"),
        }
    }
    assert_eq!(number(load(&store, &key).data.text_of("n")), 20);
}

#[test]
fn an_update_that_refuses_is_a_conflict() {
    let scratch = Scratch::new("refuses");
    let store = scratch.store_with(patient());
    let (key, base) = file_one(&store, "id", r#"{"n":"text"}"#);
    let mut patch = Patch::default();
    let again = Arc::new(|_: Option<&str>| Err("refused".into()));
    patch.update("n", Some("1".to_owned()), "2".to_owned(), again);
    assert!(matches!(
        block_on(store.patch(&key, &base, &patch, NOW)),
        Err(StoreError::Conflict)
    ));
    assert_eq!(load(&store, &key).data.text_of("n"), Some(r#""text""#));
}

#[test]
fn a_rotation_onto_another_session_is_refused() {
    let scratch = Scratch::new("onto");
    let store = scratch.store_with(patient());
    let (from, base) = file_one(&store, "from", r#"{"mine":1}"#);
    let (to, _) = file_one(&store, "to", r#"{"yours":1}"#);
    for target in [&to, &from] {
        for rotation in [Rotation::Replacement, renewal()] {
            let rotated =
                block_on(store.rotate(&from, target, &base, &Patch::default(), rotation, NOW));
            assert!(matches!(rotated, Err(StoreError::Conflict)));
        }
    }
    assert_eq!(load(&store, &from).data.text_of("mine"), Some("1"));
    assert_eq!(load(&store, &to).data.text_of("yours"), Some("1"));
}

/// An id replaced at log-in is revoked together with the ids that led to it (session fixation).
#[test]
fn a_log_in_retires_older_pointers_too() {
    let scratch = Scratch::new("chain");
    let store = scratch.store_with(patient());
    let (a, base) = file_one(&store, "a", "{}");
    let [b, c, d] = ["b", "c", "d"].map(StoreKey::of_id);
    let rotate = |from, to, rotation| {
        applied(
            block_on(store.rotate(from, to, &base, &Patch::default(), rotation, NOW))
                .expect("rotate works"),
        );
    };
    rotate(&a, &b, renewal());
    rotate(&b, &c, renewal());
    for key in [&a, &b, &c] {
        assert!(is_there(&store, key, NOW));
    }
    rotate(&c, &d, Rotation::Replacement);
    for key in [&a, &b, &c] {
        let state = block_on(store.load(key, NOW)).expect("load works");
        assert!(matches!(state, KeyState::Retired), "{state:?}");
    }
    assert!(is_there(&store, &d, NOW));
}

#[test]
fn a_closed_store_says_so_and_leaves_one_file() {
    let scratch = Scratch::new("closed");
    let store = scratch.store_with(patient());
    let (key, base) = file_one(&store, "id", "{}");
    store.close();
    store.close();
    for error in [
        block_on(store.load(&key, NOW)).expect_err("closed"),
        block_on(store.patch(&key, &base, &set("a", "1"), NOW)).expect_err("closed"),
    ] {
        assert_eq!(
            ErrorChain::of(&error).to_string(),
            "the session store is unavailable: the session store is closed"
        );
    }
    let files = std::fs::read_dir(scratch.dir())
        .expect("the directory is there")
        .count();
    assert_eq!(files, 1, "the log is folded into the file");
}

#[test]
fn dropping_the_store_finishes_what_is_queued() {
    let scratch = Scratch::new("drop");
    let store = scratch.store_with(patient());
    let (key, base) = file_one(&store, "id", "{}");
    let patch = increment("n", &base);
    for _ in 0..500 {
        let queued = store.patch(&key, &base, &patch, NOW).now_or_never();
        assert!(queued.is_none(), "it is queued");
    }
    drop(store);
    assert_eq!(number(load(&scratch.store(), &key).data.text_of("n")), 500);
}

/// The last reference may be dropped by an update on the writer thread, which cannot join itself.
#[test]
fn the_writer_may_drop_the_store() {
    let scratch = Scratch::new("own");
    let store = Arc::new(scratch.store_with(patient()));
    let (key, base) = file_one(&store, "id", "{}");
    let (dropped, is_dropped) = mpsc::channel::<()>();
    let other = scratch.raw();
    other
        .execute_batch("BEGIN IMMEDIATE")
        .expect("the lock is free");

    let mut patch = Patch::default();
    let owned = (Arc::clone(&store), dropped);
    let again = Arc::new(move |_: Option<&str>| Ok(format!("{:?}", &owned)));
    patch.update("n", None, "1".to_owned(), again);
    assert!(
        store
            .patch(&key, &base, &patch, NOW)
            .now_or_never()
            .is_none()
    );
    drop((patch, store));
    other.execute_batch("COMMIT").expect("the lock is ours");
    let ended = is_dropped.recv_timeout(Duration::from_secs(20));
    assert_eq!(ended, Err(mpsc::RecvTimeoutError::Disconnected));
    assert_eq!(number(load(&scratch.store(), &key).data.text_of("n")), 1);
}
