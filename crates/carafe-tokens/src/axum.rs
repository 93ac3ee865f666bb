//! axum's traits: JWK sets and rejections as responses.

use axum_core::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::{
    http::{InvalidRequest, JWK_SET_TYPE, JwkSetResponse},
    jwt::{Refusal, VerifyError},
};

impl IntoResponse for JwkSetResponse {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, JWK_SET_TYPE.to_owned()),
            (header::CACHE_CONTROL, self.cache_control()),
        ];
        (headers, self.into_body()).into_response()
    }
}

impl IntoResponse for Refusal {
    /// Returns an empty 401 with `WWW-Authenticate`.
    fn into_response(self) -> Response {
        refused(StatusCode::UNAUTHORIZED, &self.www_authenticate(None))
    }
}

impl IntoResponse for InvalidRequest {
    /// Returns an empty 400 with `WWW-Authenticate`.
    fn into_response(self) -> Response {
        refused(StatusCode::BAD_REQUEST, &self.www_authenticate(None))
    }
}

impl IntoResponse for VerifyError {
    /// Returns the response of the [`Refusal`], or an empty 503 with `Retry-After` if the keys are
    /// unavailable.
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Unavailable(error) => {
                tracing::error!("{}", carafe_core::error::ErrorChain::of(&error));
                let headers = [
                    (header::RETRY_AFTER, "1"),
                    (header::CACHE_CONTROL, "no-store"),
                ];
                (StatusCode::SERVICE_UNAVAILABLE, headers).into_response()
            }
        }
    }
}

fn refused(status: StatusCode, challenge: &str) -> Response {
    let mut response = status.into_response();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::WWW_AUTHENTICATE, challenge);
    set(header::CACHE_CONTROL, "no-store");
    response
}
