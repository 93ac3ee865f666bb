//! The `Cookies` extractor and `SetCookie` as a part of responses.

use axum::{Router, body::Body, response::IntoResponse, routing::get};
use carafe::{Cookies, SameSite, Session, SetCookie};
use http::{Request, StatusCode, Version, header};

use super::{browser, logs};

fn shown(cookies: &Cookies) -> String {
    let pairs: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("|")
}

#[tokio::test]
async fn cookies_are_read_from_all_lines_in_order() {
    let router = Router::new().route("/", get(async |cookies: Cookies| shown(&cookies)));
    for (lines, expected) in [
        (&[][..], ""),
        (&["a=1; b=2"], "a=1|b=2"),
        (&["a=1", "b=2; a=3"], "a=1|b=2|a=3"),
        (&["=nameless; a=1"], "a=1"),
        (&[r#"a="x\073y""#], "a=x;y"),
    ] {
        let mut request = Request::get("/");
        for line in lines {
            request = request.header(header::COOKIE, *line);
        }
        let answer = browser::send(&router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.body, expected, "{lines:?}");
    }
}

/// CKR-1: HTTP/2 clients send one line for each cookie (RFC 9113 §8.2.3).
#[tokio::test]
async fn ckr_1_a_session_is_found_in_any_of_50_lines() {
    let handler = async |session: Session| session.get::<u8>("a").unwrap().unwrap_or(0).to_string();
    for layer in [browser::flask(), browser::safe()] {
        let router = Router::new().route("/", get(handler)).layer(layer.clone());
        let value = browser::flask_cookie(r#"{"a":7}"#, 60);
        let ours = format!("{}={value}", layer.manager().cookie().name());
        for count in [1, 2, 50] {
            for position in [0, count / 2, count - 1] {
                let mut request = Request::get("/").version(Version::HTTP_2);
                for number in 0..count {
                    let line = if number == position {
                        ours.clone()
                    } else {
                        format!("c{number}=x")
                    };
                    request = request.header(header::COOKIE, line);
                }
                let answer = browser::send(&router, request.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.body, "7", "{position} of {count}");
            }
        }
    }
}

#[tokio::test]
async fn several_cookies_are_several_headers() {
    let handler = async || {
        (
            StatusCode::CREATED,
            SetCookie::new("a", "1").same_site(SameSite::Strict),
            SetCookie::new("b", "x y"),
            SetCookie::removal("c"),
            "body",
        )
    };
    let answer = browser::get(&Router::new().route("/", get(handler)), "/", "").await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(
        answer.set_cookies(),
        [
            "a=1; Path=/; SameSite=Strict",
            "b=\"x y\"; Path=/",
            "c=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
        ]
    );
}

/// A cookie that browsers would drop or misread is a mistake of the program: 500, and the log says which.
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

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}
