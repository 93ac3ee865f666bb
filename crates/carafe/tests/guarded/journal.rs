//! DOWN-4 over the end of a process: the journal of log-outs. `faults` kills a process for real.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use carafe::{GuardOptions, Guarded, SessionStore, store::Deadlines};
use carafe_core::store::{conformance::Verb, guard::journal::HEADER};
use http::StatusCode;

use crate::{
    fickle::{Fickle, Mood, Moody, NOW, act, fickle, key, record},
    requests::{app, send, visitor},
};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir =
            std::env::temp_dir().join(format!("carafe-guarded-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
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

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
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
async fn down_4_the_next_process_refuses_from_its_start_and_tells_the_store() {
    let (scratch, store) = (Scratch::new("next"), with_sessions(3).await);
    let first = scratch.process(&store);
    store.is(Mood::Fails);
    for number in 0..2 {
        first.delete(&key(number)).await.unwrap_err();
        let lines = scratch.text().lines().count();
        assert_eq!(lines, 2 + number, "on the disk before the answer");
    }
    assert_eq!(first.shutdown(Duration::from_millis(1)).await, 2);
    drop(first);
    let second = scratch.process(&store);
    assert_eq!(second.status().log_outs_waiting, 2);
    for number in 0..2 {
        assert!(second.load(&key(number), NOW).await.unwrap().is_none());
    }
    store.is(Mood::Works);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(store.inner().len(), 1);
    assert!(second.load(&key(2), NOW).await.unwrap().is_some());
    assert_eq!(second.shutdown(Duration::from_secs(1)).await, 0);
    assert_eq!(scratch.text(), HEADER);
}

#[tokio::test(start_paused = true)]
async fn down_4_a_log_out_that_is_dropped_half_way_is_in_the_journal_too() {
    let (scratch, store) = (Scratch::new("dropped"), with_sessions(1).await);
    let process = scratch.process(&store);
    store.is(Mood::Hangs);
    let key = key(0);
    let dropped = tokio::time::timeout(Duration::from_millis(1), process.delete(&key)).await;
    assert!(dropped.is_err());
    // Time does not pass while a thread writes.
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(scratch.text().lines().count(), 2);
}

/// The budget of a request would cut it off, and leave the writing to whoever comes later.
#[tokio::test(start_paused = true)]
async fn down_4_a_visitors_log_out_is_on_the_disk_before_the_answer() {
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
    assert!(process.delete(&key(0)).await.unwrap());
    assert_eq!(scratch.text(), HEADER);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_is_counted_and_costs_nothing_else() {
    let (scratch, store) = (Scratch::new("disk"), with_sessions(1).await);
    let process = scratch.process(&store);
    fs::remove_dir_all(&scratch.0).unwrap();
    store.is(Mood::Fails);
    process.delete(&key(0)).await.unwrap_err();
    store.is(Mood::Works);
    // It cannot be emptied, and from then on not be written.
    assert_eq!(process.shutdown(Duration::from_secs(1)).await, 0);
    assert!(store.inner().is_empty());
    store.is(Mood::Fails);
    process.delete(&key(0)).await.unwrap_err();
    store.is(Mood::Works);
    assert!(process.load(&key(0), NOW).await.unwrap().is_none());
    assert_eq!(process.status().log_outs_unwritten, 1);
    assert_eq!(process.shutdown(Duration::from_secs(1)).await, 0);
}

#[test]
fn outside_of_a_runtime_there_is_nobody_to_tell() {
    let path = std::env::temp_dir().join(format!("carafe-no-runtime-{}", std::process::id()));
    let guarded = GuardOptions::default().guard_with_journal(Arc::new(fickle()), &path);
    assert!(guarded.is_err());
    assert!(!path.exists());
}
