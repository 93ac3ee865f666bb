//! SLOW-1, SLOW-3 and SLOW-4 with any store: deadlines, the circuit and the concurrency limit.

use std::{sync::Arc, time::Duration};

use carafe::{Backoff, CircuitRules, GuardOptions, Guarded, SessionStore, StoreError};
use tokio::{task::JoinSet, time::Instant};

use super::fickle::{Fickle, Mood, Moody, NOW, fickle, key, record};

async fn load(store: &Guarded<Fickle>) -> Result<(), StoreError> {
    store.load(&key(1), NOW).await.map(drop)
}

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test(start_paused = true)]
async fn a_guard_adds_deadlines_to_a_store_without_them() {
    let store = Guarded::new(fickle());
    store.inner().is(Mood::Hangs);
    let (key, record) = (key(1), record());
    let began = Instant::now();
    let loaded = store.load(&key, NOW).await;
    assert!(matches!(loaded, Err(StoreError::Timeout(_))), "{loaded:?}");
    assert_eq!(began.elapsed().as_millis(), 500);
    let began = Instant::now();
    let created = store.create(&key, &record, NOW).await;
    assert!(
        matches!(created, Err(StoreError::Timeout(_))),
        "{created:?}"
    );
    assert_eq!(began.elapsed().as_millis(), 750);
    assert_eq!((store.status().failures, store.status().timeouts), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_fails_at_once_and_probes_at_most_twice_a_second() {
    let store = Guarded::new(fickle());
    store.inner().is(Mood::Fails);
    for _ in 0..5 {
        load(&store).await.unwrap_err();
    }
    assert!(!store.is_ready());
    assert_eq!(store.inner().calls().len(), 5);
    for second in 0..60 {
        for _ in 0..100 {
            let began = Instant::now();
            load(&store).await.unwrap_err();
            assert_eq!(began.elapsed(), Duration::ZERO);
            pass(10).await;
        }
        let calls = store.inner().calls().len();
        assert!(calls <= 2, "{calls} in second {second}");
    }
    store.inner().is(Mood::Works);
    let back = Instant::now();
    while load(&store).await.is_err() {
        pass(1).await;
    }
    assert!(back.elapsed() <= Duration::from_secs(2));
    assert!(store.is_ready());
    assert_eq!(store.status().opened, 1);
}

#[tokio::test(start_paused = true)]
async fn replies_that_are_not_failures_do_not_open_the_circuit() {
    let store = Guarded::new(fickle());
    for mood in [Mood::Corrupt, Mood::Conflict] {
        store.inner().is(mood);
        for _ in 0..100 {
            load(&store).await.unwrap_err();
        }
    }
    assert!(store.is_ready());
    assert_eq!(store.inner().calls().len(), 200);
    assert_eq!(store.status().corrupt, 100);
}

#[tokio::test(start_paused = true)]
async fn a_canceled_probe_gives_up_its_turn() {
    let store = Guarded::new(fickle());
    store.inner().is(Mood::Fails);
    for _ in 0..5 {
        load(&store).await.unwrap_err();
    }
    pass(1_250).await;
    store.inner().is(Mood::Hangs);
    let gone = tokio::time::timeout(Duration::from_millis(10), load(&store)).await;
    assert!(gone.is_err());
    store.inner().is(Mood::Works);
    load(&store).await.expect("the next one is let through");
    assert!(store.is_ready());
}

#[tokio::test(start_paused = true)]
async fn calls_past_the_concurrency_limit_are_rejected() {
    let options = GuardOptions::default().with_concurrency_limit(20);
    let store = Arc::new(options.guard(fickle()));
    store.inner().is(Mood::Slow(Duration::from_millis(400)));
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..200 {
        let store = Arc::clone(&store);
        calls.spawn(async move { (load(&store).await, Instant::now()) });
    }
    let mut refused = 0;
    for (result, at) in calls.join_all().await {
        match result {
            Ok(()) => assert_eq!((at - began).as_millis(), 400),
            Err(_) => {
                assert_eq!(at, began, "refused at once");
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 180);
    assert_eq!(store.inner().calls().len(), 20);
    assert_eq!(store.status().rejected_by_limit, 180);
    assert!(store.is_ready(), "a crowd is not the store's failure");
    load(&store).await.expect("who has left makes room");
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_driver_is_a_failure() {
    let store = Guarded::new(fickle());
    store.inner().is(Mood::Panics);
    for _ in 0..5 {
        let error = load(&store).await.unwrap_err();
        assert_eq!(error.code(), "unavailable");
    }
    assert!(!store.is_ready());
}

#[tokio::test(start_paused = true)]
async fn the_longest_pause_of_the_circuit_can_be_set() {
    let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
    let rules = CircuitRules::default().with_backoff(backoff);
    let store = GuardOptions::default().with_circuit(rules).guard(fickle());
    store.inner().is(Mood::Fails);
    for _ in 0..5 {
        load(&store).await.unwrap_err();
    }
    drop(store.inner().calls());
    for _ in 0..600 {
        load(&store).await.unwrap_err();
        pass(500).await;
    }
    // In five minutes: pauses of 1, 2, 4, 8 and 16 s, then of 24 to 30 s each.
    let calls = store.inner().calls().len();
    assert!((13..=16).contains(&calls), "{calls}");
    store.inner().is(Mood::Works);
    let back = Instant::now();
    while load(&store).await.is_err() {
        pass(100).await;
    }
    assert!(back.elapsed() <= Duration::from_secs(31));
}
