//! DOWN-4 with any store: a log-out that did not reach the store.

use std::time::Duration;

use carafe::session::{Access, Patch};
use carafe::{
    GuardOptions, Guarded, RevocationRules, SessionStore, StoreError,
    store::{Created, Patched, Rotation},
};

use super::fickle::{Fickle, Mood, Moody, NOW, fickle, key, record};

async fn with_sessions(count: usize) -> Guarded<Fickle> {
    let store = Guarded::new(fickle());
    for number in 0..count {
        let created = store.create(&key(number), &record(), NOW).await;
        assert_eq!(created.unwrap(), Created::Created);
    }
    drop(store.inner().calls());
    store
}

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test(start_paused = true)]
async fn this_node_rejects_the_id_at_once_and_the_store_is_told_after_recovery() {
    let store = with_sessions(2).await;
    let (key, other, base, patch) = (key(0), key(9), record(), Patch::default());
    store.inner().is(Mood::Fails);
    store.delete(&key, NOW).await.expect_err("not complete");
    store.inner().is(Mood::Works);
    assert_eq!(store.inner().inner().len(), 2, "the store knows nothing");
    assert!(store.load(&key, NOW).await.unwrap().record().is_none());
    let patched = store.patch(&key, &base, &patch, NOW).await.unwrap();
    assert!(matches!(patched, Patched::Gone));
    let rotated = store
        .rotate(&key, &other, &base, &patch, Rotation::Replacement, NOW)
        .await;
    assert!(matches!(rotated.unwrap(), Patched::Gone));
    let access = Access {
        at: NOW,
        expires: NOW,
        confirms: None,
    };
    assert!(!store.touch(&key, &access).await.unwrap());
    let created = store.create(&key, &base, NOW).await.unwrap();
    assert_eq!(created, Created::Taken);
    assert!(
        store
            .load(&self::key(1), NOW)
            .await
            .unwrap()
            .record()
            .is_some()
    );
    pass(1_000).await;
    assert_eq!(store.inner().inner().len(), 1);
    assert_eq!(store.status().revocations_pending, 0);
    assert_eq!(store.status().revocations_delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn log_outs_call_a_dead_store_rarely_and_all_reach_it_within_a_second_of_recovery() {
    let store = with_sessions(300).await;
    store.inner().is(Mood::Fails);
    for number in 0..300 {
        store.delete(&key(number), NOW).await.unwrap_err();
    }
    pass(10_000).await;
    drop(store.inner().calls());
    pass(60_000).await;
    let calls = store.inner().calls().len();
    assert!(calls <= 76, "{calls} in a minute");
    assert_eq!(store.status().revocations_pending, 300);
    store.inner().is(Mood::Works);
    pass(1_000).await;
    assert!(store.inner().inner().is_empty());
    assert!(
        store.is_ready(),
        "what the retries learn, the circuit knows"
    );
}

#[tokio::test(start_paused = true)]
async fn a_canceled_log_out_is_not_lost() {
    let store = with_sessions(1).await;
    store.inner().is(Mood::Hangs);
    let key = key(0);
    let dropped = tokio::time::timeout(Duration::from_millis(1), store.delete(&key, NOW)).await;
    assert!(dropped.is_err());
    assert!(store.load(&key, NOW).await.unwrap().record().is_none());
    store.inner().is(Mood::Works);
    pass(1_000).await;
    assert!(store.inner().inner().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_session_is_over_while_its_log_out_hangs() {
    let store = with_sessions(1).await;
    store.inner().is(Mood::Hangs);
    let key = key(0);
    let mut log_out = Box::pin(store.delete(&key, NOW));
    assert!(polled_once(&mut log_out).await.is_none());
    store.inner().is(Mood::Works);
    assert!(store.load(&key, NOW).await.unwrap().record().is_none());
}

async fn polled_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        let poll = std::pin::Pin::new(&mut *future).poll(context);
        std::task::Poll::Ready(match poll {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn the_queue_of_log_outs_is_bounded_and_reports_overflow() {
    let rules = RevocationRules::default().with_capacity(2);
    let options = GuardOptions::default().with_revocations(rules);
    let store = options.guard(fickle());
    store.inner().is(Mood::Fails);
    for number in 0..5 {
        store.delete(&key(number), NOW).await.unwrap_err();
    }
    let status = store.status();
    assert_eq!(
        (status.revocations_pending, status.revocations_rejected),
        (2, 3)
    );
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_tells_or_counts_pending_log_outs() {
    let store = with_sessions(50).await;
    store.inner().is(Mood::Fails);
    for number in 0..50 {
        store.delete(&key(number), NOW).await.unwrap_err();
    }
    assert_eq!(store.shutdown(Duration::from_secs(1)).await, 50);
    let store = with_sessions(50).await;
    store.inner().is(Mood::Fails);
    for number in 0..50 {
        store.delete(&key(number), NOW).await.unwrap_err();
    }
    store.inner().is(Mood::Works);
    assert_eq!(store.shutdown(Duration::from_secs(1)).await, 0);
    assert!(store.inner().inner().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_a_pause() {
    let store = with_sessions(1).await;
    store.inner().is(Mood::Fails);
    store.delete(&key(0), NOW).await.unwrap_err();
    pass(10_000).await;
    store.inner().is(Mood::Works);
    assert_eq!(store.shutdown(Duration::from_millis(1)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_read_is_no_reason_to_forget_its_log_out() {
    let store = with_sessions(1).await;
    store.inner().is(Mood::Corrupt);
    let answer = store.delete(&key(0), NOW).await;
    assert!(matches!(answer, Err(StoreError::Corrupt(_))));
    assert!(store.load(&key(0), NOW).await.unwrap().record().is_none());
    store.inner().is(Mood::Works);
    pass(1_000).await;
    assert!(store.inner().inner().is_empty());
}
