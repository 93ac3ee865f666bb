//! Servers that crash or hang, damaged rows, dropped requests.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use carafe_core::{
    session::Patch,
    store::{BoxFuture, ErasedStore, Record, StoreError, StoreKey, UserSessions},
};
use carafe_sqlx::Deadlines;
use tokio::{task::JoinSet, time::Instant};

use crate::support::{Kit, PATIENT, fixtures::*};

/// Allowance for scheduling on a busy machine, added to a deadline.
const SLACK: Duration = Duration::from_secs(2);

/// Every operation that reads a damaged row fails.
///
/// The row stays unchanged, even by requests that loaded it before it was damaged.
pub(crate) async fn a_damaged_row_is_left_alone<K: Kit>() {
    const TABLE: &str = "damaged_sessions";
    let store = K::store(K::shared().port, TABLE, 4, PATIENT).await;
    let mut whole = record(r#"{"a":1}"#);
    whole.meta.user = Some("zoe".to_owned());
    let key = filed(&store, &whole).await;
    let base = loaded(&store, &key).await;
    let at = format!("{TABLE} WHERE store_key = {}", K::bytes(&hex(&key)));
    let row = || K::shared().sql(&format!("{} SELECT * FROM {at}", K::PLACE));
    let broken = at.replacen(TABLE, &format!("{TABLE} SET data = '{{\"a\":'"), 1);
    K::shared().sql(&format!("{} UPDATE {broken}", K::PLACE));
    let before = row();
    let is_corrupt = |result| matches!(result, Err(StoreError::Corrupt(_)));
    assert!(is_corrupt(store.load(&key, NOW).await.map(drop)));
    assert!(is_corrupt(
        store
            .patch(&key, &base, &set("b", "2"), NOW)
            .await
            .map(drop)
    ));
    for renews in [false, true] {
        let rotation = rotation(renews);
        let rotated = store
            .rotate(&key, &self::key(), &base, &Patch::default(), rotation, NOW)
            .await;
        assert!(is_corrupt(rotated.map(drop)));
    }
    let listed = store.list_by_user("zoe", None, 10, NOW).await;
    assert_eq!(listed.expect("a list needs no dictionary").len(), 1);
    assert_eq!(row(), before);
    assert!(
        store
            .delete(&key, NOW)
            .await
            .expect("who logs out need not be read")
    );
}

/// While the server is down, operations fail in time.
///
/// After its restart, the first attempt succeeds.
pub(crate) async fn a_killed_server_comes_back<K: Kit>() {
    let server = K::start();
    let store = K::connected(&server).await;
    let key = filed(&store, &record(r#"{"a":1}"#)).await;
    let base = loaded(&store, &key).await;
    applied(
        store
            .patch(&key, &base, &set("b", "2"), NOW)
            .await
            .expect("patch works"),
    );
    server.kill();
    for _ in 0..5 {
        let start = Instant::now();
        let error = store.load(&key, NOW).await.expect_err("nobody is there");
        assert!(
            matches!(error, StoreError::Unavailable(_) | StoreError::Timeout(_)),
            "{error}"
        );
        assert!(
            start.elapsed() < Duration::from_millis(500) + SLACK,
            "{:?}",
            start.elapsed()
        );
    }
    server.restart();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(loaded(&store, &key).await.data.text_of("b"), Some("2"));
    let patched = store.patch(&key, &base, &set("c", "3"), NOW).await;
    assert_eq!(applied(patched.expect("patch works")).data.len(), 3);
}

/// Concurrent requests to a hanging server fail at their deadline.
///
/// The server accepts connections but never replies. The store recovers afterwards.
pub(crate) async fn a_stopped_server_costs_a_deadline<K: Kit>() {
    let server = K::start();
    let deadlines = Deadlines::default();
    let store = Arc::new(K::store(server.port, "slow_sessions", 16, deadlines).await);
    let key = filed(&*store, &record("{}")).await;
    let base = loaded(&*store, &key).await;
    server.signal("STOP");
    let allowed = deadlines.connect + deadlines.write + SLACK;
    for round in 0..3 {
        let calls = (0..40).map(|call| timed(Arc::clone(&store), call, key, base.clone()));
        let calls: JoinSet<_> = calls.collect();
        for (result, took) in calls.join_all().await {
            assert!(
                matches!(result, Err(StoreError::Timeout(_))),
                "{round}: {result:?}"
            );
            assert!(took < allowed, "{round}: {took:?}");
        }
    }
    server.signal("CONT");
    let resumed = Instant::now();
    while store.load(&key, NOW).await.is_err() {
        assert!(
            resumed.elapsed() < Duration::from_secs(5),
            "it does not recover"
        );
    }
    for _ in 0..32 {
        loaded(&*store, &key).await;
    }
}

/// Runs one of four operations and returns its duration.
async fn timed(
    store: Arc<impl ErasedStore>,
    call: usize,
    key: StoreKey,
    base: Record,
) -> (Result<(), StoreError>, Duration) {
    let start = Instant::now();
    let result = match call % 4 {
        0 => store.load(&key, NOW).await.map(drop),
        1 => store
            .patch(&key, &base, &set("a", "1"), NOW)
            .await
            .map(drop),
        2 => store.touch(&key, &used(NOW, LATER)).await.map(drop),
        _ => store.create(&self::key(), &base, NOW).await.map(drop),
    };
    (result, start.elapsed())
}

/// A request that is dropped at an await leaves its connection usable.
///
/// A change is applied completely or not at all, and no request receives another's reply.
pub(crate) async fn dropped_requests_leave_the_pool_clean<K: Kit>() {
    let store = Arc::new(K::store(K::shared().port, "dropped_sessions", 8, PATIENT).await);
    let mut random = Random(u64::from(std::process::id()));
    println!("seed {}", random.0);
    let mut sessions = Vec::new();
    for name in 0..16 {
        sessions.push(
            filed(
                &*store,
                &record(&format!(r#"{{"name":{name},"a":0,"b":0}}"#)),
            )
            .await,
        );
    }
    for round in 1..=60 {
        let mut requests = JoinSet::new();
        for (name, &key) in sessions.iter().enumerate() {
            let (store, polls) = (Arc::clone(&store), random.below(14));
            requests.spawn(async move {
                let request = request(&*store, key, name, round);
                Dropped { request, polls }.await;
                // The next request receives its own reply.
                let after = loaded(&*store, &key).await;
                assert_eq!(after.data.text_of("name"), Some(&*name.to_string()));
                assert_eq!(after.data.text_of("a"), after.data.text_of("b"));
            });
        }
        requests.join_all().await;
    }
}

/// Loads a session and writes two of its keys in one patch.
fn request(store: &dyn ErasedStore, key: StoreKey, name: usize, round: u64) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let base = loaded(store, &key).await;
        assert_eq!(base.data.text_of("name"), Some(&*name.to_string()));
        let mut patch = set("a", &round.to_string());
        patch.set("b", round.to_string());
        applied(
            store
                .patch(&key, &base, &patch, NOW)
                .await
                .expect("patch works"),
        );
        // An outdated base, which requires a transaction.
        applied(
            store
                .patch(&key, &base, &patch, NOW)
                .await
                .expect("patch works"),
        );
    })
}

/// A future that is dropped after a number of polls.
struct Dropped<'r> {
    request: BoxFuture<'r, ()>,
    polls: u64,
}

impl Future for Dropped<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.polls == 0 {
            return Poll::Ready(());
        }
        self.polls -= 1;
        self.request.as_mut().poll(context)
    }
}
