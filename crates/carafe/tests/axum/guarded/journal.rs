//! DOWN-4 across a restart: the journal of log-outs. The tests in `faults` kill real processes.

use std::{fs, sync::Arc, time::Duration};

use carafe::{GuardOptions, Guarded, SessionStore, store::Deadlines};
use carafe_core::store::conformance::Verb;
use carafe_test_fixtures::Dir;
use http::StatusCode;

use super::{
    fickle::{Fickle, Mood, Moody, NOW, act, fickle, key, record},
    requests::{app, send, visitor},
};

/// The content of an empty journal (`docs/wire-format.md` §9).
const HEADER: &str = "carafe-log-outs 1\n";

struct Scratch(Dir);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(Dir::new(&format!("guarded-{name}")))
    }

    fn process(&self, store: &Arc<Fickle>) -> Guarded<Fickle> {
        let options = GuardOptions::default();
        let guarded = options.guard_with_journal(store.clone(), self.0.join("log-outs"));
        guarded.unwrap()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.0.join("log-outs")).unwrap()
    }
}

async fn with_sessions(count: usize) -> Arc<Fickle> {
    let store = Arc::new(fickle());
    for number in 0..count {
        store.create(&key(number), &record(), NOW).await.unwrap();
    }
    store
}

#[tokio::test(start_paused = true)]
async fn the_next_process_rejects_the_session_from_its_start_and_tells_the_store() {
    let (scratch, store) = (Scratch::new("next"), with_sessions(3).await);
    let first = scratch.process(&store);
    store.is(Mood::Fails);
    for number in 0..2 {
        first.delete(&key(number), NOW).await.unwrap_err();
        let lines = scratch.text().lines().count();
        assert_eq!(lines, 2 + number, "on the disk before the answer");
    }
    assert_eq!(first.shutdown(Duration::from_millis(1)).await, 2);
    drop(first);
    let second = scratch.process(&store);
    assert_eq!(second.status().revocations_pending, 2);
    for number in 0..2 {
        assert!(
            second
                .load(&key(number), NOW)
                .await
                .unwrap()
                .record()
                .is_none()
        );
    }
    store.is(Mood::Works);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(store.inner().len(), 1);
    assert!(second.load(&key(2), NOW).await.unwrap().record().is_some());
    assert_eq!(second.shutdown(Duration::from_secs(1)).await, 0);
    assert_eq!(scratch.text(), HEADER);
}

#[tokio::test(start_paused = true)]
async fn a_canceled_log_out_is_in_the_journal() {
    let (scratch, store) = (Scratch::new("dropped"), with_sessions(1).await);
    let process = scratch.process(&store);
    store.is(Mood::Hangs);
    let key = key(0);
    let dropped = tokio::time::timeout(Duration::from_millis(1), process.delete(&key, NOW)).await;
    assert!(dropped.is_err());
    // The paused clock does not advance while a thread writes.
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(scratch.text().lines().count(), 2);
}

/// The request's budget must not interrupt the journal write.
#[tokio::test(start_paused = true)]
async fn a_visitors_log_out_is_on_disk_before_the_response() {
    let (scratch, store) = (Scratch::new("visitor"), Arc::new(fickle()));
    let (hour, budget) = (Duration::from_secs(3_600), Duration::from_secs(1));
    let deadlines = Deadlines {
        connect: Duration::ZERO,
        read: hour,
        write: hour,
    };
    let options = GuardOptions::default().with_deadlines(deadlines);
    let process = options
        .with_budget(budget)
        .guard_with_journal(store.clone(), scratch.0.join("log-outs"));
    let app = app(&Arc::new(process.unwrap()));
    for path in ["/logout", "/replace"] {
        store.is(Mood::Works);
        let cookie = visitor(&app).await;
        let lines = scratch.text().lines().count();
        store.before(|call| {
            let mood = match call.verb {
                Verb::Delete => Mood::Hangs,
                _ => Mood::Works,
            };
            Box::pin(act(mood))
        });
        let began = tokio::time::Instant::now();
        let answer = send(&app, path, Some(&cookie)).await;
        assert_eq!(scratch.text().lines().count(), lines + 1, "{path}");
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(began.elapsed() >= hour, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_store_was_told_is_never_written() {
    let (scratch, store) = (Scratch::new("told"), with_sessions(1).await);
    let process = scratch.process(&store);
    assert!(process.delete(&key(0), NOW).await.unwrap());
    assert_eq!(scratch.text(), HEADER);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_is_counted_and_costs_nothing_else() {
    let (scratch, store) = (Scratch::new("disk"), with_sessions(1).await);
    let process = scratch.process(&store);
    fs::remove_dir_all(&scratch.0).unwrap();
    store.is(Mood::Fails);
    process.delete(&key(0), NOW).await.unwrap_err();
    store.is(Mood::Works);
    // The journal cannot be truncated, and later not be written.
    assert_eq!(process.shutdown(Duration::from_secs(1)).await, 0);
    assert!(store.inner().is_empty());
    store.is(Mood::Fails);
    process.delete(&key(0), NOW).await.unwrap_err();
    store.is(Mood::Works);
    assert!(process.load(&key(0), NOW).await.unwrap().record().is_none());
    assert_eq!(process.status().revocations_not_journaled, 1);
    assert_eq!(process.shutdown(Duration::from_secs(1)).await, 0);
}

#[test]
fn outside_of_a_runtime_there_is_nobody_to_tell() {
    let path = std::env::temp_dir().join(format!("carafe-no-runtime-{}", std::process::id()));
    let guarded = GuardOptions::default().guard_with_journal(Arc::new(fickle()), &path);
    assert!(guarded.is_err());
    assert!(!path.exists());
}
