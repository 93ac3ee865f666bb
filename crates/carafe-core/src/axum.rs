//! Implementations of axum's traits for the types of this crate (feature `axum`).
//!
//! The implementations are in this crate because of the orphan rule. The module makes no decisions.
//! The middleware that commits a session is in the crate `carafe`.

use std::convert::Infallible;

use axum_core::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, IntoResponseParts, Response, ResponseParts},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, header::Entry, request::Parts};

use crate::{
    clock::Timestamp,
    cookie::{CookieError, Grammar, RequestCookies, SetCookie},
    error::ErrorChain,
    session::{
        BearerResponse, ClientIp, CommitError, Field, LoggedIn, LoginRequired,
        RecentlyAuthenticated, RequestHead, ResponseHead, Session, SessionError, SessionRejection,
        Slot, Visit, answer_error,
    },
    store::StoreError,
};

const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const INVALID_COOKIE: &str = "a handler set a cookie that cannot be written";
const REMEDY: &str = "add `.layer(SessionLayer::new(…))` to its router, after its routes";

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let slot = parts
            .extensions
            .get::<Slot>()
            .ok_or(SessionRejection::MissingLayer(REMEDY))?;
        if slot.manager().notes_clients() {
            let value = |name| parts.headers.get(name).map(HeaderValue::as_bytes);
            let peer = parts.extensions.get().map(|ClientIp(peer)| *peer);
            slot.note_client(value(FORWARDED_FOR), peer, value(header::USER_AGENT));
        }
        let opened = slot
            .manager()
            .open(slot, cookie_lines(&parts.headers), slot.manager().time());
        opened.await.map_err(SessionRejection::Store)
    }
}

impl<S: Sync> FromRequestParts<S> for LoggedIn {
    type Rejection = LoginRequired;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, LoginRequired> {
        let session = <Session as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Self::of(session, visit(parts))
    }
}

impl<S: Sync, const MINUTES: u32> FromRequestParts<S> for RecentlyAuthenticated<MINUTES> {
    type Rejection = LoginRequired;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, LoginRequired> {
        let session = <Session as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Self::of(session, visit(parts))
    }
}

fn visit(parts: &Parts) -> Visit<'_> {
    let value = |name| parts.headers.get(name).map(HeaderValue::as_bytes);
    let target = parts.uri.path_and_query();
    Visit {
        method: parts.method.as_str(),
        target: target.map_or("/", http::uri::PathAndQuery::as_str),
        fetch_mode: value(FETCH_MODE),
        accept: value(header::ACCEPT),
    }
}

impl IntoResponse for LoginRequired {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        response(self.answer(&mut headers), headers)
    }
}

/// Returns `None` without a session layer. A failing store is an error here, too.
impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, SessionRejection> {
        if parts.extensions.get::<Slot>().is_none() {
            return Ok(None);
        }
        let session = <Self as FromRequestParts<S>>::from_request_parts(parts, state);
        session.await.map(Some)
    }
}

impl<S: Sync> FromRequestParts<S> for RequestCookies {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(
            cookie_lines(&parts.headers),
            Grammar::default(),
        ))
    }
}

impl IntoResponseParts for SetCookie {
    type Error = CookieError;

    fn into_response_parts(
        self,
        mut response: ResponseParts,
    ) -> Result<ResponseParts, CookieError> {
        let text = self.render(Timestamp::now())?;
        ResponseHead::append(response.headers_mut(), Field::SetCookie, text);
        Ok(response)
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        response(self.answer(&mut headers), headers)
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        response(self.answer(&mut headers), headers)
    }
}

impl IntoResponse for BearerResponse {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        let status = self.answer(&mut headers);
        (status_of(status), headers).into_response()
    }
}

impl IntoResponse for CommitError {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        response(self.answer(&mut headers), headers)
    }
}

/// For handlers that call a store themselves.
impl IntoResponse for StoreError {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        answer_error(&self, self.fault(), &mut headers);
        response(self.status(), headers)
    }
}

fn response(status: u16, headers: HeaderMap) -> Response {
    match status {
        500 => plain_500(),
        status => (status_of(status), headers).into_response(),
    }
}

/// A plain 500, because the handler that set the cookie has a bug. The log contains the reason.
impl IntoResponse for CookieError {
    fn into_response(self) -> Response {
        tracing::error!("{INVALID_COOKIE}: {}", ErrorChain::of(&self));
        plain_500()
    }
}

/// Returns the `Cookie` header lines of a request, in order.
///
/// HTTP/2 clients may send several lines (RFC 9113 §8.2.3).
fn cookie_lines(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
}

impl ResponseHead for HeaderMap {
    fn values(&self, field: Field) -> impl Iterator<Item = &[u8]> {
        self.get_all(name(field)).iter().map(HeaderValue::as_bytes)
    }

    fn append(&mut self, field: Field, text: String) {
        self.append(name(field), value(text));
    }

    fn replace(&mut self, field: Field, text: String) {
        self.insert(name(field), value(text));
    }

    fn set_if_absent(&mut self, field: Field, text: &'static str) -> bool {
        match self.entry(name(field)) {
            Entry::Vacant(field) => {
                field.insert(HeaderValue::from_static(text));
                false
            }
            Entry::Occupied(_) => true,
        }
    }

    fn contains(&self, name: &str) -> bool {
        self.contains_key(name)
    }

    fn set(&mut self, name: &str, text: String) {
        self.insert(header_name(name), value(text));
    }

    fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool) {
        let all: Vec<_> = self.get_all(name(field)).iter().cloned().collect();
        self.remove(name(field));
        for value in all.into_iter().filter(|value| keep(value.as_bytes())) {
            self.append(name(field), value);
        }
    }
}

impl RequestHead for HeaderMap {
    fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        // The map parses a name that is given as text.
        let lines = match name {
            "authorization" => self.get_all(header::AUTHORIZATION),
            _ => self.get_all(name),
        };
        lines.iter().map(HeaderValue::as_bytes)
    }
}

fn header_name(name: &str) -> HeaderName {
    HeaderName::try_from(name).expect("names of transports are checked at startup")
}

const fn name(field: Field) -> HeaderName {
    match field {
        Field::CacheControl => header::CACHE_CONTROL,
        Field::RetryAfter => header::RETRY_AFTER,
        Field::SetCookie => header::SET_COOKIE,
        Field::Vary => header::VARY,
    }
}

fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("what the core renders has no control characters")
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn plain_500() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
}
