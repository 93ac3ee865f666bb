//! SLOW-1, SLOW-3 and SLOW-4 with any store: deadlines, the circuit and the bulkhead.

use std::{sync::Arc, time::Duration};

use carafe::{
    GuardOptions, Guarded, SessionStore, StoreError,
    store::guard::{Backoff, CircuitRules},
};
use tokio::{task::JoinSet, time::Instant};

use crate::fickle::{Fickle, Mood, Moody, NOW, fickle, key, record};

async fn load(store: &Guarded<Fickle>) -> Result<(), StoreError> {
    store.load(&key(1), NOW).await.map(drop)
}

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test(start_paused = true)]
async fn slow_1_a_store_without_deadlines_has_them_here() {
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
    assert_eq!((store.status().failures, store.status().cut_off), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn slow_3_a_dead_store_is_asked_twice_a_second_at_most_and_fails_at_once() {
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
async fn slow_3_answers_that_are_no_failures_do_not_open_it() {
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
async fn slow_3_a_probe_whose_caller_goes_away_leaves_its_turn() {
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
async fn slow_4_no_more_than_so_many_wait() {
    let options = GuardOptions::default().with_calls_at_once(20);
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
    assert_eq!(store.status().refused_by_crowd, 180);
    assert!(store.is_ready(), "a crowd is not the store's failure");
    load(&store).await.expect("who has left makes room");
}

#[tokio::test(start_paused = true)]
async fn garbage_2_a_panic_of_a_driver_is_a_failure() {
    let store = Guarded::new(fickle());
    store.inner().is(Mood::Panics);
    for _ in 0..5 {
        let error = load(&store).await.unwrap_err();
        assert_eq!(error.code(), "unavailable");
    }
    assert!(!store.is_ready());
}

#[tokio::test(start_paused = true)]
async fn slow_3_the_longest_pause_can_be_set() {
    let pauses = Backoff {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(30),
    };
    let rules = CircuitRules {
        pauses,
        ..CircuitRules::default()
    };
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
    // Of five minutes: 1, 2, 4, 8 and 16 s, and then 24 to 30 s each.
    let calls = store.inner().calls().len();
    assert!((13..=16).contains(&calls), "{calls}");
    store.inner().is(Mood::Works);
    let back = Instant::now();
    while load(&store).await.is_err() {
        pass(100).await;
    }
    assert!(back.elapsed() <= Duration::from_secs(31));
}
