//! axum's traits for the types of this crate (feature `axum`).
//!
//! They stand here because only the crate of a type may implement a foreign trait for it. There is no
//! decision in this file; the middleware that ends a request is in the crate `carafe`.

use std::convert::Infallible;

use axum_core::{
    extract::FromRequestParts,
    response::{IntoResponse, IntoResponseParts, Response, ResponseParts},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, header::Entry, request::Parts};

use crate::{
    clock::Timestamp,
    cookie::{Grammar, InvalidCookie, RequestCookies, SetCookie},
    session::{Field, ResponseHead, Session, SessionError, SessionRejection, Slot},
};

const REMEDY: &str = "add `.layer(SessionLayer::new(…))` to its router, after its routes";

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let slot = parts
            .extensions
            .get::<Slot>()
            .ok_or(SessionRejection::MissingLayer(REMEDY))?;
        let opened = slot
            .manager()
            .open(slot, cookie_lines(&parts.headers), Timestamp::now());
        opened.await.map_err(SessionRejection::Store)
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
    type Error = InvalidCookie;

    fn into_response_parts(
        self,
        mut response: ResponseParts,
    ) -> Result<ResponseParts, InvalidCookie> {
        let text = self.render(Timestamp::now()).map_err(InvalidCookie)?;
        ResponseHead::append(response.headers_mut(), Field::SetCookie, text);
        Ok(response)
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        plain_500()
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        match self.answer(&mut headers) {
            500 => plain_500(),
            status => (status_of(status), headers).into_response(),
        }
    }
}

impl IntoResponse for InvalidCookie {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        plain_500()
    }
}

/// The `Cookie` header lines of a request, in order (HTTP/2 sends several, RFC 9113 §8.2.3).
pub fn cookie_lines(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
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

    fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool) {
        let all: Vec<_> = self.get_all(name(field)).iter().cloned().collect();
        self.remove(name(field));
        for value in all.into_iter().filter(|value| keep(value.as_bytes())) {
            self.append(name(field), value);
        }
    }
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
