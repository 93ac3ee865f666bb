//! Concurrent calls, and calls in every order.

use carafe_core::store::{
    BoxFuture, Patched, Rotation, Selection, SessionStore, StoreKey, UserSessions as _,
};
use carafe_redis::RedisStore;
use futures_util::future::join_all;

use crate::support::{
    Cluster, Dice, LATER, NOW, Server, applied, block_on, filed, increment, key, loaded, patient,
    record, record_of, remaining, renewal, rounds, set, used,
};

async fn count(store: &RedisStore, key: &StoreKey, times: usize) {
    let base = loaded(store, key).await.expect("it is there");
    let updates = (0..times).map(|_| async {
        let update = increment("n", &base);
        let patched = store.patch(key, &base, &update, NOW).await;
        applied(patched.expect("patch works"));
    });
    join_all(updates).await;
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_thousand_updates_at_once_all_count() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let key = filed(&store, &record("{}")).await;
        count(&store, &key, 1000).await;
        let after = loaded(&store, &key).await.expect("it is there");
        assert_eq!(after.data.text_of("n"), Some("1000"));
        assert_eq!(after.meta.version, 1000);
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_thousand_updates_from_two_processes_all_count() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let key = filed(&store, &record("{}")).await;
        let own = std::env::current_exe().expect("this program has a file");
        let children = (0..2).map(|_| {
            tokio::process::Command::new(&own)
                .args(["--ignored", "--exact", "races::the_other_process"])
                .env("CARAFE_CHILD", server.url())
                .env("CARAFE_CHILD_KEY", hex(&key))
                .status()
        });
        for status in join_all(children).await {
            assert!(status.expect("it runs").success());
        }
        let after = loaded(&store, &key).await.expect("it is there");
        assert_eq!(after.data.text_of("n"), Some("1000"));
    });
}

/// The child process of the test above; does nothing when it runs as a test.
#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn the_other_process() {
    let (Ok(url), Ok(key)) = (
        std::env::var("CARAFE_CHILD"),
        std::env::var("CARAFE_CHILD_KEY"),
    ) else {
        return;
    };
    let bytes = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&key[at..at + 2], 16));
    let bytes: Vec<u8> = bytes.map(|byte| byte.expect("hex")).collect();
    let key = StoreKey::from_bytes(bytes.try_into().expect("32 bytes"));
    block_on(async {
        let store = patient().connect(url).await.expect("connects");
        count(&store, &key, 500).await;
    });
}

fn hex(key: &StoreKey) -> String {
    key.as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The verb that one of the concurrent calls ran.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Load,
    Delete,
    Patch,
    Update,
    Touch,
    Rotate,
    Renew,
}

/// Calls each verb in any order or concurrently: a deleted session is under no key afterwards, and
/// a session is never under two new keys.
async fn interleave(store: &RedisStore, dice: &mut Dice) {
    let base = record(r#"{"n":0}"#);
    let from = filed(store, &base).await;
    let base = loaded(store, &from).await.expect("it is there");
    let targets = [key(), key()];
    let mut verbs = [
        (Verb::Load, 0),
        (Verb::Delete, 0),
        (Verb::Patch, 0),
        (Verb::Update, 0),
        (Verb::Touch, 0),
        (Verb::Rotate, 0),
        (Verb::Renew, 1),
    ];
    dice.shuffle(&mut verbs);
    let run = |(verb, target): (Verb, usize)| -> BoxFuture<'_, bool> {
        let to = &targets[target];
        let (from, base) = (&from, &base);
        Box::pin(async move { run(store, verb, from, to, base).await })
    };
    let deleted = if dice.below(2) == 0 {
        let done = join_all(verbs.map(run)).await;
        verbs
            .iter()
            .zip(done)
            .any(|((verb, _), done)| matches!(verb, Verb::Delete) && done)
    } else {
        let mut deleted = false;
        for verb in verbs {
            let done = run(verb).await;
            deleted |= matches!(verb.0, Verb::Delete) && done;
        }
        deleted
    };
    let mut live = 0;
    for target in &targets {
        live += usize::from(loaded(store, target).await.is_some());
    }
    let old = loaded(store, &from).await.is_some();
    assert!(live <= 1, "under two keys: {verbs:?}");
    assert!(!deleted || (live == 0 && !old), "resurrected: {verbs:?}");
    assert!(deleted || live == 1, "lost: {verbs:?}");
}

async fn run(
    store: &RedisStore,
    verb: Verb,
    from: &StoreKey,
    to: &StoreKey,
    base: &carafe_core::store::Record,
) -> bool {
    let patch = set("a", "1");
    let rotated = |result| matches!(result, Ok(Patched::Applied(_)));
    match verb {
        Verb::Load => loaded(store, from).await.is_some(),
        Verb::Delete => store.delete(from, NOW).await.expect("delete works"),
        Verb::Patch => rotated(store.patch(from, base, &patch, NOW).await),
        Verb::Update => rotated(store.patch(from, base, &increment("n", base), NOW).await),
        Verb::Touch => store
            .touch(from, &used(NOW, LATER))
            .await
            .expect("touch works"),
        Verb::Rotate => rotated(
            store
                .rotate(from, to, base, &patch, Rotation::Replacement, NOW)
                .await,
        ),
        Verb::Renew => rotated(store.rotate(from, to, base, &patch, renewal(), NOW).await),
    }
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_deleted_session_never_comes_back_on_a_single_server() {
    let (server, mut dice) = (Server::start(), Dice::new());
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        for _ in 0..rounds(1000, 10_000) {
            interleave(&store, &mut dice).await;
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_deleted_session_never_comes_back_in_a_cluster() {
    let (cluster, mut dice) = (Cluster::start(), Dice::new());
    block_on(async {
        let store = patient()
            .connect_cluster(cluster.urls())
            .await
            .expect("connects");
        for _ in 0..rounds(500, 10_000) {
            interleave(&store, &mut dice).await;
        }
    });
}

/// All sessions of a user are revoked while they get new keys: none is left.
async fn revoke_while_renewing(store: &RedisStore) {
    let user = format!("user-{:?}", key());
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let record = record_of(&user);
        sessions.push((filed(store, &record).await, record));
    }
    let renewals = sessions.iter().map(|(from, base)| async {
        let mut keys = vec![*from];
        for _ in 0..5 {
            let (from, to) = (keys[keys.len() - 1], key());
            keys.push(to);
            let patch = set("a", "1");
            let moved = store
                .rotate(&from, &to, base, &patch, Rotation::Replacement, NOW)
                .await;
            if !matches!(moved.expect("rotate works"), Patched::Applied(_)) {
                break;
            }
        }
        keys
    });
    let revoke = async {
        let mut revoked = 0;
        loop {
            let some = store.delete_by_user(&user, Selection::All, 3, NOW).await;
            match some.expect("delete_by_user works") {
                0 => return revoked,
                some => revoked += some,
            }
        }
    };
    let (keys, revoked) = futures_util::future::join(join_all(renewals), revoke).await;
    assert!(revoked <= 4, "{revoked}");
    for key in keys.iter().flatten() {
        assert!(loaded(store, key).await.is_none(), "one got away");
    }
    let left = store
        .powers()
        .users()
        .expect("a power")
        .list_by_user(&user, None, 1_000, NOW)
        .await;
    assert!(left.expect("of_user works").is_empty());
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn delete_by_user_misses_no_session_that_renews() {
    let (server, cluster) = (Server::start(), Cluster::start());
    block_on(async {
        let single = patient().connect(server.url()).await.expect("connects");
        let many = patient()
            .connect_cluster(cluster.urls())
            .await
            .expect("connects");
        for _ in 0..rounds(100, 2000) {
            revoke_while_renewing(&single).await;
            revoke_while_renewing(&many).await;
        }
    });
}

/// A session that always exists is always listed, even while its key changes.
#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_list_misses_no_session_that_renews() {
    let (server, cluster) = (Server::start(), Cluster::start());
    block_on(async {
        let single = patient().connect(server.url()).await.expect("connects");
        let many = patient()
            .connect_cluster(cluster.urls())
            .await
            .expect("connects");
        for store in [&single, &many] {
            let base = record_of("bob");
            let mut from = filed(store, &base).await;
            let renewals = async {
                for _ in 0..rounds(200, 2000) {
                    let to = key();
                    let moved = store
                        .rotate(
                            &from,
                            &to,
                            &base,
                            &set("a", "1"),
                            Rotation::Replacement,
                            NOW,
                        )
                        .await;
                    applied(moved.expect("rotate works"));
                    from = to;
                }
            };
            let lists = async {
                for _ in 0..rounds(200, 2000) {
                    let users = store.powers().users().expect("a power");
                    let listed = users
                        .list_by_user("bob", None, 1_000, NOW)
                        .await
                        .expect("of_user works");
                    assert_eq!(listed.len(), 1);
                }
            };
            futures_util::future::join(renewals, lists).await;
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn the_user_index_covers_every_use_and_drops_expired_sessions() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let users = store.powers().users().expect("a power");
        let key = filed(&store, &record_of("bob")).await;
        let mut now = NOW;
        for step in 0..50 {
            now = now.saturating_add(3000);
            let expires = now.saturating_add(3600);
            if step % 2 == 0 {
                assert!(store.touch(&key, &used(now, expires)).await.expect("touch"));
            } else {
                let base = loaded(&store, &key).await.expect("it is there");
                let mut patch = set("a", "1");
                patch.facts.seen = Some(carafe_core::session::Access {
                    at: now,
                    expires,
                    confirms: None,
                });
                applied(store.patch(&key, &base, &patch, now).await.expect("patch"));
            }
            let score = server.cli(&["ZRANGE", "{carafe:u:bob}:e", "0", "-1", "WITHSCORES"]);
            let score: i64 = score
                .lines()
                .last()
                .expect("a score")
                .parse()
                .expect("a number");
            let index: i64 = server
                .cli(&["EXPIRETIME", "{carafe:u:bob}:e"])
                .parse()
                .expect("a time");
            assert!(score >= expires.unix() && index >= score);
            assert_eq!(
                users
                    .list_by_user("bob", None, 1_000, now)
                    .await
                    .expect("of_user")
                    .len(),
                1
            );
        }
        assert!(store.delete(&key, NOW).await.expect("delete"));
        assert_eq!(remaining(&server), "0", "nothing is left");
    });
}
