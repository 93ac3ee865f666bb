//! Rotation in a cluster, cut short at every point: a session is in one place or in none.

use std::{
    future::Future,
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};

use carafe_core::store::{SessionStore, StoreError};
use carafe_redis::RedisOptions;

use crate::support::{Cluster, NOW, block_on, filed, key, loaded, patient, record_of, rounds, set};

/// Polls `future` so often and then drops it; whether it came to its end.
async fn polled(future: impl Future, times: usize) -> bool {
    let mut future = pin!(future);
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_rotation_that_is_cut_short_leaves_one_session_or_none() {
    let cluster = Cluster::start();
    block_on(async {
        let patient = patient()
            .connect_cluster(cluster.urls())
            .await
            .expect("connects");
        let hasty = RedisOptions::new()
            .connect_cluster(cluster.urls())
            .await
            .expect("connects");
        let (mut stayed, mut moved, mut lost) = (0, 0, 0);
        for round in 0..rounds(60, 2000) {
            let base = record_of("bob");
            let (from, to) = (filed(&patient, &base).await, key());
            let alias = (round % 2 == 0).then(|| NOW.saturating_add(30));
            let patch = set("a", "1");
            let rotation = hasty.rotate(&from, &to, &base, &patch, alias, NOW);
            let whole = polled(rotation, round % 12).await;
            // What was sent before the cut still arrives.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let (old, new) = (hasty.load(&from, NOW).await, hasty.load(&to, NOW).await);
            // Until its time is over, a reservation that nobody fills makes readers wait, not forget.
            let new = match new {
                Err(StoreError::Timeout(_)) => None,
                new => new.expect("load works"),
            };
            match (old, new) {
                (Ok(Some(old)), None) => stayed += usize::from(old.version == 0),
                (Ok(None), Some(_)) => moved += usize::from(alias.is_none()),
                (Ok(Some(_)), Some(_)) => moved += usize::from(alias.is_some()),
                (Ok(None) | Err(StoreError::Timeout(_)), None) if !whole => lost += 1,
                (old, new) => panic!("{old:?}, {new:?}"),
            }
            patient.delete(&from).await.expect("delete works");
            patient.delete(&to).await.expect("delete works");
            assert!(loaded(&patient, &from).await.is_none());
            assert!(loaded(&patient, &to).await.is_none());
        }
        println!("{stayed} stayed, {moved} moved, {lost} lost");
        assert_eq!(stayed + moved + lost, rounds(60, 2000));
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn one_node_away_leaves_the_others_at_work() {
    let cluster = Cluster::start();
    block_on(async {
        let store = RedisOptions::new()
            .connect_cluster(cluster.urls())
            .await
            .expect("connects");
        let mut keys = Vec::new();
        for _ in 0..30 {
            keys.push(filed(&store, &record_of("bob")).await);
        }
        cluster.nodes()[1].signal("STOP");
        let (mut good, mut bad) = (0, 0);
        for key in &keys {
            let began = Instant::now();
            match store.load(key, NOW).await {
                Ok(found) => good += usize::from(found.is_some()),
                Err(StoreError::Timeout(_) | StoreError::Unavailable(_)) => bad += 1,
                Err(error) => panic!("{error}"),
            }
            assert!(began.elapsed() < Duration::from_millis(500));
        }
        cluster.nodes()[1].signal("CONT");
        println!("{good} good, {bad} bad");
        assert!(good > 0 && bad > 0 && good + bad == keys.len());
        tokio::time::sleep(Duration::from_secs(1)).await;
        for key in &keys {
            assert!(loaded(&store, key).await.is_some());
        }
    });
}
