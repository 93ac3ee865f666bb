//! A browser for a router: it stores and sends cookies.

use axum::{
    Router,
    body::{Body, to_bytes},
};
use carafe::{SessionConfig, SessionLayer};
pub(crate) use carafe_test_adapters::tokens::{flask_cookie, inside, side};
use http::{HeaderMap, Request, StatusCode, header};
use tower::ServiceExt;

pub(crate) fn flask() -> SessionLayer {
    SessionLayer::with_config(side(), SessionConfig::flask()).unwrap()
}

/// The safe preset, which requires TLS in browsers; the tests' browser ignores this.
pub(crate) fn safe() -> SessionLayer {
    SessionLayer::new(side())
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn all(&self, name: header::HeaderName) -> Vec<&str> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap()).collect()
    }

    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.all(header::SET_COOKIE)
    }

    /// Returns the value of the only `Set-Cookie` header.
    pub(crate) fn cookie(&self) -> &str {
        let [only] = self.set_cookies()[..] else {
            panic!("{:?}", self.set_cookies())
        };
        only.split_once('=').unwrap().1.split(';').next().unwrap()
    }
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.into()).unwrap(),
    }
}

/// Sends a GET request with this `Cookie` header, unless it is empty.
pub(crate) async fn get(router: &Router, path: &str, cookie: &str) -> Answer {
    let mut request = Request::get(path);
    if !cookie.is_empty() {
        request = request.header(header::COOKIE, cookie);
    }
    send(router, request.body(Body::empty()).unwrap()).await
}

#[derive(Default)]
pub(crate) struct Browser(Vec<(String, String)>);

impl Browser {
    pub(crate) async fn get(&mut self, router: &Router, path: &str) -> Answer {
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = get(router, path, &pairs.join("; ")).await;
        for cookie in answer.set_cookies() {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap().to_owned();
            self.0.retain(|(known, _)| known != name);
            if !cookie.contains("Max-Age=0") {
                self.0.push((name.to_owned(), value));
            }
        }
        answer
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
    }
}
