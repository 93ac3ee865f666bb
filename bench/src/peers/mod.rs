//! One file per peer: how its authors would have it used, set up and called.
//!
//! A peer of the requests is a [`Router`] with the routes of [`Site`]; a peer of the
//! codec is a [`Codec`].

pub(crate) mod axum_alone;
pub(crate) mod axum_extra;
pub(crate) mod axum_session;
pub(crate) mod carafe;
pub(crate) mod cookie_crate;
pub(crate) mod flask;
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

/// A peer behind its routes.
pub(crate) struct Site {
    pub(crate) router: Router,
    /// One per browser that has a session.
    pub(crate) cookies: Vec<HeaderValue>,
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

impl Site {
    /// Starts the sessions of browsers and keeps their cookies.
    pub(crate) async fn open(mut router: Router, browsers: u32) -> Self {
        let cookies = visitors(&mut router, browsers).await;
        Self { router, cookies }
    }

    /// The `Cookie` header of a browser.
    pub(crate) fn cookie(&self, number: usize) -> &HeaderValue {
        &self.cookies[number % self.cookies.len()]
    }
}

/// The cookies of browsers that begin here.
pub(crate) async fn visitors(router: &mut Router, browsers: u32) -> Vec<HeaderValue> {
    let mut cookies = Vec::new();
    for browser in 0..browsers {
        let response = call(router, &start(browser, 40), None).await;
        cookies.push(cookie_of(&response).expect("a new session sets a cookie"));
    }
    cookies
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
    let mut set = response.headers().get_all(header::SET_COOKIE).iter();
    set.find_map(sent_back)
}

/// What a browser sends back for a `Set-Cookie` header, `name=value`: nothing for one that takes a cookie away.
pub(crate) fn sent_back(set_cookie: &HeaderValue) -> Option<HeaderValue> {
    let pair = set_cookie.to_str().ok()?.split(';').next()?;
    let (_, value) = pair.split_once('=')?;
    match value {
        "" => None,
        _ => HeaderValue::from_str(pair).ok(),
    }
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
