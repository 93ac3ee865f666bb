//! A user with very many sessions: the cost of a call is bounded by its limit, and no script blocks
//! the server.

use std::time::Instant;

use carafe_core::store::{
    KeyState, PublicId, Selection, SessionMeta, SessionStore as _, StoreKey, UserSessions as _,
};
use carafe_redis::RedisStore;
use futures_util::future::join_all;

use crate::support::{Cluster, NOW, Server, block_on, filed, key, patient, record_of, rounds};

/// Returns the number of commands, including those that scripts ran, without those of `redis-cli`.
fn calls(servers: &[&Server]) -> u64 {
    let uncounted = ["config|resetstat", "info", "slowlog|get", "client|setinfo"];
    let all = servers.iter().flat_map(|server| server.calls());
    let counted = all.filter(|(name, _)| !uncounted.contains(&name.as_str()));
    counted.map(|(_, calls)| calls).sum()
}

fn reset(servers: &[&Server]) {
    for server in servers {
        assert_eq!(server.cli(&["CONFIG", "RESETSTAT"]), "OK");
    }
}

/// Creates sessions of `user`, one per second, oldest first.
async fn many(store: &RedisStore, user: &str, count: usize) -> Vec<(StoreKey, PublicId)> {
    let mut filed = Vec::with_capacity(count);
    for first in (0..count).step_by(500) {
        let some = (first..count.min(first + 500)).map(|at| async move {
            let age = i64::try_from(count - at).expect("small");
            let mut record = record_of(user);
            record.meta.renewed = NOW.saturating_add(-age);
            (
                crate::support::filed(store, &record).await,
                record.meta.public_id,
            )
        });
        filed.extend(join_all(some).await);
    }
    filed
}

async fn end_all(store: &RedisStore, servers: &[&Server], count: usize) {
    let began = Instant::now();
    let sessions = many(store, "bob", count).await;
    println!("{count} filed in {:?}", began.elapsed());
    // Loads the scripts into the server.
    let spare = filed(store, &record_of("ann")).await;
    assert!(store.delete(&spare, NOW).await.expect("delete works"));

    reset(servers);
    let began = Instant::now();
    let mut page = store
        .list_by_user("bob", None, 50, NOW)
        .await
        .expect("of_user");
    let newest: Vec<_> = page.iter().map(|session| session.public_id).collect();
    let last: Vec<_> = sessions
        .iter()
        .rev()
        .take(50)
        .map(|(_, public_id)| *public_id)
        .collect();
    assert_eq!(newest, last);
    let after = page.last().map(SessionMeta::position);
    page = store
        .list_by_user("bob", after, 50, NOW)
        .await
        .expect("of_user");
    assert_eq!(page[0].public_id, sessions[count - 51].1);
    println!(
        "two pages: {:?}, {} commands",
        began.elapsed(),
        calls(servers)
    );
    assert!(calls(servers) <= 2 * (50 + 16), "{}", calls(servers));

    reset(servers);
    let began = Instant::now();
    let own = sessions[count - 1].1;
    let trimmed = store.trim("bob", 300, own, 20, NOW).await;
    println!("a trim of 20, keeping 300: {:?}", began.elapsed());
    assert_eq!(trimmed.expect("trim works"), 20);
    let began = Instant::now();
    reset(servers);
    let trimmed = store.trim("bob", 5, own, 50, NOW).await;
    assert_eq!(trimmed.expect("trim works"), 50);
    println!(
        "a trim of 50: {:?}, {} commands",
        began.elapsed(),
        calls(servers)
    );
    assert!(calls(servers) <= 50 * 14 + 50, "{}", calls(servers));
    let oldest = store.load(&sessions[69].0, NOW).await;
    assert!(matches!(oldest, Ok(KeyState::Retired)), "{oldest:?}");

    let (mut ended, mut slowest, mut most) = (70, std::time::Duration::ZERO, 0);
    let all = Instant::now();
    loop {
        reset(servers);
        let began = Instant::now();
        let some = store
            .delete_by_user("bob", Selection::AllBut(own), 500, NOW)
            .await;
        let some = some.expect("delete_by_user works");
        (slowest, most) = (slowest.max(began.elapsed()), most.max(calls(servers)));
        // A removal is one script; the commands that it runs are counted, too.
        assert!(calls(servers) <= 500 * 12 + 50, "{}", calls(servers));
        assert!(some <= 500, "{some}");
        if some == 0 {
            break;
        }
        ended += some;
    }
    println!(
        "all ended in {:?}, the slowest call took {slowest:?} and {most} commands",
        all.elapsed()
    );
    assert_eq!(ended, count as u64 - 1);
    assert!(matches!(
        store.load(&sessions[count - 1].0, NOW).await,
        Ok(KeyState::Current(_))
    ));
    for (key, _) in sessions.iter().rev().skip(1).step_by(count / 50) {
        assert!(!matches!(
            store.load(key, NOW).await,
            Ok(KeyState::Current(_))
        ));
    }
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_user_with_very_many_sessions_is_listed_trimmed_and_revoked_in_bounded_steps() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        server.cli(&["CONFIG", "SET", "slowlog-log-slower-than", "10000"]);
        end_all(&store, &[&server], rounds(20_000, 1_000_000)).await;
        println!("slower than 10 ms: {}", server.cli(&["SLOWLOG", "LEN"]));
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_user_with_very_many_sessions_is_revoked_in_a_cluster() {
    let cluster = Cluster::start();
    block_on(async {
        let store = patient()
            .connect_cluster(cluster.urls())
            .await
            .expect("connects");
        let nodes: Vec<_> = cluster.nodes().iter().collect();
        end_all(&store, &nodes, rounds(5_000, 50_000)).await;
    });
}

/// A log-in trims. If there is nothing to trim, this takes two counts in one round trip.
#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_trim_of_a_user_with_few_sessions_counts_them_and_reads_none() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let sessions = many(&store, "bob", 5).await;
        reset(&[&server]);
        let trimmed = store.trim("bob", 5, sessions[4].1, 10, NOW).await;
        assert_eq!(trimmed.expect("trim works"), 0);
        let calls = server.calls();
        let calls: Vec<_> = calls
            .iter()
            .filter(|(name, _)| !name.starts_with("config") && name != "info")
            .collect();
        assert_eq!(calls, [&("zcard".to_owned(), 2)]);
    });
}

/// Members without a record, such as those of sessions that Redis has dropped, affect no list and
/// no revocation, and are removed when their ids are old.
#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn delete_by_user_removes_old_members_without_a_record() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let mut keys = many(&store, "bob", 1_200).await;
        let mut old = record_of("bob");
        old.meta.renewed = NOW.saturating_add(-4_000);
        keys.push((filed(&store, &old).await, old.meta.public_id));
        for (key, _) in &keys {
            server.cli(&["DEL", &crate::support::name(key)]);
        }
        let alive = filed(&store, &record_of("bob")).await;
        let listed = store
            .list_by_user("bob", None, 5, NOW)
            .await
            .expect("of_user");
        assert_eq!(listed.len(), 1);
        let ended = store.delete_by_user("bob", Selection::All, 10, NOW).await;
        assert_eq!(ended.expect("delete_by_user works"), 1);
        assert!(matches!(
            store.load(&alive, NOW).await,
            Ok(KeyState::Retired)
        ));
        let ended = store.delete_by_user("bob", Selection::All, 10, NOW).await;
        assert_eq!(ended.expect("delete_by_user works"), 0);
        for set in ["e", "n"] {
            let left = server.cli(&["ZCARD", &format!("{{carafe:u:bob}}:{set}")]);
            assert_eq!(
                left, "1200",
                "the ids of the others are younger than an hour"
            );
        }
    });
}

/// An interrupted revocation has retired keys that still have members. The next one removes them,
/// so repeated interrupted revocations make progress.
#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn delete_by_user_removes_members_of_retired_keys() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        many(&store, "bob", 700).await;
        for set in ["e", "n"] {
            server.cli(&["COPY", &format!("{{carafe:u:bob}}:{set}"), set]);
        }
        let ended = store.delete_by_user("bob", Selection::All, 600, NOW).await;
        assert_eq!(ended.expect("delete_by_user works"), 600);
        for set in ["e", "n"] {
            server.cli(&["RENAME", set, &format!("{{carafe:u:bob}}:{set}")]);
        }
        let ended = store.delete_by_user("bob", Selection::All, 600, NOW).await;
        assert_eq!(ended.expect("delete_by_user works"), 100);
        for set in ["e", "n"] {
            let left = server.cli(&["ZCARD", &format!("{{carafe:u:bob}}:{set}")]);
            assert_eq!(left, "0");
        }
    });
}

/// A session from another store has an old id, and a revocation may remove its member before the
/// record is stored. It is listed once more.
#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_session_created_with_an_old_id_is_listed() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        for _ in 0..rounds(100, 1000) {
            let mut old = record_of("bob");
            old.meta.renewed = NOW.saturating_add(-100_000);
            let key = key();
            let (created, ended) = futures_util::future::join(
                store.create(&key, &old, NOW),
                store.delete_by_user("bob", Selection::All, 10, NOW),
            )
            .await;
            created.expect("create works");
            let later = store.delete_by_user("bob", Selection::All, 10, NOW).await;
            let ended = ended.expect("works") + later.expect("works");
            assert_eq!(ended, 1, "it is found before or after");
        }
    });
}

/// Braces in a name determine the slot.
#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn any_user_name_works_in_a_cluster() {
    let cluster = Cluster::start();
    block_on(async {
        let store = patient()
            .connect_cluster(cluster.urls())
            .await
            .expect("connects");
        for user in [
            "", "{", "}", "{}", "}{", "a}b", "a{b}c", "{x}", "é\n", "x}:e",
        ] {
            let filed = filed(&store, &record_of(user)).await;
            let listed = store
                .list_by_user(user, None, 5, NOW)
                .await
                .expect("of_user works");
            assert_eq!(listed.len(), 1, "{user:?}");
            let ended = store.delete_by_user(user, Selection::All, 5, NOW).await;
            assert_eq!(ended.expect("delete_by_user works"), 1, "{user:?}");
            assert!(matches!(
                store.load(&filed, NOW).await,
                Ok(KeyState::Retired)
            ));
        }
    });
}
