//! Responses to a browser with a guarded store behind the layer.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, routing::get};
use carafe::{
    GuardOptions, Guarded, ServerSide, Session, SessionConfig, SessionError, SessionLayer,
};
use http::{Request, Response, StatusCode, header};
use tower::ServiceExt;

use carafe::{AtLimit, store::Deadlines};

use super::fickle::{Fickle, Mood, Moody, fickle};

async fn count(session: Session) -> Result<String, SessionError> {
    let count = session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1)?;
    Ok(format!("counted {count}"))
}

async fn log_out(session: Session) -> Result<&'static str, SessionError> {
    session.log_out()?;
    Ok("out")
}

/// Logs out and starts a new session.
async fn replace(session: Session) -> Result<(), SessionError> {
    session.log_out()?;
    session.insert("n", &1)
}

pub(crate) fn app(store: &Arc<Guarded<Fickle>>) -> Router {
    let side = ServerSide::shared(store.clone());
    let layer = SessionLayer::with_config(side, SessionConfig::development()).unwrap();
    Router::new()
        .route("/", get(async || "public"))
        .route("/count", get(count))
        .route("/logout", get(log_out))
        .route("/replace", get(replace))
        .layer(layer)
}

pub(crate) async fn send(app: &Router, path: &str, cookie: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

fn set_cookie(response: &Response<Body>) -> Option<&str> {
    Some(
        response
            .headers()
            .get(header::SET_COOKIE)?
            .to_str()
            .unwrap(),
    )
}

pub(crate) async fn visitor(app: &Router) -> String {
    let response = send(app, "/count", None).await;
    let cookie = set_cookie(&response).unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_public_page_sends_no_call_to_the_store() {
    let store = Arc::new(Guarded::new(fickle()));
    let app = app(&store);
    let jar = visitor(&app).await;
    store.inner().is(Mood::Fails);
    drop(store.inner().calls());
    for cookie in [None, Some(jar.as_str())] {
        assert_eq!(send(&app, "/", cookie).await.status(), StatusCode::OK);
    }
    assert_eq!(store.inner().calls().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_browser_forgets_the_cookie_and_the_response_says_that_the_log_out_is_pending() {
    let store = Arc::new(Guarded::new(fickle()));
    let app = app(&store);
    let jar = visitor(&app).await;
    // The store fails between the start and the end of the request.
    let request = async {
        let slow = Mood::Slow(Duration::from_millis(10));
        store.inner().is(slow);
        send(&app, "/logout", Some(&jar)).await
    };
    let death = async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        store.inner().is(Mood::Fails);
    };
    let (response, ()) = tokio::join!(request, death);
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(set_cookie(&response).unwrap().contains("Max-Age=0"));
    // This node knows of the log-out, whatever the state of the store: a late write with the old ID
    // is a conflict.
    for mood in [Mood::Fails, Mood::Works] {
        store.inner().is(mood);
        let late = send(&app, "/count", Some(&jar)).await;
        assert_eq!(late.status(), StatusCode::CONFLICT);
        assert_eq!(
            set_cookie(&late),
            None,
            "no cookie that replaces a newer one"
        );
    }
    // The browser has deleted its cookie.
    let new = visitor(&app).await;
    assert_ne!(new, jar);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(store.inner().inner().len(), 1, "the store was told");
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_a_503_at_once() {
    let store = Arc::new(Guarded::new(fickle()));
    let app = app(&store);
    let jar = visitor(&app).await;
    store.inner().is(Mood::Hangs);
    for _ in 0..5 {
        let response = send(&app, "/count", Some(&jar)).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    let began = tokio::time::Instant::now();
    let response = send(&app, "/count", Some(&jar)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    assert_eq!(set_cookie(&response), None);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

/// The deadlines exceed the budget; the circuit still counts the interrupted calls.
#[tokio::test(start_paused = true)]
async fn a_call_cut_off_by_the_budget_is_a_failure_of_the_store() {
    let store = Arc::new(patient().guard(fickle()));
    let app = app(&store);
    let jar = visitor(&app).await;
    store.inner().is(Mood::Hangs);
    for path in ["/count", "/logout", "/count", "/count", "/count"] {
        assert!(store.is_ready());
        let began = tokio::time::Instant::now();
        let response = send(&app, path, Some(&jar)).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(began.elapsed(), Duration::from_secs(1), "{path}");
    }
    assert!(!store.is_ready());
    assert_eq!(store.status().failures, 5);
}

/// Options with deadlines that exceed a request's budget.
fn patient() -> GuardOptions {
    let long = Duration::from_secs(5);
    GuardOptions::default().with_deadlines(Deadlines {
        connect: long,
        read: long,
        write: long,
    })
}

async fn log_in(session: Session) -> Result<(), SessionError> {
    session.log_in("ann")
}

/// Each call meets its deadline, but their sum exceeds the budget.
#[tokio::test(start_paused = true)]
async fn all_calls_of_a_request_share_a_budget() {
    let store = Arc::new(Guarded::new(fickle()));
    let side = ServerSide::shared(store.clone()).with_limit_per_user(2, AtLimit::Refuse);
    let layer = SessionLayer::with_config(side, SessionConfig::development()).unwrap();
    let app = Router::new()
        .route("/count", get(count))
        .route("/login", get(log_in))
        .layer(layer);
    let id = |letter: &str| format!("session={}", letter.repeat(43));
    let cookies = [id("A"), id("E"), id("I")].join("; ");
    for (path, cookies, calls) in [("/count", cookies.as_str(), 3), ("/login", "", 3)] {
        for (millis, budget_holds) in [(300, true), (400, false)] {
            store.inner().is(Mood::Slow(Duration::from_millis(millis)));
            drop(store.inner().calls());
            let began = tokio::time::Instant::now();
            let response = send(&app, path, Some(cookies)).await;
            assert!(store.inner().calls().len() >= calls, "{path}");
            assert_eq!(
                response.status() == StatusCode::OK,
                budget_holds,
                "{path} {millis}"
            );
            if !budget_holds {
                assert_eq!(began.elapsed(), Duration::from_secs(1));
                assert_eq!(response.headers()[header::RETRY_AFTER], "1");
                assert_eq!(set_cookie(&response), None);
            }
        }
    }
    assert!(store.is_ready(), "nobody knows how the last calls went");
}
