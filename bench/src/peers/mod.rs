//! One file per peer: set up and called as its authors recommend.
//!
//! A peer of the requests is a [`Router`] with the [`routes`], or a [`Site`](actix_alone::Site) of
//! actix-web with the same routes. A peer of the codec is a [`Codec`], one of the tokens an
//! [`Issuer`].

pub(crate) mod actix_alone;
pub(crate) mod actix_httpauth;
pub(crate) mod actix_session;
pub(crate) mod axum_alone;
pub(crate) mod axum_extra;
pub(crate) mod axum_session;
pub(crate) mod carafe;
pub(crate) mod carafe_actix;
pub(crate) mod carafe_tokens;
pub(crate) mod cookie_crate;
pub(crate) mod flask;
pub(crate) mod flask_session;
pub(crate) mod jsonwebtoken;
pub(crate) mod jwt_simple;
pub(crate) mod least;
pub(crate) mod parts;
pub(crate) mod primitives;
pub(crate) mod redis_driver;
pub(crate) mod sqlx;
pub(crate) mod tower_sessions;

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header},
    routing::MethodRouter,
};
use serde_json::Value;
use tower::Service;

use crate::content::{AccessClaims, USER};

/// Writes and reads the value of a session cookie.
pub(crate) trait Codec {
    /// Decodes a cookie to JSON text and returns the text's length.
    fn open(&self, cookie: &str) -> usize;
    /// Decodes a cookie and returns the number under one key.
    fn read(&self, cookie: &str, key: &str) -> u64;
    /// Encodes JSON text as a cookie.
    fn seal(&self, payload: &str) -> String;
    /// Encodes a dictionary as a cookie.
    fn encode(&self, dictionary: &Value) -> String;
}

/// Signs and verifies the access tokens of one key.
pub(crate) trait Issuer {
    /// Returns a token with these claims.
    fn sign(&self, claims: &AccessClaims) -> String;
    /// Returns the user of a valid token of the issuer for the audience.
    fn verify(&self, token: &str) -> Option<String>;
}

/// The response header that carries a new bearer token.
pub(crate) const TOKEN: &str = "x-session-token";

/// Returns the routes of a peer.
///
/// `GET /start/{browser}/{digits}` creates a session with a token of that many digits; `/login`
/// gives the session a new id and a user. The other routes answer 200, or 500 if the session has
/// unexpected content.
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

/// Returns the routes of the races.
///
/// `GET /begin` starts a session, `/count` increments its number in two steps, `/put/{key}` writes
/// a key; `/told` returns the number and the number of keys.
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

/// Waits for a database or another service, between reading and changing a session.
pub(crate) async fn other_work() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Returns the URI at which a browser starts a session with a token of `digits` digits.
pub(crate) fn start(browser: u32, digits: usize) -> Uri {
    let uri = format!("/start/{browser}/{digits}").parse();
    uri.expect("it is a path")
}

/// Calls the service with one request with at most one header.
pub(crate) async fn call(
    router: &mut Router,
    uri: &Uri,
    header: Option<(HeaderName, &HeaderValue)>,
) -> Response<Body> {
    let mut request = Request::new(Body::empty());
    uri.clone_into(request.uri_mut());
    if let Some((name, value)) = header {
        request.headers_mut().insert(name, value.clone());
    }
    let response = router.call(request).await;
    response.unwrap_or_else(|never| match never {})
}

/// Returns the `Cookie` header that a browser sends after a response.
pub(crate) fn cookie_of(response: &Response<Body>) -> Option<HeaderValue> {
    let set = response.headers().get_all(header::SET_COOKIE).iter();
    let mut pairs = set.filter_map(|value| pair_sent_back(value.to_str().ok()?));
    pairs.find_map(|pair| HeaderValue::from_str(pair).ok())
}

/// Returns the `name=value` that a browser sends back for a `Set-Cookie` header.
///
/// Returns `None` if the header removes a cookie.
pub(crate) fn pair_sent_back(set_cookie: &str) -> Option<&str> {
    let pair = set_cookie.split(';').next()?;
    let (_, value) = pair.split_once('=')?;
    (!value.is_empty()).then_some(pair)
}

/// Two bytes of text, so that the response has a body and a header like most real ones, or a 500.
pub(crate) type Answer = Result<&'static str, StatusCode>;

pub(crate) const OK: Answer = Ok("ok");

/// Returns the response of a handler that has read the user.
pub(crate) fn verdict(user: Option<u64>) -> Answer {
    match user {
        Some(USER..) => OK,
        _ => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
