//! axum's traits for the types of this crate (feature `axum`).
//!
//! They stand here because only the crate of a type may implement a foreign trait for it. There is no
//! decision in this file; the middleware that ends a request is in the crate `carafe`.

use std::convert::Infallible;

use axum_core::{
    extract::FromRequestParts,
    response::{IntoResponse, IntoResponseParts, Response, ResponseParts},
};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};

use crate::{
    clock::Timestamp,
    cookie::{CookieError, Grammar, RequestCookies, SetCookie},
    session::{Session, SessionError, Slot},
};

/// The rejection of [`Session`] where no session layer surrounds the handler: a mistake of the
/// program, so the client gets a plain 500 and the log says what to add.
#[derive(Debug)]
pub struct MissingSessionLayer;

/// The rejection of a [`SetCookie`] that cannot be written: a plain 500, and the log says why.
#[derive(Debug)]
pub struct InvalidCookie(CookieError);

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = MissingSessionLayer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingSessionLayer> {
        let slot = parts.extensions.get::<Slot>().ok_or(MissingSessionLayer)?;
        Ok(slot
            .manager()
            .open(slot, cookie_lines(&parts.headers), Timestamp::now()))
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
        let value =
            HeaderValue::try_from(text).expect("rendered cookies have no control characters");
        response.headers_mut().append(header::SET_COOKIE, value);
        Ok(response)
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        plain_500()
    }
}

impl IntoResponse for MissingSessionLayer {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        plain_500()
    }
}

impl IntoResponse for InvalidCookie {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        plain_500()
    }
}

impl std::fmt::Display for MissingSessionLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "a handler takes `Session`, but no session layer surrounds it; \
             add `.layer(SessionLayer::new(…))` to its router, after its routes",
        )
    }
}

impl std::fmt::Display for InvalidCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "a handler set a cookie that cannot be written: {}",
            self.0
        )
    }
}

impl std::error::Error for MissingSessionLayer {}

impl std::error::Error for InvalidCookie {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// The `Cookie` header lines of a request, in order (HTTP/2 sends several, RFC 9113 §8.2.3).
pub fn cookie_lines(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
}

fn plain_500() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
}
