//! A browser in front of a router: keeps cookies, sends them back, remembers nothing else.

use axum::{
    Router,
    body::{Body, to_bytes},
};
use carafe::{ClientSide, KeyRing, SecretKey, SessionConfig, SessionLayer, Timestamp};
use carafe_core::token::signed::{SignedFormat, SignedSessions};
use http::{HeaderMap, Request, StatusCode, header};
use tower::ServiceExt;

pub(crate) const KEY: &str = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";
pub(crate) const OLD_KEY: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

pub(crate) fn key(text: &str) -> SecretKey {
    SecretKey::new(text).unwrap()
}

pub(crate) fn side() -> ClientSide {
    ClientSide::signed(key(KEY))
}

pub(crate) fn flask() -> SessionLayer {
    SessionLayer::with_config(side(), SessionConfig::flask()).unwrap()
}

/// The safe preset, for which browsers would want TLS; the tests' browser does not care.
pub(crate) fn safe() -> SessionLayer {
    SessionLayer::new(side())
}

/// A cookie value that a Flask application wrote `age` seconds ago.
pub(crate) fn flask_cookie(payload: &str, age: i64) -> String {
    flask_cookie_under(&key(KEY).into(), payload, age)
}

pub(crate) fn flask_cookie_under(keys: &KeyRing, payload: &str, age: i64) -> String {
    let issued = Timestamp::now().saturating_add(-age);
    SignedSessions::new(keys, &SignedFormat::flask()).seal(payload, issued)
}

/// The payload inside a signed cookie value, and when it was issued.
pub(crate) fn inside(value: &str) -> (String, Timestamp) {
    let ring = KeyRing::new(key(KEY));
    let sessions = SignedSessions::new(&ring, &SignedFormat::flask());
    let opened = sessions
        .open(value.as_bytes(), None, Timestamp::now())
        .unwrap();
    (opened.payload, opened.issued)
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

    pub(crate) fn vary(&self) -> Vec<&str> {
        self.all(header::VARY)
    }

    /// The value of the only `Set-Cookie` there is.
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

/// A GET with this `Cookie` header; none if it is empty.
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
