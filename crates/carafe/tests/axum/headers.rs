//! `Vary`, `Cache-Control` and the other `Set-Cookie` headers of a response: what a handler chose stays.

use axum::{Router, response::AppendHeaders, routing::get};
use carafe::{Session, SetCookie};
use http::{HeaderValue, header};

use super::browser::{self, flask, safe};

/// A router whose handler sets these headers and writes the session if `writes`.
fn with_headers(headers: Vec<(header::HeaderName, &'static str)>, writes: bool) -> Router {
    let handler = async move |session: Session| {
        if writes {
            session.insert("a", &1).unwrap();
        } else {
            assert!(session.is_empty());
        }
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name, HeaderValue::from_static(value)));
        AppendHeaders(headers.collect::<Vec<_>>())
    };
    Router::new().route("/", get(handler)).layer(flask())
}

#[tokio::test]
async fn vary_is_one_line_that_keeps_what_was_there() {
    for (lines, merged) in [
        (&[][..], "Cookie"),
        (&["Accept-Encoding, cookie"], "Accept-Encoding, cookie"),
        (&["*"], "*, Cookie"),
        (
            &["Accept-Encoding,Origin"],
            "Accept-Encoding, Origin, Cookie",
        ),
        (
            &["Accept-Encoding", "Origin"],
            "Accept-Encoding, Origin, Cookie",
        ),
        (&["COOKIE"], "COOKIE"),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| (header::VARY, *line)).collect();
        for writes in [true, false] {
            let answer = browser::get(&with_headers(headers.clone(), writes), "/", "").await;
            assert_eq!(answer.vary(), [merged], "{lines:?}");
        }
    }
}

#[tokio::test]
async fn ops_2_no_store_goes_with_our_cookie_unless_the_handler_chose() {
    let cache_control = |value| vec![(header::CACHE_CONTROL, value)];
    for (headers, writes, expected) in [
        (vec![], true, &["no-store"][..]),
        (vec![], false, &[]),
        (
            cache_control("private, max-age=5"),
            true,
            &["private, max-age=5"],
        ),
        (cache_control("no-cache"), true, &["no-cache"]),
        (cache_control("public"), false, &["public"]),
    ] {
        let answer = browser::get(&with_headers(headers, writes), "/", "").await;
        assert_eq!(answer.all(header::CACHE_CONTROL), expected);
    }
}

/// RFC 6265bis §4.1.1: one cookie of a name in a response.
#[tokio::test]
async fn ckw_6_our_cookie_replaces_those_of_its_name_and_leaves_the_others_in_order() {
    let others = vec![
        (header::SET_COOKIE, "a=1; Path=/"),
        (header::SET_COOKIE, "session=evil; Path=/app"),
        (header::SET_COOKIE, "b=2"),
        (header::SET_COOKIE, " session =x"),
        (header::SET_COOKIE, "Session=other"),
        (header::SET_COOKIE, "c=session=3"),
    ];
    let answer = browser::get(&with_headers(others.clone(), true), "/", "").await;
    let cookies = answer.set_cookies();
    assert_eq!(
        cookies[..4],
        ["a=1; Path=/", "b=2", "Session=other", "c=session=3"]
    );
    assert!(
        cookies[4].starts_with("session=eyJ") && cookies.len() == 5,
        "{cookies:?}"
    );
    // If we send none, nobody's is touched.
    let answer = browser::get(&with_headers(others, false), "/", "").await;
    assert_eq!(answer.set_cookies().len(), 6);
}

#[tokio::test]
async fn ckw_6_a_handler_may_set_its_own_cookies_beside_the_session() {
    let handler = async |session: Session| {
        session.insert("a", &1).unwrap();
        (
            SetCookie::new("theme", "dark"),
            SetCookie::removal("old"),
            "body",
        )
    };
    let router = Router::new().route("/", get(handler)).layer(safe());
    let answer = browser::get(&router, "/", "").await;
    let names: Vec<_> = answer
        .set_cookies()
        .iter()
        .map(|line| line.split('=').next().unwrap())
        .collect();
    assert_eq!(names, ["theme", "old", "__Host-Http-session"]);
    assert_eq!(answer.body, "body");
}
