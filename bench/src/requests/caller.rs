//! Calls a framework with a request, without a network.

use axum::{
    Router,
    body::Body,
    http::{
        HeaderValue, Response, StatusCode, Uri,
        header::{self, Entry},
    },
};

use crate::peers::call;

/// A framework with its handlers and layers.
pub(crate) trait Caller: Clone + 'static {
    type Path;
    type Answer;
    /// The value of a header.
    type Value;

    fn path(path: &str) -> Self::Path;
    fn value(text: &str) -> Self::Value;
    fn text(value: &Self::Value) -> &str;

    /// Calls the service with one request.
    async fn call(&mut self, path: &Self::Path, cookie: Option<&Self::Value>) -> Self::Answer;

    fn is_ok(answer: &Self::Answer) -> bool;

    /// Passes the values of `Set-Cookie` to `take`.
    fn set_cookies(answer: Self::Answer, take: impl FnMut(Self::Value));
}

impl Caller for Router {
    type Path = Uri;
    type Answer = Response<Body>;
    type Value = HeaderValue;

    fn path(path: &str) -> Uri {
        path.parse().expect("it is a path")
    }

    fn value(text: &str) -> HeaderValue {
        text.parse().expect("it is text")
    }

    fn text(value: &HeaderValue) -> &str {
        value.to_str().expect("it is text")
    }

    async fn call(&mut self, path: &Uri, cookie: Option<&HeaderValue>) -> Response<Body> {
        call(self, path, cookie).await
    }

    fn is_ok(answer: &Response<Body>) -> bool {
        answer.status() == StatusCode::OK
    }

    fn set_cookies(mut answer: Response<Body>, take: impl FnMut(HeaderValue)) {
        if let Entry::Occupied(set) = answer.headers_mut().entry(header::SET_COOKIE) {
            let (_, values) = set.remove_entry_mult();
            values.for_each(take);
        }
    }
}

/// A framework, and a cookie for each browser that has a session.
pub(super) struct Opened<C: Caller> {
    pub(super) caller: C,
    pub(super) cookies: Vec<C::Value>,
}

impl<C: Caller> Opened<C> {
    /// Starts the sessions of browsers.
    pub(super) async fn open(mut caller: C, browsers: u32) -> Self {
        let cookies = visitors(&mut caller, browsers).await;
        Self { caller, cookies }
    }

    /// Returns the `Cookie` header of a browser.
    pub(super) fn cookie(&self, number: usize) -> &C::Value {
        &self.cookies[number % self.cookies.len()]
    }
}

/// Returns the cookies of new browsers; empty without sessions.
pub(super) async fn visitors<C: Caller>(caller: &mut C, browsers: u32) -> Vec<C::Value> {
    let mut cookies = Vec::new();
    for browser in 0..browsers {
        let path = C::path(&format!("/start/{browser}/40"));
        let answer = caller.call(&path, None).await;
        C::set_cookies(answer, |value| cookies.extend(sent_back::<C>(&value)));
    }
    cookies
}

/// Returns the cookie that a browser sends back, or `None` if the header removes a cookie.
pub(super) fn sent_back<C: Caller>(set_cookie: &C::Value) -> Option<C::Value> {
    crate::peers::pair_sent_back(C::text(set_cookie)).map(C::value)
}
