//! Positions of the layer: missing, twice, nested, merged.

use axum::{Router, routing::get};
use carafe::{
    CommitError, CookieError, CookiePolicy, MemoryStore, ServerSide, Session, SessionConfig,
    SessionError, SessionLayer, StoreError,
};
use carafe_core::store::conformance::Spy;
use carafe_test_fixtures::logs;
use http::StatusCode;

use super::{
    browser::{self, Browser, flask, flask_cookie, side},
    log::block_on,
};

async fn count(session: Session) -> String {
    session
        .update("n", |n: Option<u32>| n.unwrap_or(0) + 1)
        .unwrap()
        .to_string()
}

#[test]
fn a_session_without_a_layer_is_a_500_and_the_log_says_what_to_add() {
    let lines = logs::lines_of(|| {
        block_on(async {
            let answer = browser::get(&Router::new().route("/", get(count)), "/", "").await;
            assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(answer.body, "Internal Server Error");
            assert!(answer.set_cookies().is_empty());
        });
    });
    let help: Vec<_> = lines
        .iter()
        .filter(|line| line.text.contains(".layer(SessionLayer::new("))
        .collect();
    assert_eq!(help.len(), 1, "{lines:?}");
    assert_eq!(help[0].level.as_str(), "ERROR");
}

/// `None` never means that the store failed, because a handler would treat the visitor as
/// anonymous.
#[tokio::test]
async fn an_optional_session_is_none_without_a_layer_and_an_error_if_the_store_fails() {
    async fn is_some(session: Option<Session>) -> String {
        session.is_some().to_string()
    }
    let store = Spy::new(MemoryStore::new());
    store.before(|_| Box::pin(async { Err(StoreError::unavailable("connection refused")) }));
    let failing = SessionLayer::with_config(ServerSide::new(store), SessionConfig::flask());
    let failing = Router::new()
        .route("/failing", get(is_some))
        .layer(failing.unwrap());
    let router = Router::new()
        .route("/inside", get(is_some))
        .layer(flask())
        .route("/outside", get(is_some))
        .merge(failing);
    let id = format!("session={}", "A".repeat(43));
    for (path, status, body) in [
        ("/inside", 200, "true"),
        ("/outside", 200, "false"),
        ("/failing", 503, ""),
    ] {
        let answer = browser::get(&router, path, &id).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (status, body),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_handler_can_return_every_error_of_a_session_a_store_and_a_cookie() {
    let unavailable = || StoreError::unavailable("connection refused");
    let router = Router::new()
        .route("/store", get(async move || Err::<(), _>(unavailable())))
        .route(
            "/corrupt",
            get(async || Err::<(), _>(StoreError::corrupt("no JSON"))),
        )
        .route(
            "/from",
            get(async move || Err::<(), _>(SessionError::from(unavailable()))),
        )
        .route("/commit", get(async || Err::<(), _>(CommitError::Conflict)))
        .route("/cookie", get(async || Err::<(), _>(CookieError::SameSite)));
    for (path, status, retries, caches) in [
        ("/store", 503, true, false),
        ("/corrupt", 503, false, false),
        ("/from", 503, true, false),
        ("/commit", 409, false, false),
        ("/cookie", 500, false, true),
    ] {
        let answer = browser::get(&router, path, "").await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        let has = |name| answer.headers.contains_key(name);
        assert_eq!(has(http::header::RETRY_AFTER), retries, "{path}");
        assert_eq!(!has(http::header::CACHE_CONTROL), caches, "{path}");
        assert!(!answer.body.contains("refused") && !answer.body.contains("JSON"));
    }
}

/// As in axum, `Router::layer` only applies to routes added before it.
#[tokio::test]
async fn a_route_that_is_added_after_the_layer_has_no_session() {
    let router = Router::new()
        .route("/inside", get(count))
        .layer(flask())
        .route("/outside", get(count));
    assert_eq!(
        browser::get(&router, "/inside", "").await.status,
        StatusCode::OK
    );
    assert_eq!(
        browser::get(&router, "/outside", "").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
}

#[tokio::test]
async fn one_layer_serves_nested_and_merged_routers() {
    let inner = Router::new().route("/count", get(count));
    let router = Router::new()
        .route("/count", get(count))
        .nest("/inner", inner)
        .merge(Router::new().route("/merged", get(count)))
        .layer(flask());
    let mut browser = Browser::default();
    for (path, expected) in [("/count", "1"), ("/inner/count", "2"), ("/merged", "3")] {
        assert_eq!(browser.get(&router, path).await.body, expected);
    }
}

#[tokio::test]
async fn two_routers_with_layers_of_their_own_share_a_session_by_key_and_name() {
    let one = Router::new().route("/one", get(count)).layer(flask());
    let two = Router::new().route("/two", get(count)).layer(flask());
    let router = one.merge(two);
    let mut browser = Browser::default();
    for (path, expected) in [("/one", "1"), ("/two", "2"), ("/one", "3")] {
        assert_eq!(browser.get(&router, path).await.body, expected);
    }
}

/// A handler gets the session of the innermost layer; the outer session stays untouched.
#[tokio::test]
async fn two_layers_of_different_cookies_do_not_disturb_each_other() {
    let named = |name: &str| {
        let config = SessionConfig::flask().with_cookie(CookiePolicy::flask(name));
        SessionLayer::with_config(side(), config).unwrap()
    };
    let inner = Router::new()
        .route("/count", get(count))
        .layer(named("inner"));
    let router = Router::new()
        .route("/count", get(count))
        .nest("/inner", inner)
        .layer(named("outer"));
    let mut browser = Browser::default();
    assert_eq!(browser.get(&router, "/count").await.body, "1");
    assert_eq!(browser.get(&router, "/inner/count").await.body, "1");
    assert_eq!(browser.get(&router, "/inner/count").await.body, "2");
    assert_eq!(browser.get(&router, "/count").await.body, "2");
    assert!(browser.cookie("inner").is_some() && browser.cookie("outer").is_some());
}

/// The same layer around a router and around a nested router.
///
/// The outer layer refreshes the incoming session, and must not undo changes made in the nested
/// router.
#[tokio::test]
async fn a_layer_twice_loses_no_change_and_no_log_out() {
    let leave = async |session: Session| session.log_out();
    for layer in [flask(), browser::safe()] {
        let inner = Router::new()
            .route("/count", get(count))
            .route("/leave", get(leave))
            .layer(layer.clone());
        let router = Router::new().nest("/inner", inner).layer(layer.clone());
        let name = layer.manager().cookie().name();
        let brought = flask_cookie(r#"{"_permanent":true,"n":7}"#, 60);
        let cookie = format!("{name}={brought}");
        let answer = browser::get(&router, "/inner/count", &cookie).await;
        assert_eq!(answer.body, "8");
        assert!(
            browser::inside(answer.cookie()).0.contains(r#""n":8"#),
            "{name}"
        );
        let answer = browser::get(&router, "/inner/leave", &cookie).await;
        assert!(
            answer.set_cookies()[0].contains("Max-Age=0"),
            "{name}: {:?}",
            answer.set_cookies()
        );
        assert_eq!(answer.set_cookies().len(), 1);
    }
}

/// A middleware inside the layer shares the handler's session.
#[tokio::test]
async fn middleware_and_handler_share_one_session() {
    use axum::{
        extract::Request,
        middleware::{Next, from_fn},
        response::Response,
    };
    async fn stamp(session: Session, request: Request, next: Next) -> Response {
        session.insert("before", &1).unwrap();
        let response = next.run(request).await;
        session.insert("after", &2).unwrap();
        response
    }
    let handler = async |session: Session| {
        assert_eq!(session.get::<u8>("before").unwrap(), Some(1));
        session.insert("handler", &3).unwrap();
    };
    let router = Router::new()
        .route("/", get(handler))
        .layer(from_fn(stamp))
        .layer(flask());
    let answer = browser::get(&router, "/", "").await;
    assert_eq!(
        browser::inside(answer.cookie()).0,
        r#"{"after":2,"before":1,"handler":3}"#
    );
}
