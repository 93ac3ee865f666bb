//! Implementations of actix-web's traits for the types of this crate (feature `actix`).
//!
//! The implementations are in this crate because of the orphan rule. The module makes no decisions.
//! The middleware that commits a session is in the crate `carafe-actix`.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    dev::Payload,
    error::HttpError,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue, TryIntoHeaderPair},
    },
};

use crate::{
    clock::Timestamp,
    cookie::{CookieError, Grammar, RequestCookies, SetCookie},
    error::ErrorChain,
    future::{MaybeReady, at_once},
    session::{
        BearerResponse, CommitError, Field, LoggedIn, LoginRequired, RecentlyAuthenticated,
        RequestHead, ResponseHead, Session, SessionError, SessionRejection, Slot, Visit,
        answer_error,
    },
    store::StoreError,
};

const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const INVALID_COOKIE: &str = "a handler set a cookie that cannot be written";
const REMEDY: &str = "add `.wrap(SessionMiddleware::new(…))` to its `App` or `Scope`";

impl FromRequest for Session {
    type Error = SessionRejection;
    type Future = MaybeReady<'static, Result<Self, SessionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(slot) = request.extensions().get::<Slot>().cloned() else {
            return MaybeReady::now(Err(SessionRejection::MissingLayer(REMEDY)));
        };
        if slot.manager().notes_clients() {
            let value = |name| request.headers().get(name).map(HeaderValue::as_bytes);
            let peer = request.peer_addr().map(|peer| peer.ip());
            slot.note_client(
                value(header::X_FORWARDED_FOR),
                peer,
                value(header::USER_AGENT),
            );
        }
        if !slot.manager().waits() {
            let lines = cookie_lines(request.headers());
            let opened = at_once(|| slot.manager().open(&slot, lines, slot.manager().time()));
            return MaybeReady::now(opened.map_err(SessionRejection::Store));
        }
        // The request is not `Send`, but its header values are, and cloning them does not copy
        // their bytes.
        let lines = request.headers().get_all(header::COOKIE);
        let lines: Vec<_> = lines.cloned().collect();
        MaybeReady::later(async move {
            let lines = lines.iter().map(HeaderValue::as_bytes);
            let opened = slot.manager().open(&slot, lines, slot.manager().time());
            opened.await.map_err(SessionRejection::Store)
        })
    }
}

impl FromRequest for LoggedIn {
    type Error = LoginRequired;
    type Future = LocalBoxFuture<Result<Self, LoginRequired>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (session, request) = (Session::from_request(request, payload), request.clone());
        Box::pin(async move { Self::of(session.await?, visit(&request)) })
    }
}

impl<const MINUTES: u32> FromRequest for RecentlyAuthenticated<MINUTES> {
    type Error = LoginRequired;
    type Future = LocalBoxFuture<Result<Self, LoginRequired>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (session, request) = (Session::from_request(request, payload), request.clone());
        Box::pin(async move { Self::of(session.await?, visit(&request)) })
    }
}

/// A boxed future without `Send`, because a request of actix-web is not `Send`.
type LocalBoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

fn visit(request: &HttpRequest) -> Visit<'_> {
    let value = |name: HeaderName| request.headers().get(name).map(HeaderValue::as_bytes);
    let target = request.uri().path_and_query();
    Visit {
        method: request.method().as_str(),
        target: target.map_or("/", |target| target.as_str()),
        fetch_mode: value(FETCH_MODE),
        accept: value(header::ACCEPT),
    }
}

impl ResponseError for LoginRequired {
    fn status_code(&self) -> StatusCode {
        status_of(self.status())
    }

    fn error_response(&self) -> HttpResponse {
        let mut head = HeaderMap::new();
        response(self.answer(&mut head), head)
    }
}

impl FromRequest for RequestCookies {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let lines = cookie_lines(request.headers());
        ready(Ok(Self::parse(lines, Grammar::default())))
    }
}

/// For `append_header`, which keeps existing cookies; `insert_header` would replace them.
impl TryIntoHeaderPair for SetCookie {
    type Error = CookieError;

    fn try_into_pair(self) -> Result<(HeaderName, HeaderValue), CookieError> {
        let text = self.render(Timestamp::now())?;
        Ok((header::SET_COOKIE, value(text)))
    }
}

/// actix-web responds with a plain 500. `HttpError` cannot contain the reason, so it is logged.
impl From<CookieError> for HttpError {
    fn from(error: CookieError) -> Self {
        tracing::error!("{INVALID_COOKIE}: {}", ErrorChain::of(&error));
        let invalid = HeaderValue::from_bytes(b"\n");
        invalid.expect_err("a line end is not allowed").into()
    }
}

impl ResponseError for SessionError {
    fn status_code(&self) -> StatusCode {
        status_of(self.status())
    }

    fn error_response(&self) -> HttpResponse {
        let mut head = HeaderMap::new();
        response(self.answer(&mut head), head)
    }
}

impl ResponseError for SessionRejection {
    fn status_code(&self) -> StatusCode {
        status_of(self.status())
    }

    fn error_response(&self) -> HttpResponse {
        let mut head = HeaderMap::new();
        response(self.answer(&mut head), head)
    }
}

impl ResponseError for BearerResponse {
    fn status_code(&self) -> StatusCode {
        status_of(self.answer(&mut HeaderMap::new()))
    }

    fn error_response(&self) -> HttpResponse {
        let mut head = HeaderMap::new();
        let mut response = HttpResponse::new(status_of(self.answer(&mut head)));
        *response.headers_mut() = head;
        response
    }
}

impl ResponseError for CommitError {
    fn status_code(&self) -> StatusCode {
        status_of(self.status())
    }

    fn error_response(&self) -> HttpResponse {
        let mut head = HeaderMap::new();
        response(self.answer(&mut head), head)
    }
}

/// For handlers that call a store themselves.
impl ResponseError for StoreError {
    fn status_code(&self) -> StatusCode {
        status_of(self.status())
    }

    fn error_response(&self) -> HttpResponse {
        let mut head = HeaderMap::new();
        answer_error(self, self.fault(), &mut head);
        response(self.status(), head)
    }
}

/// A plain 500, because the handler that set the cookie has a bug. The log contains the reason.
impl ResponseError for CookieError {
    fn error_response(&self) -> HttpResponse {
        tracing::error!("{INVALID_COOKIE}: {}", ErrorChain::of(self));
        plain_500()
    }
}

fn response(status: u16, head: HeaderMap) -> HttpResponse {
    if status == 500 {
        return plain_500();
    }
    let mut response = HttpResponse::new(status_of(status));
    *response.headers_mut() = head;
    response
}

impl ResponseHead for HeaderMap {
    fn values(&self, field: Field) -> impl Iterator<Item = &[u8]> {
        self.get_all(name(field)).map(HeaderValue::as_bytes)
    }

    fn append(&mut self, field: Field, text: String) {
        self.append(name(field), value(text));
    }

    fn replace(&mut self, field: Field, text: String) {
        self.insert(name(field), value(text));
    }

    fn set_if_absent(&mut self, field: Field, text: &'static str) -> bool {
        let is_there = self.contains_key(name(field));
        if !is_there {
            self.insert(name(field), HeaderValue::from_static(text));
        }
        is_there
    }

    fn contains(&self, name: &str) -> bool {
        self.contains_key(name)
    }

    fn set(&mut self, name: &str, text: String) {
        self.insert(header_name(name), value(text));
    }

    fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool) {
        let field = name(field);
        self.retain(|name, value| *name != field || keep(value.as_bytes()));
    }
}

/// Returns the `Cookie` header lines of a request, in order.
///
/// HTTP/2 clients may send several lines (RFC 9113 §8.2.3).
fn cookie_lines(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(header::COOKIE).map(HeaderValue::as_bytes)
}

impl RequestHead for HeaderMap {
    fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        // The map parses a name that is given as text.
        let lines = match name {
            "authorization" => self.get_all(header::AUTHORIZATION),
            _ => self.get_all(name),
        };
        lines.map(HeaderValue::as_bytes)
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

fn plain_500() -> HttpResponse {
    HttpResponse::InternalServerError().body("Internal Server Error")
}
