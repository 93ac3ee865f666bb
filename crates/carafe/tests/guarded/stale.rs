//! SLOW-5 with any store: reads while it fails, for who wants them.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, routing::get};
use carafe::{
    GuardOptions, Guarded, MemoryStore, ServerSide, Session, SessionConfig, SessionError,
    SessionLayer, SessionStore, StoreError, Timestamp,
    store::{Handle, Moving, Record, UserSessions, Which, guard::StaleRules},
};
use http::{Request, Response, StatusCode, header};
use tower::ServiceExt;

use crate::{
    fickle::{Fickle, Mood, Moody, NOW, fickle, key, record},
    requests::patient,
};

fn session(number: u8) -> Record {
    Record {
        user: Some("ann".to_owned()),
        handle: Handle::from_bytes([number; 12]),
        created: NOW.saturating_add(-3_600),
        renewed: NOW.saturating_add(-3_600),
        authenticated: Some(NOW),
        ..record()
    }
}

/// Two sessions that this node has just read.
async fn read_just_now(options: GuardOptions) -> Guarded<Fickle> {
    let store = options.guard(fickle());
    for number in [1, 2] {
        let key = key(number.into());
        store.create(&key, &session(number), NOW).await.unwrap();
        assert!(!store.load(&key, NOW).await.unwrap().unwrap().is_stale());
    }
    store
}

fn stale_reads() -> GuardOptions {
    GuardOptions::default().with_stale_reads(StaleRules::default())
}

async fn found(store: &Guarded<Fickle>, number: usize) -> Result<Option<bool>, StoreError> {
    let found = store.load(&key(number), NOW).await?;
    Ok(found.map(|record| record.is_stale()))
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn slow_5_it_is_off_unless_asked_for() {
    let store = read_just_now(GuardOptions::default()).await;
    store.inner().is(Mood::Fails);
    found(&store, 1).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn slow_5_what_was_read_is_read_for_30_seconds_and_no_longer() {
    let store = read_just_now(stale_reads()).await;
    store.inner().is(Mood::Fails);
    for _ in 0..30 {
        assert_eq!(found(&store, 1).await.unwrap(), Some(true));
        pass(1).await;
    }
    assert!(
        !store.is_ready(),
        "most of these were refused by the circuit"
    );
    assert_eq!(store.status().stale_reads, 30);
    found(&store, 3)
        .await
        .expect_err("nobody has read this one");
    pass(1).await;
    found(&store, 1).await.unwrap_err();
    store.inner().is(Mood::Works);
    pass(2).await;
    assert_eq!(found(&store, 1).await.unwrap(), Some(false));
}

#[tokio::test(start_paused = true)]
async fn slow_5_an_answer_of_the_store_counts_whatever_it_is() {
    let store = read_just_now(stale_reads()).await;
    store.inner().is(Mood::Corrupt);
    assert!(matches!(
        found(&store, 1).await,
        Err(StoreError::Corrupt(_))
    ));
    store.inner().is(Mood::Fails);
    found(&store, 1)
        .await
        .expect_err("its last answer was no record");
    // Another node ends a session, and this one hears of it before the outage.
    store.inner().is(Mood::Works);
    store.inner().inner().delete(&key(2)).await.unwrap();
    assert_eq!(found(&store, 2).await.unwrap(), None);
    store.inner().is(Mood::Fails);
    found(&store, 2).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn slow_5_too_many_calls_are_no_failure_of_the_store() {
    let store = Arc::new(read_just_now(stale_reads().with_calls_at_once(1)).await);
    store.inner().is(Mood::Hangs);
    let first = tokio::spawn({
        let store = store.clone();
        async move { found(&store, 2).await }
    });
    tokio::task::yield_now().await;
    found(&store, 1).await.unwrap_err();
    assert_eq!(
        first.await.unwrap().unwrap(),
        Some(true),
        "after its deadline"
    );
}

#[tokio::test(start_paused = true)]
async fn slow_5_what_has_ended_here_is_never_read() {
    let all = Which::Only(session(1).handle);
    for everywhere in [false, true] {
        for store_is_told in [false, true] {
            let store = read_just_now(stale_reads()).await;
            if !store_is_told {
                store.inner().is(Mood::Fails);
            }
            // Sessions of these tests begin in a time to come, where no order reaches that the store was not told.
            let told = match everywhere && store_is_told {
                true => store.delete_of_user("ann", all).await.is_ok(),
                false => store.delete(&key(1)).await.is_ok(),
            };
            assert_eq!(told, store_is_told);
            store.inner().is(Mood::Fails);
            assert!(!matches!(found(&store, 1).await, Ok(Some(_))));
            assert_eq!(found(&store, 2).await.unwrap(), Some(true));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn slow_5_everywhere_that_the_store_was_not_told_counts_too() {
    let (store, now) = (stale_reads().guard(fickle()), Timestamp::now());
    let mut mine = session(1);
    mine.created = now.saturating_add(-3_600);
    (mine.renewed, mine.authenticated) = (mine.created, Some(mine.created));
    store.create(&key(1), &mine, now).await.unwrap();
    assert!(store.load(&key(1), now).await.unwrap().is_some());
    store.inner().is(Mood::Fails);
    assert!(store.load(&key(1), now).await.unwrap().is_some());
    store.delete_of_user("ann", Which::All).await.unwrap_err();
    store.load(&key(1), now).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn slow_5_it_does_not_come_over_into_another_store() {
    let old = Arc::new(read_just_now(stale_reads()).await);
    let new = Arc::new(MemoryStore::new());
    let moving = Moving::new(old.clone(), new.clone()).alias_grace(Duration::ZERO);
    old.inner().is(Mood::Fails);
    let later = NOW.saturating_add(1);
    let loaded = moving.load(&key(1), later).await.unwrap();
    assert!(loaded.unwrap().is_stale());
    assert!(new.is_empty());
    old.inner().is(Mood::Works);
    let loaded = moving.load(&key(1), later).await.unwrap();
    assert!(!loaded.unwrap().is_stale());
    assert_eq!(new.len(), 1);
}

async fn read(session: Session) -> Result<String, SessionError> {
    let count: Option<u64> = session.get("n")?;
    let proven = session.is_recently_authenticated(1_000_000);
    Ok(format!("{count:?} {} {proven}", session.is_stale()))
}

async fn write(session: Session) -> Result<(), SessionError> {
    session.insert("n", &7)
}

async fn log_in(session: Session) -> Result<(), SessionError> {
    session.log_in("ann")
}

async fn log_out(session: Session) -> Result<(), SessionError> {
    session.log_out()
}

fn app(store: &Arc<Guarded<Fickle>>) -> Router {
    let side = ServerSide::shared(store.clone());
    let layer = SessionLayer::with_config(side, SessionConfig::development()).unwrap();
    Router::new()
        .route("/read", get(read))
        .route("/write", get(write))
        .route("/login", get(log_in))
        .route("/logout", get(log_out))
        .layer(layer)
}

async fn send(app: &Router, path: &str, cookie: &str) -> Response<Body> {
    let request = Request::get(path).header(header::COOKIE, cookie);
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

async fn body(response: Response<Body>) -> String {
    assert_eq!(response.status(), StatusCode::OK);
    let body = axum::body::to_bytes(response.into_body(), 1_000).await;
    String::from_utf8(body.unwrap().to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn slow_5_a_page_is_shown_and_nothing_is_written() {
    let rules = StaleRules {
        youngest_id: Duration::ZERO,
        ..StaleRules::default()
    };
    let store = Arc::new(patient().with_stale_reads(rules).guard(fickle()));
    let app = app(&store);
    let begun = send(&app, "/login", "").await;
    let cookie = begun.headers()[header::SET_COOKIE].to_str().unwrap();
    let jar = cookie.split(';').next().unwrap().to_owned();
    assert_eq!(send(&app, "/write", &jar).await.status(), StatusCode::OK);
    // An id of this second may be one that was read through another.
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(
        body(send(&app, "/read", &jar).await).await,
        "Some(7) false true"
    );
    for mood in [Mood::Hangs, Mood::Fails] {
        store.inner().is(mood);
        for _ in 0..10 {
            let page = send(&app, "/read", &jar).await;
            assert_eq!(page.headers()[header::VARY], "Cookie");
            assert!(!page.headers().contains_key(header::SET_COOKIE));
            assert_eq!(body(page).await, "Some(7) true false");
        }
    }
    for path in ["/write", "/login"] {
        let refused = send(&app, path, &jar).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(
            !refused.headers().contains_key(header::SET_COOKIE),
            "{path}"
        );
    }
    // The log-out is remembered, and from then on there is nothing to show.
    let out = send(&app, "/logout", &jar).await;
    assert_eq!(out.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        out.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    assert_eq!(
        body(send(&app, "/read", &jar).await).await,
        "None false false"
    );
    store.inner().is(Mood::Works);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(store.inner().inner().is_empty());
}
