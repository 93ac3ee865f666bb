//! Calls a framework with a request, without a network.

use axum::{
    Router,
    body::Body,
    http::{
        HeaderName, HeaderValue, Response, StatusCode, Uri,
        header::{self, Entry},
    },
};

use crate::peers::{TOKEN, call, pair_sent_back};

/// The headers that carry the token of a session.
#[derive(Clone, Copy)]
pub(crate) enum Carrier {
    /// `Cookie` and `Set-Cookie`.
    Cookie,
    /// `Authorization: Bearer`, and [`TOKEN`] for a new token.
    Bearer,
}

/// A framework with its handlers and layers.
pub(crate) trait Caller: Clone + 'static {
    type Path;
    type Answer;
    /// The value of a header.
    type Value;

    fn path(path: &str) -> Self::Path;
    fn value(text: &str) -> Self::Value;
    fn text(value: &Self::Value) -> &str;

    /// Calls the service with one request, and with the header of a session if there is one.
    async fn call(
        &mut self,
        path: &Self::Path,
        session: Option<(Carrier, &Self::Value)>,
    ) -> Self::Answer;

    fn is_ok(answer: &Self::Answer) -> bool;

    /// Passes the values of the header with new tokens to `take`.
    fn new_tokens(answer: Self::Answer, carrier: Carrier, take: impl FnMut(Self::Value));
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

    async fn call(
        &mut self,
        path: &Uri,
        session: Option<(Carrier, &HeaderValue)>,
    ) -> Response<Body> {
        let header = session.map(|(carrier, value)| match carrier {
            Carrier::Cookie => (header::COOKIE, value),
            Carrier::Bearer => (header::AUTHORIZATION, value),
        });
        call(self, path, header).await
    }

    fn is_ok(answer: &Response<Body>) -> bool {
        answer.status() == StatusCode::OK
    }

    fn new_tokens(mut answer: Response<Body>, carrier: Carrier, take: impl FnMut(HeaderValue)) {
        let name = match carrier {
            Carrier::Cookie => header::SET_COOKIE,
            Carrier::Bearer => HeaderName::from_static(TOKEN),
        };
        if let Entry::Occupied(set) = answer.headers_mut().entry(name) {
            let (_, values) = set.remove_entry_mult();
            values.for_each(take);
        }
    }
}

/// A framework, and the header of each browser that has a session.
pub(super) struct Opened<C: Caller> {
    pub(super) caller: C,
    pub(super) carrier: Carrier,
    pub(super) sessions: Vec<C::Value>,
}

impl<C: Caller> Opened<C> {
    /// Starts the sessions of browsers.
    pub(super) async fn open(mut caller: C, carrier: Carrier, browsers: u32) -> Self {
        let sessions = visitors(&mut caller, carrier, browsers).await;
        Self {
            caller,
            carrier,
            sessions,
        }
    }

    /// Returns the header of a browser.
    pub(super) fn session(&self, number: usize) -> (Carrier, &C::Value) {
        (self.carrier, &self.sessions[number % self.sessions.len()])
    }
}

/// Returns the headers of new browsers; empty without sessions.
async fn visitors<C: Caller>(caller: &mut C, carrier: Carrier, browsers: u32) -> Vec<C::Value> {
    let mut sessions = Vec::new();
    for browser in 0..browsers {
        let path = C::path(&format!("/start/{browser}/40"));
        let answer = caller.call(&path, None).await;
        C::new_tokens(answer, carrier, |value| {
            sessions.extend(sent_back::<C>(carrier, &value));
        });
    }
    sessions
}

/// Returns the header that a client sends back, or `None` if the response removes the token.
pub(super) fn sent_back<C: Caller>(carrier: Carrier, given: &C::Value) -> Option<C::Value> {
    let given = C::text(given);
    match carrier {
        Carrier::Cookie => pair_sent_back(given).map(C::value),
        Carrier::Bearer => (!given.is_empty()).then(|| C::value(&format!("Bearer {given}"))),
    }
}
