//! How long the keys of pointers and markers last, and that no list contains them.

use carafe_core::store::{
    KeyState, Rotation, SessionListing as _, SessionStore as _, UserSessions as _, retired_until,
};
use carafe_redis::RedisStore;

use crate::support::{
    Cluster, LATER, NOW, Server, applied, block_on, filed, key, name, patient, record_of, renewal,
    set, used,
};

/// Returns when Redis drops this key, on any node.
fn dropped_at(servers: &[&Server], name: &str) -> i64 {
    let times = servers
        .iter()
        .map(|server| server.cli(&["EXPIRETIME", name]));
    let times = times.filter_map(|time| time.parse::<i64>().ok());
    times.max().expect("one knows")
}

async fn check(store: &RedisStore, servers: &[&Server]) {
    let base = record_of("bob");
    let (first, second, third) = (filed(store, &base).await, key(), key());
    let patch = set("a", "1");
    let renewed = store.rotate(&first, &second, &base, &patch, renewal(), NOW);
    let base = applied(renewed.await.expect("rotate works"));
    let renewed = store.rotate(&second, &third, &base, &patch, renewal(), NOW);
    let base = applied(renewed.await.expect("rotate works"));
    let last = |seconds| LATER.saturating_add(seconds).unix() + 60;
    for key in [&first, &second, &third] {
        assert_eq!(dropped_at(servers, &name(key)), last(0));
    }
    // Through the key of the record: its pointers are unchanged.
    let access = used(NOW, LATER.saturating_add(100));
    assert!(store.touch(&third, &access).await.expect("touch works"));
    assert_eq!(dropped_at(servers, &name(&third)), last(100));
    assert_eq!(dropped_at(servers, &name(&first)), last(0));
    // Through the first pointer: all pointers on the way are prolonged.
    let access = used(NOW, LATER.saturating_add(50));
    assert!(store.touch(&first, &access).await.expect("touch works"));
    for key in [&first, &second, &third] {
        assert_eq!(dropped_at(servers, &name(key)), last(100));
    }
    let mut patch = set("a", "2");
    patch.facts.seen = Some(used(NOW, LATER.saturating_add(200)));
    let patched = store.patch(&second, &base, &patch, NOW).await;
    let base = applied(patched.expect("patch works"));
    assert_eq!(dropped_at(servers, &name(&first)), last(100));
    for key in [&second, &third] {
        assert_eq!(dropped_at(servers, &name(key)), last(200));
    }

    let fourth = key();
    let moved = store.rotate(&first, &fourth, &base, &patch, Rotation::Replacement, NOW);
    applied(moved.await.expect("rotate works"));
    let gone = retired_until(NOW).unix() + 60;
    assert_eq!(dropped_at(servers, &name(&third)), gone);
    let listed = store
        .list_by_user("bob", None, 5, NOW)
        .await
        .expect("of_user works");
    assert_eq!(listed.len(), 1);
    let walked = store.scan(None, 100).await.expect("walk works").records;
    let walked: Vec<_> = walked.into_iter().map(|(key, _)| key).collect();
    assert!(!walked.contains(&first) && !walked.contains(&third));
    assert!(store.delete(&fourth, NOW).await.expect("delete works"));
    assert_eq!(dropped_at(servers, &name(&fourth)), gone);
    for key in [&first, &second, &third, &fourth] {
        let state = store.load(key, NOW).await;
        assert!(matches!(state, Ok(KeyState::Retired)), "{state:?}");
    }
    assert!(
        store
            .list_by_user("bob", None, 5, NOW)
            .await
            .expect("of_user works")
            .is_empty()
    );
    assert!(
        store
            .list(None, 5, NOW)
            .await
            .expect("newest works")
            .is_empty()
    );
    assert_eq!(store.sample(5, NOW).await.expect("sample works").total, 0);
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn pointers_last_as_long_as_their_record_and_markers_a_minute() {
    let (server, cluster) = (Server::start(), Cluster::start());
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        check(&store, &[&server]).await;
        let store = patient()
            .connect_cluster(cluster.urls())
            .await
            .expect("connects");
        check(&store, &cluster.nodes().iter().collect::<Vec<_>>()).await;
    });
}
