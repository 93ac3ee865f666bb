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
    store::StoreError,
};

/// Why a handler could not have its [`Session`].
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionRejection {
    /// No session layer surrounds the handler: a mistake of the program, so the client gets a plain 500
    /// and the log says what to add.
    MissingLayer,
    /// The store is in trouble: 503, and the browser keeps its cookie.
    Store(StoreError),
}

/// The rejection of a [`SetCookie`] that cannot be written: a plain 500, and the log says why.
#[derive(Debug)]
pub struct InvalidCookie(CookieError);

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let slot = parts
            .extensions
            .get::<Slot>()
            .ok_or(SessionRejection::MissingLayer)?;
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

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        match self {
            Self::MissingLayer => plain_500(),
            Self::Store(_) => {
                let headers = [
                    (header::RETRY_AFTER, "1"),
                    (header::CACHE_CONTROL, "no-store"),
                ];
                (StatusCode::SERVICE_UNAVAILABLE, headers).into_response()
            }
        }
    }
}

impl IntoResponse for InvalidCookie {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        plain_500()
    }
}

impl std::fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MissingLayer => f.write_str(
                "a handler takes `Session`, but no session layer surrounds it; \
                 add `.layer(SessionLayer::new(…))` to its router, after its routes",
            ),
            Self::Store(error) => error.fmt(f),
        }
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

impl std::error::Error for SessionRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::MissingLayer => None,
            Self::Store(error) => Some(error),
        }
    }
}

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
