//! Fail-over to a replica that has not received all log-outs.

use std::time::{Duration, Instant};

use carafe_core::store::{
    Patched, Rotation, Selection, SessionListing as _, SessionStore, StoreError, StoreKey,
    UserSessions as _,
};
use carafe_redis::{RedisOptions, RedisStore};
use futures_util::future::{Either, select};

use crate::support::{
    Cluster, LATER, NOW, Server, applied, block_on, filed, key, loaded, patient, record, record_of,
    renewal, set, used,
};

fn replica_of(primary: &Server) -> Server {
    let port = primary.port().to_string();
    let delay = ["--repl-diskless-sync-delay", "0"];
    let replica = Server::with(&["--replicaof", "127.0.0.1", &port, delay[0], delay[1]]);
    let began = Instant::now();
    while !replica
        .cli(&["INFO", "replication"])
        .contains("master_link_status:up")
    {
        assert!(began.elapsed() < Duration::from_secs(30), "no replication");
        std::thread::sleep(Duration::from_millis(50));
    }
    replica
}

/// Options that wait for one replica: long if it is connected, and briefly if it is not.
fn waiting(is_there: bool) -> RedisOptions {
    let millis = if is_there { 20_000 } else { 20 };
    patient().wait(1, Duration::from_millis(millis))
}

/// Disconnects the replica from its primary. It keeps its data.
fn cut_off(replica: &Server) {
    assert_eq!(replica.cli(&["REPLICAOF", "127.0.0.1", "1"]), "OK");
}

/// Makes a hundred log-outs and disconnects the replica after half of them. Then the replica is
/// promoted. Returns how many log-outs were acknowledged, and how many of those sessions exist
/// again.
async fn log_outs(options: impl Fn(bool) -> RedisOptions) -> (usize, usize) {
    let primary = Server::start();
    let replica = replica_of(&primary);
    let connected = async |is_there| options(is_there).connect(primary.url()).await;
    let mut store = connected(true).await.expect("connects");
    let mut keys = Vec::new();
    for _ in 0..100 {
        keys.push(filed(&store, &record("{}")).await);
    }
    assert_eq!(primary.cli(&["WAIT", "1", "5000"]), "1");
    let mut acknowledged: Vec<StoreKey> = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        if at == 50 {
            cut_off(&replica);
            store = connected(false).await.expect("connects");
        }
        match store.delete(key, NOW).await {
            Ok(there) => {
                assert!(there);
                acknowledged.push(*key);
            }
            Err(StoreError::Timeout(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    replica.cli(&["REPLICAOF", "NO", "ONE"]);
    let promoted = patient().connect(replica.url()).await.expect("connects");
    let mut back = 0;
    for key in &acknowledged {
        back += usize::from(loaded(&promoted, key).await.is_some());
    }
    (acknowledged.len(), back)
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn no_acknowledged_log_out_comes_back_after_a_fail_over() {
    block_on(async {
        let (acknowledged, back) = log_outs(waiting).await;
        println!("waiting: {acknowledged} acknowledged, {back} back");
        assert_eq!((acknowledged, back), (50, 0));
        let (acknowledged, back) = log_outs(|_| patient()).await;
        println!("not waiting: {acknowledged} acknowledged, {back} back");
        // As documented: all sessions deleted since the replica was disconnected.
        assert_eq!(acknowledged, 100);
        assert!(back >= 50);
    });
}

fn is_timeout<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Timeout(_)))
}

async fn log_in(store: &RedisStore, rotation: Rotation) -> Result<Patched, StoreError> {
    let base = record("{}");
    let from = filed(store, &base).await;
    let mut patch = set("a", "1");
    patch.facts.user = Some("bob".to_owned());
    store
        .rotate(&from, &key(), &base, &patch, rotation, NOW)
        .await
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn every_revocation_waits_and_no_other_verb_does() {
    let primary = Server::start();
    let replica = replica_of(&primary);
    block_on(async {
        let (base, public_id) = (record_of("bob"), record("{}"));
        for is_cut in [false, true] {
            if is_cut {
                cut_off(&replica);
            }
            let store = waiting(!is_cut).connect(primary.url()).await;
            let store = store.expect("connects");
            let key = filed(&store, &base).await;
            filed(&store, &public_id).await;
            applied(
                store
                    .patch(&key, &base, &set("a", "1"), NOW)
                    .await
                    .expect("patch"),
            );
            assert!(store.touch(&key, &used(NOW, LATER)).await.expect("touch"));
            applied(log_in(&store, renewal()).await.expect("a renewal"));
            assert_eq!(
                is_timeout(&log_in(&store, Rotation::Replacement).await),
                is_cut
            );
            assert_eq!(is_timeout(&store.delete(&key, NOW).await), is_cut);
            // A repeated call has the same result.
            assert_eq!(is_timeout(&store.delete(&key, NOW).await), is_cut);
            let ended = store
                .delete_by_user("bob", Selection::All, 1_000, NOW)
                .await;
            assert_eq!(is_timeout(&ended), is_cut);
            let ended = store
                .delete_by_public_id(public_id.meta.public_id, NOW)
                .await;
            assert_eq!(is_timeout(&ended), is_cut);
            filed(&store, &record("{}")).await;
            assert_eq!(
                is_timeout(&store.delete_created_before(NOW, 5, NOW).await),
                is_cut
            );
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_waiting_revocation_blocks_no_other_request() {
    let primary = Server::start();
    block_on(async {
        let options = patient().wait(1, Duration::from_secs(3));
        let store = options.connect(primary.url()).await.expect("connects");
        let (ends, stays) = (
            filed(&store, &record("{}")).await,
            filed(&store, &record("{}")).await,
        );
        let others = async {
            for _ in 0..50 {
                assert!(loaded(&store, &stays).await.is_some());
                assert!(store.touch(&stays, &used(NOW, LATER)).await.expect("touch"));
            }
            assert!(
                loaded(&store, &ends).await.is_none(),
                "it has ended already"
            );
        };
        let others = std::pin::pin!(others);
        let delete = std::pin::pin!(store.delete(&ends, NOW));
        let first = select(delete, others).await;
        assert!(matches!(first, Either::Right(_)), "they waited for it");
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_pooled_connection_that_the_server_closed_is_replaced() {
    let primary = Server::start();
    let _replica = replica_of(&primary);
    block_on(async {
        let store = waiting(true).connect(primary.url()).await;
        let store = store.expect("connects");
        for _ in 0..3 {
            let key = filed(&store, &record("{}")).await;
            assert!(store.delete(&key, NOW).await.expect("delete"));
            primary.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_cluster_waits_for_replicas() {
    let cluster = Cluster::start();
    block_on(async {
        for (replicas, times_out) in [(0, false), (1, true)] {
            let options = patient().wait(replicas, Duration::from_millis(20));
            let store = options
                .connect_cluster(cluster.urls())
                .await
                .expect("connects");
            let key = filed(&store, &record("{}")).await;
            assert_eq!(is_timeout(&store.delete(&key, NOW).await), times_out);
            assert!(loaded(&store, &key).await.is_none());
        }
    });
}
