//! actix-web's traits: JWK sets and rejections as responses.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, Responder, ResponseError,
    http::{StatusCode, header},
};

use crate::{
    http::{InvalidRequest, JWK_SET_TYPE, JwkSetResponse},
    jwt::{Refusal, VerifyError},
};

impl Responder for JwkSetResponse {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .content_type(JWK_SET_TYPE)
            .insert_header((header::CACHE_CONTROL, self.cache_control()))
            .body(self.into_body())
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::UNAUTHORIZED
    }

    /// Returns an empty 401 with `WWW-Authenticate`.
    fn error_response(&self) -> HttpResponse {
        refused(self.status_code(), self.www_authenticate(None))
    }
}

impl ResponseError for InvalidRequest {
    fn status_code(&self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }

    /// Returns an empty 400 with `WWW-Authenticate`.
    fn error_response(&self) -> HttpResponse {
        refused(self.status_code(), self.www_authenticate(None))
    }
}

impl ResponseError for VerifyError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => refusal.status_code(),
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the response of the [`Refusal`], or an empty 503 with `Retry-After` if the keys are
    /// unavailable.
    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Refused(refusal) => refusal.error_response(),
            Self::Unavailable(error) => {
                tracing::error!("{}", carafe_core::error::ErrorChain::of(error));
                HttpResponse::ServiceUnavailable()
                    .insert_header((header::RETRY_AFTER, "1"))
                    .insert_header((header::CACHE_CONTROL, "no-store"))
                    .finish()
            }
        }
    }
}

fn refused(status: StatusCode, challenge: String) -> HttpResponse {
    HttpResponseBuilder::new(status)
        .insert_header((header::WWW_AUTHENTICATE, challenge))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
