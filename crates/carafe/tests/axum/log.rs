//! Log events of failures.

use axum::{Router, response::IntoResponse, routing::get};
use carafe::{MemoryStore, ServerSide, Session, SessionLayer, SetCookie};
use carafe_test_adapters::{lifecycle::noise, limits::BEYOND};
use carafe_test_fixtures::logs;
use http::{StatusCode, header};

use super::browser::{self, flask, safe};

/// A cookie that browsers would drop or misread is a 500, and the log names the reason.
#[test]
fn a_cookie_that_cannot_be_written_is_a_500_and_the_log_says_why() {
    let value = "marker-4111".to_owned();
    for (cookie, reason) in [
        (SetCookie::new("a b", &value), "cookie name \"a b\""),
        (SetCookie::new("a\r\nX-Evil", &value), "cookie name"),
        (SetCookie::new("", &value), "cookie name"),
        (
            SetCookie::new("a", &value).domain("x; Path=/evil"),
            "cookie domain",
        ),
        (SetCookie::new("__Host-a", &value), "needs Secure"),
        (SetCookie::new("a", value.repeat(400)), "4096"),
    ] {
        let lines = logs::lines_of(|| {
            block_on(async {
                let response = (cookie.clone(), "secret body").into_response();
                assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
                assert!(!response.headers().contains_key(header::SET_COOKIE));
                let body = axum::body::to_bytes(response.into_body(), 1000)
                    .await
                    .unwrap();
                assert_eq!(body, "Internal Server Error");
            });
        });
        let ours: Vec<_> = lines
            .iter()
            .filter(|line| line.text.contains("cookie"))
            .collect();
        assert_eq!(ours.len(), 1, "{lines:?}");
        assert!(ours[0].text.contains(reason), "{lines:?}");
        assert!(!ours[0].text.contains("marker"), "{lines:?}");
    }
}

/// The handler's response would claim that the session was saved, so no part of it is sent.
#[test]
fn a_session_that_is_too_large_is_a_500_without_the_handlers_response() {
    for layer in [flask(), safe()] {
        let handler = async |session: Session| {
            session.insert("shopping_cart", &noise()).unwrap();
            session.insert("small", &1).unwrap();
            (
                [("x-order", "placed"), ("set-cookie", "other=1")],
                "order placed",
            )
        };
        let router = Router::new().route("/", get(handler)).layer(layer);
        let lines = logs::lines_of(|| {
            block_on(async {
                let answer = browser::get(&router, "/", "").await;
                assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
                assert_eq!(answer.body, "");
                assert!(answer.set_cookies().is_empty());
                assert!(!answer.headers.contains_key("x-order"));
                assert_eq!(answer.all(header::CACHE_CONTROL), ["no-store"]);
            });
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        for part in ["shopping_cart", "8002 bytes", "4096"] {
            assert!(lines[0].text.contains(part), "{lines:?}");
        }
    }
}

#[test]
fn a_session_beyond_a_limit_is_one_line_that_names_the_largest_keys() {
    for (path, change, named) in BEYOND {
        let handler = async move |session: Session| change(&session);
        let router = Router::new()
            .route(path, get(handler))
            .layer(SessionLayer::new(ServerSide::new(MemoryStore::new())));
        let lines = logs::lines_of(|| {
            block_on(async {
                let answer = browser::get(&router, path, "").await;
                assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
            });
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0].level.as_str(), "ERROR");
        assert!(lines[0].text.contains(named), "{lines:?}");
        assert!(!lines[0].text.contains("xxx"), "a value is logged");
    }
}

/// A session error inside a handler is a plain 500; the log names the key but not the value.
#[test]
fn a_session_error_is_a_500_that_tells_the_log_and_not_the_client() {
    let handler = async |session: Session| {
        session.insert("card", "4111-marker").unwrap();
        session.get::<u64>("card").map(|_| "never")
    };
    let router = Router::new().route("/", get(handler)).layer(safe());
    let lines = logs::lines_of(|| {
        block_on(async {
            let answer = browser::get(&router, "/", "").await;
            assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(answer.body, "Internal Server Error");
            assert!(
                answer.set_cookies().is_empty(),
                "a server error saves nothing here"
            );
        });
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].text.contains("card") && !lines[0].text.contains("4111"),
        "{lines:?}"
    );
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}
