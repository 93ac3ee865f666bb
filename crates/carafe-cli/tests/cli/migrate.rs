//! `carafe migrate` from one SQLite file to another: stopped and gone on with, while both are in
//! use, and with what cannot be moved.

#![cfg(unix)]

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use crate::support::{
    carafe, json, run,
    stores::{Dir, block_on, file, fill, key, load, record},
};
use carafe_core::{
    clock::Timestamp,
    session::{Access, Patch, UpdateFn},
    store::{
        ErasedStore, MigratingStore, Nonce, Patched, Rotation, Selection, StoreKey,
        UserSessions as _,
    },
};
use futures_util::{StreamExt as _, stream};

/// The command from `a.db` to `b.db`, and more arguments.
fn migrate(dir: &Dir, more: &[&str]) -> Command {
    let mut command = carafe();
    command.args([
        "migrate",
        "--from",
        &dir.url("a.db"),
        "--to",
        &dir.url("b.db"),
    ]);
    command.args(more);
    command
}

/// Its report and its exit code.
fn report(dir: &Dir, more: &[&str]) -> (i32, serde_json::Value) {
    let output = migrate(dir, &[more, &["--json"]].concat())
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (
        output.status.code().unwrap(),
        report.unwrap_or_else(|_| panic!("{said}")),
    )
}

/// Runs it until it has said how far it is, then sends the signal.
fn interrupt(dir: &Dir, more: &[&str], signal: &str) -> Child {
    let mut child = migrate(dir, more)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(line.ends_with(" %"), "{line}");
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap()
            .success()
    );
    // Read to the end, or the program would wait for a reader.
    for line in lines {
        drop(line);
    }
    child
}

fn count(dir: &Dir, name: &str) -> u64 {
    let args = ["sessions", "stats", "--json", "--store", &dir.url(name)];
    json(&args)["total"].as_u64().unwrap()
}

#[test]
fn twenty_thousand_sessions_move_although_it_is_stopped_and_killed() {
    let dir = Dir::new();
    let sessions = 20_000;
    block_on(fill(&dir.store("a.db"), 0..sessions));
    drop(dir.store("b.db"));
    let state = dir.file("state.json");
    let keeps = ["--state", state.to_str().unwrap()];
    let slowly = [&keeps[..], &["--rate", "2000"]].concat();

    let mut stopped = interrupt(&dir, &slowly, "-INT");
    assert_eq!(stopped.wait().unwrap().code(), Some(5));
    let first = std::fs::read_to_string(&state).unwrap();
    let mut killed = interrupt(&dir, &slowly, "-KILL");
    assert_eq!(killed.wait().unwrap().code(), None);
    let second = std::fs::read_to_string(&state).unwrap();
    assert_ne!(first, second, "it has gone on");

    let (code, end) = report(&dir, &[&keeps[..], &["--verify"]].concat());
    assert_eq!(code, 0, "{end}");
    assert_eq!(end["seen"], sessions, "each batch is counted once: {end}");
    assert_eq!(
        (&end["verified"]["same"], &end["verified"]["extra"]),
        (&sessions.into(), &0.into())
    );
    assert!(!state.exists(), "the next run begins at the beginning");
    block_on(async {
        let (a, b) = (dir.store("a.db"), dir.store("b.db"));
        for number in [0, 1, 777, sessions - 1] {
            let (from, to) = (
                load(&a, number).await.unwrap(),
                load(&b, number).await.unwrap(),
            );
            assert_eq!(from.meta, to.meta);
            assert_eq!(to.data.text_of("number"), Some(number.to_string().as_str()));
        }
    });
}

#[test]
fn a_second_copy_brings_what_has_changed_and_verify_finds_what_has_ended() {
    let dir = Dir::new();
    let (a, b) = (dir.store("a.db"), dir.store("b.db"));
    block_on(async {
        fill(&a, 0..50).await;
        let mut over = record(99);
        over.meta.expires = Timestamp::now();
        file(&a, &key(99), &over).await;
        // An expired session in the target does not prevent the move.
        file(&b, &key(3), &over).await;
    });
    let (code, first) = report(&dir, &["--verify", "--batch", "7"]);
    assert_eq!(
        (code, &first["moved"], &first["expired"]),
        (0, &50.into(), &1.into()),
        "{first}"
    );
    block_on(async {
        change(&a, &key(1)).await;
        change(&b, &key(2)).await;
        a.delete(&key(4), Timestamp::now()).await.unwrap();
        file(&a, &key(50), &record(50)).await;
    });
    let (code, second) = report(&dir, &["--verify"]);
    assert_eq!(code, 1);
    for (field, count) in [
        ("moved", 1),
        ("updated", 1),
        ("newer_there", 1),
        ("already_there", 47),
    ] {
        assert_eq!(second[field], count, "{field}: {second}");
    }
    let found = &second["verified"];
    assert_eq!(
        (
            &found["same"],
            &found["missing"],
            &found["different"],
            &found["extra"]
        ),
        (&49.into(), &0.into(), &1.into(), &1.into()),
        "{second}"
    );
    let text = migrate(&dir, &["--verify", "--quiet"]).output().unwrap();
    assert_eq!(text.status.code(), Some(1));
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("the stores differ") && text.contains("only in the target"),
        "{text}"
    );
}

#[test]
fn sessions_move_while_services_use_both_stores() {
    let dir = Dir::new();
    let (a, b) = (Arc::new(dir.store("a.db")), Arc::new(dir.store("b.db")));
    block_on(fill(&*a, 0..3_000));
    let child = migrate(
        &dir,
        &["--move", "--verify", "--batch", "100", "--rate", "1500"],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let service = MigratingStore::new(a.clone(), b.clone());
    block_on(async {
        let to = |number| key(number + 1_000_000);
        let is_renewed = |number| number % 8 == 2;
        let work = stream::iter(0..3_000_u64).for_each_concurrent(16, async |number| {
            let (key, now) = (key(number), Timestamp::now());
            match number % 4 {
                0 => assert!(service.delete(&key, now).await.unwrap(), "{number}"),
                1 => change(&service, &key).await,
                2 => {
                    let base = service.load(&key, now).await.unwrap();
                    let base = base.into_record().unwrap();
                    let (to, patch) = (to(number), Patch::default());
                    let rotation = match is_renewed(number) {
                        true => Rotation::Renewal(Nonce::random().unwrap()),
                        false => Rotation::Replacement,
                    };
                    let moved = service
                        .rotate(&key, &to, &base, &patch, rotation, now)
                        .await;
                    assert!(matches!(moved.unwrap(), Patched::Applied(_)), "{number}");
                    // The browser presents the new id, and the old one is accepted no longer than
                    // until now.
                    let first_use = Access {
                        at: now,
                        expires: base.meta.expires,
                        confirms: Some(now),
                    };
                    assert!(service.touch(&to, &first_use).await.unwrap(), "{number}");
                }
                _ => {}
            }
        });
        work.await;
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(count(&dir, "a.db"), 0, "the old store is empty");
        let now = Timestamp::now();
        for number in 0..3_000 {
            let found = load(&*b, number).await;
            match number % 4 {
                0 => assert!(found.is_none(), "{number} was logged out"),
                1 => assert_eq!(
                    found.unwrap().data.text_of("changes"),
                    Some("1"),
                    "{number}"
                ),
                2 => {
                    assert!(
                        b.load(&to(number), now).await.unwrap().record().is_some(),
                        "{number}"
                    );
                    // Only a pointer leads on, where the session was in this store already.
                    assert!(is_renewed(number) || found.is_none(), "{number}");
                }
                _ => assert!(found.is_some(), "{number} was left alone"),
            }
        }
        let end = async || {
            service
                .delete_by_user("user7", Selection::All, 500, now)
                .await
        };
        while end().await.unwrap() > 0 {}
        let left = service.list_by_user("user7", None, 10, now).await;
        assert!(left.unwrap().is_empty());
    });
}

#[test]
fn what_a_dead_move_has_left_is_settled() {
    let dir = Dir::new();
    let (a, b) = (dir.store("a.db"), dir.store("b.db"));
    let both = record(1);
    block_on(async {
        file(&a, &key(1), &both).await;
        file(&b, &key(1), &both).await;
        change(&b, &key(1)).await;
    });
    let (code, end) = report(&dir, &["--move"]);
    assert_eq!((code, &end["already_there"]), (0, &1.into()), "{end}");
    assert!(block_on(load(&a, 1)).is_none());
    let kept = block_on(load(&b, 1)).unwrap();
    assert_eq!(
        kept.data.text_of("changes"),
        Some("1"),
        "the newer state is kept"
    );
}

#[test]
fn a_session_that_the_target_has_revoked_is_removed_from_the_source() {
    let dir = Dir::new();
    let (a, b) = (dir.store("a.db"), dir.store("b.db"));
    block_on(async {
        file(&a, &key(1), &record(1)).await;
        file(&b, &key(1), &record(1)).await;
        b.delete(&key(1), Timestamp::now()).await.unwrap();
    });
    let (code, copied) = report(&dir, &[]);
    assert_eq!(
        (code, &copied["ended_meanwhile"]),
        (0, &1.into()),
        "{copied}"
    );
    assert!(block_on(load(&a, 1)).is_some(), "a copy deletes nothing");
    let (code, moved) = report(&dir, &["--move"]);
    assert_eq!((code, &moved["ended_meanwhile"]), (0, &1.into()), "{moved}");
    assert!(block_on(load(&a, 1)).is_none());
    assert!(block_on(load(&b, 1)).is_none());
}

#[test]
fn what_cannot_be_read_stays_and_is_named() {
    let dir = Dir::new();
    block_on(fill(&dir.store("a.db"), 0..30));
    drop(dir.store("b.db"));
    let damaged = rusqlite::Connection::open(dir.file("a.db")).unwrap();
    let sql = "UPDATE sessions SET data = '{\"a' WHERE key IN \
               (SELECT key FROM sessions ORDER BY key LIMIT 25)";
    assert_eq!(damaged.execute(sql, []).unwrap(), 25);
    let (code, end) = report(&dir, &["--move"]);
    assert_eq!(
        (code, &end["moved"], &end["unreadable"]),
        (1, &5.into(), &25.into()),
        "{end}"
    );
    let named = end["troubles"].as_array().unwrap();
    assert_eq!(named.len(), 20);
    assert_eq!(named[0]["key"].as_str().unwrap().len(), 12);
    let kept: i64 = damaged
        .query_row("SELECT count(*) FROM sessions", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 25, "they are not touched");
    let text = migrate(&dir, &[]).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("unreadable") && text.contains("and 5 more"),
        "{text}"
    );
}

#[test]
fn a_migration_that_cannot_begin_says_why() {
    let dir = Dir::new();
    drop(dir.store("a.db"));
    let no_tables = migrate(&dir, &[]).output().unwrap();
    assert_eq!(no_tables.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&no_tables.stderr).contains("carafe store init"));
    let url = dir.url("a.db");
    let onto_itself = run(&["migrate", "--from", &url, "--to", &url]);
    assert_eq!(onto_itself.code, 2);
    drop(dir.store("b.db"));
    for state in [
        "",
        "{}",
        r#"{"format":1,"from":"x","to":"y","moves":false,"cursor":null,"tally":{}}"#,
    ] {
        std::fs::write(dir.file("state"), state).unwrap();
        let args = ["--state", dir.file("state").to_str().unwrap()].map(str::to_owned);
        let refused = migrate(&dir, &args.each_ref().map(String::as_str))
            .output()
            .unwrap();
        assert_eq!(refused.status.code(), Some(2), "{state}");
        let kept = std::fs::read_to_string(dir.file("state")).unwrap();
        assert_eq!(kept, state, "it is not overwritten");
    }
}

/// Adds one to `changes`, as a request does.
async fn change(store: &dyn ErasedStore, key: &StoreKey) {
    let now = Timestamp::now();
    let base = store.load(key, now).await.unwrap().into_record().unwrap();
    let again: UpdateFn = Arc::new(|text| {
        let count: u64 = text.unwrap_or("0").parse().unwrap();
        Ok((count + 1).to_string())
    });
    let mut patch = Patch::default();
    patch.update("changes", None, "1".to_owned(), again);
    let patched = store.patch(key, &base, &patch, now).await.unwrap();
    assert!(matches!(patched, Patched::Applied(_)));
}
