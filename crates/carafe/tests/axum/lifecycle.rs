//! A session over several requests, and requests that go wrong.

use std::time::Duration;

use axum::{Router, routing::get};
use carafe::{ClientSide, Flash, Markup, Session, SessionConfig, SessionError, SessionLayer};
use http::{StatusCode, header};

use super::{
    browser::{self, Browser, KEY, flask, flask_cookie, key, safe, side},
    cookies::block_on,
    logs,
};

fn shown(flashes: &[Flash]) -> String {
    let line = |flash: &Flash| format!("{}:{}:{}", flash.category, flash.message, flash.is_markup);
    flashes.iter().map(line).collect::<Vec<_>>().join("|")
}

#[tokio::test]
async fn a_user_logs_in_and_out() {
    let router = Router::new()
        .route("/in", get(async |session: Session| session.log_in("42")))
        .route(
            "/",
            get(async |session: Session| session.user().unwrap_or_default()),
        )
        .route("/out", get(async |session: Session| session.log_out()));
    let sides = [side(), ClientSide::encrypted(key(KEY), "shop")];
    for side in sides {
        for config in [
            SessionConfig::flask(),
            SessionConfig::default(),
            SessionConfig::development(),
        ] {
            let layer = SessionLayer::with_config(side.clone(), config).unwrap();
            let name = layer.manager().cookie().name().to_owned();
            let router = router.clone().layer(layer);
            let mut browser = Browser::default();
            assert_eq!(browser.get(&router, "/").await.body, "");
            browser.get(&router, "/in").await;
            assert_eq!(browser.get(&router, "/").await.body, "42");
            browser.get(&router, "/out").await;
            assert_eq!(browser.get(&router, "/").await.body, "");
            assert_eq!(
                browser.cookie(&name),
                None,
                "nothing is left in the browser"
            );
        }
    }
}

/// Flask: all are taken at once, the same ones again within the request, and the emptied session goes.
#[tokio::test]
async fn flashes_come_with_the_next_page_and_once() {
    let write = async |session: Session| {
        session.flash("message", "Hello")?;
        session.flash("error", &Markup("<b>no</b>".to_owned()))
    };
    let read = async |session: Session| {
        let first = session.take_flashes()?;
        assert_eq!(session.take_flashes()?, first);
        Ok::<_, SessionError>(shown(&first))
    };
    let write_and_read = async |session: Session| {
        session.flash("message", "now")?;
        let now = session.take_flashes()?;
        session.flash("message", "later")?;
        assert_eq!(session.take_flashes()?, now);
        Ok::<_, SessionError>(shown(&now))
    };
    let router = Router::new()
        .route("/write", get(write))
        .route("/read", get(read))
        .route("/both", get(write_and_read))
        .layer(flask());
    let mut browser = Browser::default();
    assert_eq!(browser.get(&router, "/read").await.body, "");
    browser.get(&router, "/write").await;
    browser.get(&router, "/write").await;
    let one = "message:Hello:false|error:<b>no</b>:true";
    assert_eq!(
        browser.get(&router, "/read").await.body,
        format!("{one}|{one}")
    );
    assert_eq!(
        browser.cookie("session"),
        None,
        "the session was emptied, so its cookie went"
    );
    assert_eq!(browser.get(&router, "/read").await.body, "");
    assert_eq!(
        browser.get(&router, "/both").await.body,
        "message:now:false"
    );
    assert_eq!(
        browser.get(&router, "/read").await.body,
        "message:later:false"
    );
}

#[tokio::test]
async fn the_lifetime_changes_while_running() {
    for layer in [flask(), safe()] {
        let router = Router::new()
            .route("/", get(async |session: Session| session.len().to_string()))
            .layer(layer.clone());
        let name = layer.manager().cookie().name();
        let cookie = format!("{name}={}", flask_cookie(r#"{"a":1}"#, 100));
        for (lifetime, expected) in [(31 * 86_400, "1"), (99, "0"), (0, "0"), (1_000, "1")] {
            layer.manager().set_lifetime(Duration::from_secs(lifetime));
            assert_eq!(
                browser::get(&router, "/", &cookie).await.body,
                expected,
                "{lifetime}"
            );
        }
    }
}

/// 8 KB that do not compress.
fn noise() -> String {
    let mut state = 7_u64;
    let letters = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'a' + u8::try_from((state >> 40) % 26).unwrap())
    });
    letters.take(8_000).collect()
}

/// The handler's answer would claim that something was saved, so nothing of it is sent.
#[test]
fn ckw_7_a_session_that_is_too_large_is_a_500_without_anything_of_the_handlers() {
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

/// TOK-12, on the wire: whatever is wrong with a cookie, the response is the same to the byte.
#[tokio::test]
async fn tok_12_all_bad_cookies_get_the_same_response() {
    for layer in [flask(), safe()] {
        let name = layer.manager().cookie().name().to_owned();
        let router = Router::new()
            .route("/", get(async |session: Session| session.len().to_string()))
            .layer(layer);
        let expired = flask_cookie(r#"{"a":1}"#, 40 * 86_400);
        let fresh = flask_cookie(r#"{"a":1}"#, 60);
        let future = flask_cookie(r#"{"a":1}"#, -3_600);
        let rubbish = flask_cookie("rubbish", 60);
        let deep = flask_cookie(&format!(r#"{{"a":{}}}"#, "[".repeat(1_000)), 60);
        let foreign = browser::flask_cookie_under(&key(browser::OLD_KEY).into(), "{}", 60);
        let mut seen = None;
        for value in [
            &expired,
            &format!("{fresh}A"),
            &future,
            &rubbish,
            &deep,
            &foreign,
            "junk",
            "...",
            "a",
        ] {
            let answer = browser::get(&router, "/", &format!("{name}={value}")).await;
            let answer = (answer.status, format!("{:?}", answer.headers), answer.body);
            assert_eq!(
                seen.get_or_insert_with(|| answer.clone()),
                &answer,
                "{value}"
            );
        }
    }
}

/// An error of the session inside a handler is a plain 500; the log names the key and not the value.
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

/// OPS-10: what a handler wrote before it panicked is not sent, and the next request is served.
#[tokio::test]
async fn ops_10_a_panic_commits_nothing() {
    let panics = async |session: Session| {
        session.insert("half", &1).unwrap();
        assert!(session.is_empty(), "the handler panics here");
    };
    let router = Router::new()
        .route("/panic", get(panics))
        .route("/", get(async |session: Session| session.len().to_string()))
        .layer(flask());
    let failing = router.clone();
    let joined =
        tokio::spawn(async move { browser::get(&failing, "/panic", "").await.status }).await;
    assert!(joined.unwrap_err().is_panic());
    assert_eq!(browser::get(&router, "/", "").await.body, "0");
}
