//! Server-side sessions through the layer: one handler, any backend, and the life of a session.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use axum::{Router, body::Body, routing::get};
use carafe::{
    MemoryStore, ServerSide, Session, SessionConfig, SessionError, SessionLayer, SessionStore,
    StoreError,
};
use carafe_core::store::conformance::Spy;
use http::{Request, Response, StatusCode, header};
use tower::ServiceExt;

async fn count(session: Session) -> Result<String, SessionError> {
    let count = session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1)?;
    Ok(count.to_string())
}

async fn log_in(session: Session) -> Result<String, SessionError> {
    session.log_in("bob")?;
    Ok("in".to_owned())
}

async fn who(session: Session) -> String {
    session.user().unwrap_or_else(|| "nobody".to_owned())
}

async fn log_out(session: Session) -> Result<String, SessionError> {
    session.log_out()?;
    Ok("out".to_owned())
}

fn app(store: Arc<dyn SessionStore>) -> Router {
    let layer = SessionLayer::with_config(ServerSide::shared(store), SessionConfig::development());
    Router::new()
        .route("/", get(async || "public"))
        .route("/count", get(count))
        .route("/login", get(log_in))
        .route("/who", get(who))
        .route("/logout", get(log_out))
        .layer(layer.unwrap())
}

async fn send(app: &Router, path: &str, cookie: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    app.clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

/// `name=value` of the session cookie that a response sets.
fn cookie(response: &Response<Body>) -> Option<String> {
    let text = response
        .headers()
        .get(header::SET_COOKIE)?
        .to_str()
        .unwrap();
    Some(text.split(';').next().unwrap().to_owned())
}

async fn body(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn one_handler_counts_in_a_store_as_it_does_in_a_cookie() {
    let app = app(Arc::new(MemoryStore::new()));
    let first = send(&app, "/count", None).await;
    let jar = cookie(&first).unwrap();
    assert_eq!(body(first).await, "1");
    let second = send(&app, "/count", Some(&jar)).await;
    assert_eq!(cookie(&second), None, "the id stays, so nothing is sent");
    assert_eq!(body(second).await, "2");
}

#[tokio::test]
async fn sid_3_an_id_that_a_client_invented_is_never_adopted() {
    let store = Arc::new(MemoryStore::new());
    let app = app(store.clone());
    let invented = format!("session={}", "A".repeat(43));
    let response = send(&app, "/count", Some(&invented)).await;
    let jar = cookie(&response).unwrap();
    assert_ne!(jar, invented);
    assert_eq!(store.len(), 1);
    assert_eq!(body(send(&app, "/count", Some(&invented)).await).await, "1");
}

#[tokio::test]
async fn sid_7_a_log_in_gives_a_new_id_and_the_old_one_is_dead_at_once() {
    let app = app(Arc::new(MemoryStore::new()));
    let before = cookie(&send(&app, "/count", None).await).unwrap();
    let after = cookie(&send(&app, "/login", Some(&before)).await).unwrap();
    assert_ne!(before, after);
    assert_eq!(
        body(send(&app, "/who", Some(&before)).await).await,
        "nobody"
    );
    assert_eq!(body(send(&app, "/who", Some(&after)).await).await, "bob");
    assert_eq!(
        body(send(&app, "/count", Some(&after)).await).await,
        "2",
        "the content came along"
    );
}

#[tokio::test]
async fn sid_8_an_id_counts_in_the_cookie_only() {
    let app = app(Arc::new(MemoryStore::new()));
    let jar = cookie(&send(&app, "/login", None).await).unwrap();
    let (_, id) = jar.split_once('=').unwrap();
    let path = format!("/who?session={id}");
    for request in [
        Request::get(&path),
        Request::get("/who").header("x-session", id),
        Request::get("/who").header("session", id),
        Request::get("/who").header(header::AUTHORIZATION, format!("Bearer {id}")),
        Request::get("/who").header("cookie2", &jar),
    ] {
        let form = Body::from(format!("session={id}"));
        let answer = app.clone().oneshot(request.body(form).unwrap()).await;
        assert_eq!(body(answer.unwrap()).await, "nobody");
    }
    assert_eq!(body(send(&app, "/who", Some(&jar)).await).await, "bob");
}

#[tokio::test]
async fn lif_4_a_log_out_ends_every_copy_of_the_cookie() {
    let store = Arc::new(MemoryStore::new());
    let app = app(store.clone());
    let jar = cookie(&send(&app, "/login", None).await).unwrap();
    let out = send(&app, "/logout", Some(&jar)).await;
    assert!(
        out.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    assert_eq!(body(send(&app, "/who", Some(&jar)).await).await, "nobody");
    assert!(store.is_empty());
}

#[tokio::test]
async fn lif_12_anonymous_traffic_creates_nothing() {
    let store = Arc::new(MemoryStore::new());
    let app = app(store.clone());
    for path in ["/", "/who", "/nowhere"] {
        assert_eq!(cookie(&send(&app, path, None).await), None);
    }
    assert!(store.is_empty());
}

/// A store that is down.
fn down() -> Arc<dyn SessionStore> {
    let store = Spy::new(MemoryStore::new());
    store.before(|_| Box::pin(async { Err(StoreError::unavailable("connection refused")) }));
    Arc::new(store)
}

#[tokio::test]
async fn down_1_a_page_that_uses_no_session_works_without_the_store() {
    let response = send(&app(down()), "/", None).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn down_2_and_3_a_store_in_trouble_is_a_503_that_leaves_the_cookie_alone() {
    let app = app(down());
    let jar = format!("session={}", "A".repeat(43));
    for (path, cookies) in [("/who", Some(jar.as_str())), ("/login", None)] {
        let response = send(&app, path, cookies).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(cookie(&response), None);
        assert_eq!(body(response).await, "");
    }
}
