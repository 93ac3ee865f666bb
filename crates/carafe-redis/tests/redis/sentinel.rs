//! Fail-over: the sentinels name another primary, and the store connects to it.

use std::time::{Duration, Instant};

use carafe_core::store::SessionStore as _;
use carafe_core::store::StoreError;
use carafe_redis::RedisOptions;

use crate::support::{NOW, Server, block_on, filed, key, record};

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn the_store_connects_to_the_promoted_primary() {
    let primary = Server::start();
    let port = primary.port().to_string();
    let replica = Server::with(&[
        "--replicaof",
        "127.0.0.1",
        &port,
        "--repl-diskless-sync-delay",
        "0",
    ]);
    let began = Instant::now();
    while !replica
        .cli(&["INFO", "replication"])
        .contains("master_link_status:up")
    {
        assert!(began.elapsed() < Duration::from_secs(30), "no replication");
        std::thread::sleep(Duration::from_millis(100));
    }
    let sentinel = Server::sentinel(primary.port());
    block_on(async {
        let address = format!("127.0.0.1:{}", sentinel.port());
        let options = RedisOptions::new();
        let store = options.connect_sentinel([address.as_str()], "carafe").await;
        let store = store.expect("connects");
        let kept = filed(&store, &record("{}")).await;
        // The sentinel must see the replica before it can promote it.
        while !sentinel
            .cli(&["SENTINEL", "replicas", "carafe"])
            .contains("slave-priority")
        {
            assert!(began.elapsed() < Duration::from_secs(30), "no replica");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // Both servers have the session.
        assert_eq!(primary.cli(&["WAIT", "1", "5000"]), "1");
        primary.signal("KILL");
        let began = Instant::now();
        while let Err(error) = store.create(&key(), &record("{}"), NOW).await {
            assert!(
                matches!(error, StoreError::Unavailable(_) | StoreError::Timeout(_)),
                "{error}"
            );
            assert!(began.elapsed() < Duration::from_secs(40), "{error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        println!("followed after {:?}", began.elapsed());
        let found = store.load(&kept, NOW).await.expect("load works");
        assert!(found.record().is_some());
    });
}
