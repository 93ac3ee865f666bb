//! Refresh tokens on the memory store and on SQLite.

use std::{sync::Arc, time::Duration};

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
    session::Patch,
    store::{ClientKind, ErasedStore, MemoryStore, Selection},
};
use carafe_sqlite::{SqliteOptions, SqliteStore};
use carafe_test_fixtures::logs;
use carafe_tokens::refresh::{
    Grant, RefreshError, RefreshTokens, is_session_alive, revoke_session, session_key,
};
use futures_executor::block_on;
use futures_util::future::join_all;

pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

pub(crate) fn ring(text: &str) -> KeyRing {
    KeyRing::new(SecretKey::short(text).unwrap())
}

pub(crate) fn tokens() -> RefreshTokens {
    RefreshTokens::new(&ring("flask-spec-secret"))
}

fn later(seconds: i64) -> Timestamp {
    NOW.saturating_add(seconds)
}

/// The stores that need no server.
pub(crate) fn stores() -> Vec<(&'static str, Arc<dyn ErasedStore>)> {
    let options = SqliteOptions::default().deadline(Duration::from_secs(60));
    let sqlite = SqliteStore::in_memory(options.migrate(true)).unwrap();
    vec![
        ("memory", Arc::new(MemoryStore::new())),
        ("sqlite", Arc::new(sqlite)),
    ]
}

#[test]
fn each_token_is_redeemed_once_and_the_session_stays() {
    for (name, store) in stores() {
        block_on(async {
            let tokens = tokens();
            let grant = Grant::of_user("ada").with_device("phone");
            let mut issued = tokens.issue(&*store, &grant, NOW).await.unwrap();
            let session = issued.session.clone();
            for step in 1..20 {
                let next = tokens
                    .redeem(&*store, &issued.token, later(step * 60))
                    .await
                    .unwrap();
                assert_ne!(next.token, issued.token, "{name}");
                assert_eq!(
                    (&next.session, next.expires),
                    (&session, issued.expires),
                    "{name}"
                );
                issued = next;
            }
            let users = store.powers().users().unwrap();
            let list = users.list_by_user("ada", None, 10, NOW).await.unwrap();
            assert_eq!(list.len(), 1, "{name}");
            assert_eq!(list[0].device.as_deref(), Some("phone"));
            assert_eq!(list[0].public_id, session.public_id);
            assert_eq!(list[0].public_id.client(), Some(ClientKind::RefreshToken));
            assert_eq!(list[0].last_seen, later(19 * 60));
        });
    }
}

#[test]
fn a_repeat_within_the_grace_period_gets_the_same_successor() {
    for (name, store) in stores() {
        block_on(async {
            let tokens = tokens();
            let first = tokens
                .issue(&*store, &Grant::of_user("ada"), NOW)
                .await
                .unwrap();
            let second = tokens
                .redeem(&*store, &first.token, later(100))
                .await
                .unwrap();
            for seconds in [100, 105, 110] {
                let again = tokens
                    .redeem(&*store, &first.token, later(seconds))
                    .await
                    .unwrap();
                assert_eq!(again.token, second.token, "{name} {seconds}");
            }
            assert!(
                tokens
                    .redeem(&*store, &second.token, later(110))
                    .await
                    .is_ok()
            );
        });
    }
}

#[test]
fn a_reuse_revokes_the_session_and_writes_one_event() {
    for (name, store) in stores() {
        let tokens = tokens();
        let (first, second) = block_on(async {
            let first = tokens
                .issue(&*store, &Grant::of_user("ada"), NOW)
                .await
                .unwrap();
            let second = tokens.redeem(&*store, &first.token, NOW).await.unwrap();
            (first, second)
        });
        let lines = logs::lines_of(|| {
            block_on(async {
                for _ in 0..3 {
                    let reused = tokens.redeem(&*store, &first.token, later(11)).await;
                    assert!(matches!(
                        reused,
                        Err(RefreshError::Reused | RefreshError::Gone)
                    ));
                }
                let rejected = tokens.redeem(&*store, &second.token, later(11)).await;
                assert!(matches!(rejected, Err(RefreshError::Gone)), "{name}");
            });
        });
        let events: Vec<_> = lines
            .iter()
            .filter(|line| line.text.contains("used twice"))
            .collect();
        let [event] = &events[..] else {
            panic!("{name}: {events:?}")
        };
        assert_eq!(event.level, tracing::Level::WARN);
        assert!(event.text.contains("refresh-token-reused") && event.text.contains("ada"));
        assert!(event.text.contains(&first.session.public_id.to_string()));
        assert!(!event.text.contains(first.token.as_str()), "{name}");
    }
}

#[test]
fn an_older_generation_is_a_reuse_even_within_the_grace_period() {
    for (name, store) in stores() {
        block_on(async {
            let tokens = tokens();
            let first = tokens
                .issue(&*store, &Grant::of_user("ada"), NOW)
                .await
                .unwrap();
            let second = tokens.redeem(&*store, &first.token, NOW).await.unwrap();
            tokens.redeem(&*store, &second.token, NOW).await.unwrap();
            let reused = tokens.redeem(&*store, &first.token, NOW).await;
            assert!(matches!(reused, Err(RefreshError::Reused)), "{name}");
        });
    }
}

/// Redeems one token in a hundred concurrent requests.
pub(crate) async fn a_hundred_at_once(store: Arc<dyn ErasedStore>, now: Timestamp) {
    let tokens = tokens();
    let issued = tokens
        .issue(&*store, &Grant::of_user("ada"), now)
        .await
        .unwrap();
    let requests = (0..100).map(|_| {
        let (store, tokens, token) = (Arc::clone(&store), tokens.clone(), issued.token.clone());
        tokio::spawn(async move { tokens.redeem(&*store, &token, now).await.unwrap().token })
    });
    let successors: Vec<_> = join_all(requests)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!(successors.iter().all(|token| *token == successors[0]));
    let (_, generation) = tokens.verify(successors[0].as_str(), now).unwrap();
    assert_eq!(generation, 1);
    let next = tokens.redeem(&*store, &successors[0], now).await.unwrap();
    assert_eq!(tokens.verify(next.token.as_str(), now).unwrap().1, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_parallel_refreshes_of_one_token_give_one_successor() {
    for (_, store) in stores() {
        for _ in 0..5 {
            a_hundred_at_once(Arc::clone(&store), NOW).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_parallel_reuses_end_with_a_revoked_session() {
    for (name, store) in stores() {
        let tokens = tokens();
        let first = tokens
            .issue(&*store, &Grant::of_user("ada"), NOW)
            .await
            .unwrap();
        let second = tokens.redeem(&*store, &first.token, NOW).await.unwrap();
        let requests = (0..100).map(|n| {
            let (store, tokens) = (Arc::clone(&store), tokens.clone());
            let token = if n % 2 == 0 {
                first.token.clone()
            } else {
                second.token.clone()
            };
            tokio::spawn(async move { (n, tokens.redeem(&*store, &token, later(20)).await) })
        });
        for done in join_all(requests).await {
            let (n, redeemed) = done.unwrap();
            assert!(n % 2 == 1 || redeemed.is_err(), "{name}");
        }
        assert!(
            !is_session_alive(&*store, first.session.public_id, later(20))
                .await
                .unwrap()
        );
    }
}

#[test]
fn forged_and_changed_tokens_are_rejected_without_the_store() {
    let store = MemoryStore::new();
    let (own, other) = (tokens(), RefreshTokens::new(&ring("another-spec-secret")));
    let issued = block_on(own.issue(&store, &Grant::of_user("ada"), NOW)).unwrap();
    let token = issued.token.as_str();
    let forged = |text: &str| {
        let redeemed = block_on(own.redeem(&store, text, NOW));
        assert!(matches!(redeemed, Err(RefreshError::Forged)), "{text}");
    };
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut bytes = token.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            forged(&String::from_utf8_lossy(&bytes));
        }
        forged(&token[..at]);
    }
    let (value, mac) = token.rsplit_once('.').unwrap();
    let (session, _) = value.split_once('.').unwrap();
    forged(&format!("{session}.1.{mac}"));
    forged(&format!("{token}="));
    forged(&format!(" {token}"));
    forged(&"a".repeat(100_000));
    forged("");
    let foreign = block_on(other.redeem(&store, token, NOW));
    assert!(matches!(foreign, Err(RefreshError::Forged)));
    assert!(block_on(own.redeem(&store, token, NOW)).is_ok());
}

#[test]
fn a_token_is_the_public_id_the_generation_and_a_mac() {
    let store = MemoryStore::new();
    let issued = block_on(tokens().issue(&store, &Grant::of_user("ada"), NOW)).unwrap();
    let parts: Vec<_> = issued.token.as_str().split('.').collect();
    assert_eq!(parts.len(), 3);
    assert_eq!(parts[0], issued.session.public_id.to_string());
    assert_eq!((parts[1], parts[2].len()), ("0", 43));
    assert_eq!(format!("{:?}", issued.token), "RefreshToken(…)");
}

#[test]
fn keys_rotate_without_a_lost_session() {
    let store = MemoryStore::new();
    let (old, new) = ("previous-spec-secret", "flask-spec-secret");
    let before = RefreshTokens::new(&ring(old));
    let issued = block_on(before.issue(&store, &Grant::of_user("ada"), NOW)).unwrap();
    let both = ring(new)
        .with_fallback(SecretKey::short(old).unwrap())
        .unwrap();
    let next = block_on(RefreshTokens::new(&both).redeem(&store, &issued.token, NOW)).unwrap();
    let only_new = RefreshTokens::new(&ring(new));
    assert!(block_on(only_new.redeem(&store, &next.token, NOW)).is_ok());
    assert!(matches!(
        block_on(only_new.redeem(&store, &issued.token, NOW)),
        Err(RefreshError::Forged)
    ));
}

#[test]
fn a_session_ends_by_time_by_revocation_and_by_the_user() {
    for (name, store) in stores() {
        block_on(async {
            let tokens = tokens()
                .with_lifetime(Duration::from_secs(1_000))
                .with_idle_timeout(Duration::from_secs(100));
            let grant = Grant::of_user("ada");
            let gone = async |token: &str, now| {
                let redeemed = tokens.redeem(&*store, token, now).await;
                assert!(matches!(redeemed, Err(RefreshError::Gone)), "{name}");
                assert!(
                    !tokens
                        .introspect(&*store, token, now)
                        .await
                        .unwrap()
                        .is_active()
                );
            };
            // Unused for too long.
            let idle = tokens.issue(&*store, &grant, NOW).await.unwrap();
            gone(idle.token.as_str(), later(100)).await;
            // Redeemed regularly until the absolute lifetime is over.
            let mut used = tokens.issue(&*store, &grant, NOW).await.unwrap();
            for step in 1..=11 {
                used = tokens
                    .redeem(&*store, &used.token, later(step * 90))
                    .await
                    .unwrap();
            }
            assert_eq!(used.expires, later(1_000), "{name}");
            gone(used.token.as_str(), later(1_000)).await;
            // Revoked by its token, by its sid, and with all sessions of the user.
            let issue = async || tokens.issue(&*store, &grant, later(2_000)).await.unwrap();
            let (one, two, three) = (issue().await, issue().await, issue().await);
            assert!(
                tokens
                    .revoke(&*store, &one.token, later(2_000))
                    .await
                    .unwrap()
            );
            assert!(
                !tokens
                    .revoke(&*store, &one.token, later(2_000))
                    .await
                    .unwrap()
            );
            gone(one.token.as_str(), later(2_000)).await;
            let sid = two.session.public_id;
            assert!(is_session_alive(&*store, sid, later(2_000)).await.unwrap());
            assert!(revoke_session(&*store, sid, later(2_000)).await.unwrap());
            assert!(!is_session_alive(&*store, sid, later(2_000)).await.unwrap());
            gone(two.token.as_str(), later(2_000)).await;
            let users = store.powers().users().unwrap();
            users
                .delete_by_user("ada", Selection::All, 100, later(2_000))
                .await
                .unwrap();
            gone(three.token.as_str(), later(2_000)).await;
            assert!(
                !tokens
                    .revoke(&*store, "forged", later(2_000))
                    .await
                    .unwrap()
            );
        });
    }
}

#[test]
fn introspection_says_what_redeem_would_do() {
    for (name, store) in stores() {
        block_on(async {
            let tokens = tokens();
            let first = tokens
                .issue(&*store, &Grant::of_user("ada"), NOW)
                .await
                .unwrap();
            let answer = tokens.introspect(&*store, &first.token, NOW).await.unwrap();
            let body: serde_json::Value = serde_json::from_str(&answer.to_json()).unwrap();
            assert_eq!(
                (&body["active"], &body["sub"]),
                (&true.into(), &"ada".into()),
                "{name}"
            );
            assert_eq!(body["sid"], first.session.public_id.to_string());
            assert_eq!(body["exp"], first.expires.unix());
            tokens.redeem(&*store, &first.token, NOW).await.unwrap();
            let active = async |seconds| {
                let answer = tokens
                    .introspect(&*store, &first.token, later(seconds))
                    .await
                    .unwrap();
                answer.is_active()
            };
            assert!(active(10).await && !active(11).await, "{name}");
            let forged = tokens.introspect(&*store, "x", NOW).await.unwrap();
            assert_eq!(forged.to_json(), r#"{"active":false}"#);
            // Verifying a used token revokes nothing.
            assert!(
                is_session_alive(&*store, first.session.public_id, later(11))
                    .await
                    .unwrap()
            );
        });
    }
}

#[test]
fn a_record_that_was_restored_from_an_old_copy_rejects_newer_tokens() {
    let (tokens, store) = (tokens(), MemoryStore::new());
    let first = block_on(tokens.issue(&store, &Grant::of_user("ada"), NOW)).unwrap();
    let second = block_on(tokens.redeem(&store, &first.token, NOW)).unwrap();
    block_on(tokens.redeem(&store, &second.token, NOW)).unwrap();
    let key = session_key(first.session.public_id);
    block_on(async {
        let record = ErasedStore::load(&store, &key, NOW)
            .await
            .unwrap()
            .into_record()
            .unwrap();
        let mut patch = Patch::new();
        patch.set("_refresh", format!("[0,{}]", NOW.unix()));
        ErasedStore::patch(&store, &key, &record, &patch, NOW)
            .await
            .unwrap();
    });
    let ahead = block_on(tokens.redeem(&store, &second.token, NOW));
    assert!(matches!(ahead, Err(RefreshError::Ahead)));
}

#[test]
fn a_user_keeps_at_most_the_limit_of_sessions() {
    for (name, store) in stores() {
        block_on(async {
            let tokens = tokens().with_limit_per_user(3);
            let mut issued = Vec::new();
            for step in 0..5 {
                let grant = Grant::of_user("ada");
                issued.push(tokens.issue(&*store, &grant, later(step)).await.unwrap());
            }
            for (at, issued) in issued.iter().enumerate() {
                let alive = is_session_alive(&*store, issued.session.public_id, later(9)).await;
                assert_eq!(alive.unwrap(), at >= 2, "{name} {at}");
            }
        });
    }
}

#[test]
fn users_and_devices_are_bounded() {
    let (tokens, store) = (tokens(), MemoryStore::new());
    for user in ["", "a\0b", &"u".repeat(256)] {
        let refused = block_on(tokens.issue(&store, &Grant::of_user(user), NOW));
        assert!(matches!(refused, Err(RefreshError::User)), "{user:?}");
    }
    let grant = Grant::of_user("u".repeat(255)).with_device("é".repeat(200));
    assert!(block_on(tokens.issue(&store, &grant, NOW)).is_ok());
}
