//! One file per peer: how its authors would have it used, set up and called.
//!
//! A peer of the requests is a [`Router`] with the [`routes`], or a [`Site`](actix_alone::Site) of actix-web with the same;
//! a peer of the codec is a [`Codec`].

pub(crate) mod actix_alone;
pub(crate) mod actix_session;
pub(crate) mod axum_alone;
pub(crate) mod axum_extra;
pub(crate) mod axum_session;
pub(crate) mod carafe;
pub(crate) mod carafe_actix;
pub(crate) mod cookie_crate;
pub(crate) mod flask;
pub(crate) mod flask_session;
pub(crate) mod least;
pub(crate) mod parts;
pub(crate) mod redis_driver;
pub(crate) mod sqlx;
pub(crate) mod tower_sessions;

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, Response, StatusCode, Uri, header},
    routing::MethodRouter,
};
use serde_json::Value;
use tower::Service;

use crate::content::USER;

/// How a peer makes and reads the value of a session's cookie.
pub(crate) trait Codec {
    /// Cookie to JSON text; its length.
    fn open(&self, cookie: &str) -> usize;
    /// Cookie to the number under one key.
    fn read(&self, cookie: &str, key: &str) -> u64;
    /// JSON text to cookie.
    fn seal(&self, payload: &str) -> String;
    /// Dictionary to cookie.
    fn encode(&self, dictionary: &Value) -> String;
}

/// `GET /start/{browser}/{digits}` makes a session with a token of so many digits, `/login` gives it a new id and a
/// user; the others answer 200, or 500 if the session is not as it should be.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(
    start: MethodRouter<S>,
    untouched: MethodRouter<S>,
    read: MethodRouter<S>,
    write: MethodRouter<S>,
    login: MethodRouter<S>,
) -> Router<S> {
    Router::new()
        .route("/start/{browser}/{digits}", start)
        .route("/untouched", untouched)
        .route("/read", read)
        .route("/write", write)
        .route("/login", login)
}

/// `GET /begin` starts a session, `/count` adds one to its number in two steps, `/put/{key}` writes a key; `/told` says
/// the number and how many keys were put.
pub(crate) fn racing_routes(
    begin: MethodRouter,
    count: MethodRouter,
    put: MethodRouter,
    told: MethodRouter,
) -> Router {
    Router::new()
        .route("/begin", begin)
        .route("/count", count)
        .route("/put/{key}", put)
        .route("/told", told)
}

/// What a handler waits for between looking at a session and changing it: a database, another service.
pub(crate) async fn other_work() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Where a browser starts a session whose token has so many digits.
pub(crate) fn start(browser: u32, digits: usize) -> Uri {
    let uri = format!("/start/{browser}/{digits}").parse();
    uri.expect("it is a path")
}

/// One request, straight into the service.
pub(crate) async fn call(
    router: &mut Router,
    uri: &Uri,
    cookie: Option<&HeaderValue>,
) -> Response<Body> {
    let mut request = Request::new(Body::empty());
    uri.clone_into(request.uri_mut());
    if let Some(cookie) = cookie {
        request.headers_mut().insert(header::COOKIE, cookie.clone());
    }
    let response = router.call(request).await;
    response.unwrap_or_else(|never| match never {})
}

/// What a browser sends back for a response.
pub(crate) fn cookie_of(response: &Response<Body>) -> Option<HeaderValue> {
    let set = response.headers().get_all(header::SET_COOKIE).iter();
    let mut pairs = set.filter_map(|value| pair_sent_back(value.to_str().ok()?));
    pairs.find_map(|pair| HeaderValue::from_str(pair).ok())
}

/// What a browser sends back for the text of a `Set-Cookie` header, `name=value`: nothing for one that takes a cookie
/// away.
pub(crate) fn pair_sent_back(set_cookie: &str) -> Option<&str> {
    let pair = set_cookie.split(';').next()?;
    let (_, value) = pair.split_once('=')?;
    (!value.is_empty()).then_some(pair)
}

/// Two bytes of text, so that there is a body and a header as in nearly every real response, or a 500.
pub(crate) type Answer = Result<&'static str, StatusCode>;

pub(crate) const OK: Answer = Ok("ok");

/// What handlers answer after they have read the user.
pub(crate) fn verdict(user: Option<u64>) -> Answer {
    match user {
        Some(USER) => OK,
        _ => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
