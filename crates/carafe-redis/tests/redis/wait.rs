//! A fail-over to a replica that does not know yet who has logged out.

use std::time::{Duration, Instant};

use carafe_core::store::{
    Inventory as _, Patched, SessionStore, StoreError, StoreKey, UserSessions as _, Which,
};
use carafe_redis::{RedisOptions, RedisStore};
use futures_util::future::{Either, select};

use crate::support::{
    Cluster, LATER, NOW, Server, applied, block_on, filed, key, loaded, patient, record, record_of,
    set,
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

/// Waits for a replica: long for one that is there, however busy the machine, and briefly for one that is not.
fn waiting(is_there: bool) -> RedisOptions {
    let millis = if is_there { 20_000 } else { 20 };
    patient().wait(1, Duration::from_millis(millis))
}

/// The replica hears nothing more, and keeps what it has.
fn cut_off(replica: &Server) {
    assert_eq!(replica.cli(&["REPLICAOF", "127.0.0.1", "1"]), "OK");
}

/// A hundred log-outs, and in their midst the replica is cut off. Then it is promoted: how many log-outs were
/// acknowledged, and how many of those have come back.
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
        match store.delete(key).await {
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
        // What the documentation says: all that ended since the replica was cut off.
        assert_eq!(acknowledged, 100);
        assert!(back >= 50);
    });
}

fn is_timeout<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Timeout(_)))
}

async fn log_in(store: &RedisStore, alias: bool) -> Result<Patched, StoreError> {
    let base = record("{}");
    let from = filed(store, &base).await;
    let mut patch = set("a", "1");
    patch.facts.user = Some("bob".to_owned());
    let alias = alias.then_some(LATER);
    store.rotate(&from, &key(), &base, &patch, alias, NOW).await
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn whatever_ends_a_session_waits_and_nothing_else_does() {
    let primary = Server::start();
    let replica = replica_of(&primary);
    block_on(async {
        let (base, handle) = (record_of("bob"), record("{}"));
        for is_cut in [false, true] {
            if is_cut {
                cut_off(&replica);
            }
            let store = waiting(!is_cut).connect(primary.url()).await;
            let store = store.expect("connects");
            let key = filed(&store, &base).await;
            filed(&store, &handle).await;
            applied(
                store
                    .patch(&key, &base, &set("a", "1"), NOW)
                    .await
                    .expect("patch"),
            );
            assert!(store.touch(&key, LATER, NOW).await.expect("touch"));
            applied(log_in(&store, true).await.expect("a renewal"));
            assert_eq!(is_timeout(&log_in(&store, false).await), is_cut);
            assert_eq!(is_timeout(&store.delete(&key).await), is_cut);
            // Whoever asks again is told the same.
            assert_eq!(is_timeout(&store.delete(&key).await), is_cut);
            let ended = store.delete_of_user("bob", Which::All).await;
            assert_eq!(is_timeout(&ended), is_cut);
            let ended = store.delete_of_handle(handle.handle).await;
            assert_eq!(is_timeout(&ended), is_cut);
            filed(&store, &record("{}")).await;
            assert_eq!(is_timeout(&store.delete_begun(NOW, 5).await), is_cut);
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn who_waits_stops_nobody_else() {
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
                assert!(store.touch(&stays, LATER, NOW).await.expect("touch"));
            }
            assert!(
                loaded(&store, &ends).await.is_none(),
                "it has ended already"
            );
        };
        let others = std::pin::pin!(others);
        let first = select(store.delete(&ends), others).await;
        assert!(matches!(first, Either::Right(_)), "they waited for it");
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_cluster_waits_too() {
    let cluster = Cluster::start();
    block_on(async {
        for (replicas, times_out) in [(0, false), (1, true)] {
            let options = patient().wait(replicas, Duration::from_millis(20));
            let store = options
                .connect_cluster(cluster.urls())
                .await
                .expect("connects");
            let key = filed(&store, &record("{}")).await;
            assert_eq!(is_timeout(&store.delete(&key).await), times_out);
            assert!(loaded(&store, &key).await.is_none());
        }
    });
}
