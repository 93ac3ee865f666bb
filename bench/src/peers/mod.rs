//! One file per peer: how its authors would have it used, set up and called.
//!
//! A peer of the requests is a [`Router`] with the routes of [`Site`]; a peer of the
//! codec is a [`Codec`].

pub(crate) mod axum_alone;
pub(crate) mod axum_extra;
pub(crate) mod carafe;
pub(crate) mod cookie_crate;
pub(crate) mod flask;
pub(crate) mod parts;
pub(crate) mod tower_sessions;

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
    /// One per browser that has logged in.
    pub(crate) cookies: Vec<HeaderValue>,
}

/// `GET /login/{browser}` makes a session; the others answer 200, or 500 if it is not as it should be.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(
    login: MethodRouter<S>,
    untouched: MethodRouter<S>,
    read: MethodRouter<S>,
    write: MethodRouter<S>,
) -> Router<S> {
    Router::new()
        .route("/login/{browser}", login)
        .route("/untouched", untouched)
        .route("/read", read)
        .route("/write", write)
}

impl Site {
    /// Logs browsers in and keeps their cookies.
    pub(crate) async fn open(mut router: Router, browsers: u32) -> Self {
        let mut cookies = Vec::new();
        for browser in 0..browsers {
            let uri = format!("/login/{browser}").parse().expect("it is a path");
            let response = call(&mut router, &uri, None).await;
            cookies.push(cookie_of(&response).expect("a login sets a cookie"));
        }
        Self { router, cookies }
    }

    /// The `Cookie` header of a browser.
    pub(crate) fn cookie(&self, number: usize) -> &HeaderValue {
        &self.cookies[number % self.cookies.len()]
    }
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

/// What a browser sends back: `name=value` of the `Set-Cookie` header.
pub(crate) fn cookie_of(response: &Response<Body>) -> Option<HeaderValue> {
    let set = response.headers().get(header::SET_COOKIE)?.to_str().ok()?;
    HeaderValue::from_str(set.split(';').next()?).ok()
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
