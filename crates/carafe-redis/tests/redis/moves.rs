//! Rotation in a cluster, interrupted at every point: there is always exactly one session.

use std::{
    future::Future,
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};

use carafe_core::store::{KeyState, Rotation, SessionStore, StoreError};
use carafe_redis::RedisOptions;

use crate::support::{
    Cluster, NOW, block_on, filed, key, loaded, patient, record_of, renewal, rounds, set,
};

/// Allowance for scheduling on a busy machine, added to a deadline.
const SLACK: Duration = Duration::from_secs(2);

/// Polls `future` up to `times` times and then drops it. Returns whether it completed.
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
fn an_interrupted_rotation_leaves_one_session() {
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
        let (mut stayed, mut moved, mut finished) = (0, 0, 0);
        for round in 0..rounds(96, 2000) {
            let base = record_of("bob");
            let (from, to) = (filed(&patient, &base).await, key());
            let (is_renewal, by_the_old_key) = (round % 2 == 0, round % 4 < 2);
            let rotation = match is_renewal {
                true => renewal(),
                false => Rotation::Replacement,
            };
            let patch = set("a", "1");
            let rotated = hasty.rotate(&from, &to, &base, &patch, rotation, NOW);
            let whole = polled(rotated, round % 12).await;
            // Commands that were sent before are still executed.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut states = [None, None];
            for at in if by_the_old_key { [0, 1] } else { [1, 0] } {
                let key = [&from, &to][at];
                states[at] = Some(patient.load(key, NOW).await.expect("load works"));
            }
            match states.map(|state| state.expect("it was loaded")) {
                [KeyState::Current(old), KeyState::Absent] => {
                    assert_eq!(old.meta.version, 0);
                    stayed += 1;
                }
                [KeyState::Moved(_), KeyState::Current(new)] if is_renewal => {
                    assert_eq!(new.data.text_of("a"), Some("1"));
                    moved += 1;
                    finished += usize::from(!whole);
                }
                [KeyState::Retired, KeyState::Current(new)] if !is_renewal => {
                    assert_eq!(new.data.text_of("a"), Some("1"));
                    moved += 1;
                    finished += usize::from(!whole);
                }
                states => panic!("{states:?}"),
            }
            let users = patient.powers().users().expect("a power");
            let listed = users.list_by_user("bob", None, 5, NOW).await;
            assert_eq!(listed.expect("of_user works").len(), 1);
            patient.delete(&from, NOW).await.expect("delete works");
            patient.delete(&to, NOW).await.expect("delete works");
            assert!(loaded(&patient, &from).await.is_none());
            assert!(loaded(&patient, &to).await.is_none());
        }
        println!("{stayed} stayed, {moved} moved, of which {finished} were cut short");
        assert_eq!(stayed + moved, rounds(96, 2000));
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_paused_node_does_not_affect_the_others() {
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
                Ok(found) => good += usize::from(found.record().is_some()),
                Err(StoreError::Timeout(_) | StoreError::Unavailable(_)) => bad += 1,
                Err(error) => panic!("{error}"),
            }
            assert!(began.elapsed() < Duration::from_millis(250) + SLACK);
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
