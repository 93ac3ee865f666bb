//! actix-web's traits for the types of this crate (feature `actix`).
//!
//! They stand here because only the crate of a type may implement a foreign trait for it. There is no
//! decision in this file; the middleware that ends a request is in the crate `carafe-actix`.

use std::{
    convert::Infallible,
    future::{Ready, ready},
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
    answer::{Answer, at_once},
    clock::Timestamp,
    cookie::{Grammar, InvalidCookie, RequestCookies, SetCookie},
    session::{Field, ResponseHead, Session, SessionError, SessionRejection, Slot},
};

const REMEDY: &str = "add `.wrap(SessionMiddleware::new(…))` to its `App` or `Scope`";

impl FromRequest for Session {
    type Error = SessionRejection;
    type Future = Answer<'static, Result<Self, SessionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(slot) = request.extensions().get::<Slot>().cloned() else {
            return Answer::now(Err(SessionRejection::MissingLayer(REMEDY)));
        };
        if !slot.manager().waits() {
            let lines = cookie_lines(request.headers());
            let opened = at_once(|| slot.manager().open(&slot, lines, Timestamp::now()));
            return Answer::now(opened.map_err(SessionRejection::Store));
        }
        // The request cannot be sent to other threads; its values can, and they are shared, not copied.
        let lines = request.headers().get_all(header::COOKIE);
        let lines: Vec<_> = lines.cloned().collect();
        Answer::later(async move {
            let lines = lines.iter().map(HeaderValue::as_bytes);
            let opened = slot.manager().open(&slot, lines, Timestamp::now());
            opened.await.map_err(SessionRejection::Store)
        })
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

/// For `append_header`, which keeps the cookies that are there; `insert_header` would replace them.
impl TryIntoHeaderPair for SetCookie {
    type Error = InvalidCookie;

    fn try_into_pair(self) -> Result<(HeaderName, HeaderValue), InvalidCookie> {
        let text = self.render(Timestamp::now()).map_err(InvalidCookie)?;
        Ok((header::SET_COOKIE, value(text)))
    }
}

/// actix-web answers it with a plain 500. Its own error cannot say why, so it is logged here.
impl From<InvalidCookie> for HttpError {
    fn from(error: InvalidCookie) -> Self {
        tracing::error!("{error}");
        let invalid = HeaderValue::from_bytes(b"\n");
        invalid.expect_err("a line end is not allowed").into()
    }
}

impl ResponseError for SessionError {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        tracing::error!("{self}");
        plain_500()
    }
}

impl ResponseError for SessionRejection {
    fn status_code(&self) -> StatusCode {
        status_of(self.status())
    }

    fn error_response(&self) -> HttpResponse {
        let mut head = HeaderMap::new();
        match self.answer(&mut head) {
            500 => plain_500(),
            status => {
                let mut response = HttpResponse::new(status_of(status));
                *response.headers_mut() = head;
                response
            }
        }
    }
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

    fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool) {
        let field = name(field);
        self.retain(|name, value| *name != field || keep(value.as_bytes()));
    }
}

/// The `Cookie` header lines of a request, in order (HTTP/2 sends several, RFC 9113 §8.2.3).
fn cookie_lines(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(header::COOKIE).map(HeaderValue::as_bytes)
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
