//! Commits the session at the end of a request and updates the response or error.

use std::marker::PhantomData;

use actix_web::{
    Error, HttpResponse,
    body::EitherBody,
    dev::ServiceResponse,
    error::InternalError,
    http::{
        StatusCode,
        header::{HeaderMap, HeaderValue},
    },
};
use carafe_core::session::{CommitError, HeaderChanges};
use carafe_tokio::{CommitResponse, ResponseAdapter};

/// The response future of [`SessionService`](crate::SessionService).
pub type ResponseFuture<F, B> = CommitResponse<F, Actix<B>>;

/// The response adapter of actix-web.
///
/// A service returns a response, or an error that an outer layer converts to a response.
#[derive(Debug)]
pub struct Actix<B>(PhantomData<B>);

impl<B> ResponseAdapter for Actix<B> {
    type Inner = Result<ServiceResponse<B>, Error>;
    type Outer = Result<ServiceResponse<EitherBody<B>>, Error>;
    type CookieLine = HeaderValue;

    fn status(answer: &Self::Inner) -> Option<u16> {
        let status = match answer {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        Some(status.as_u16())
    }

    fn on_commit(answer: Self::Inner, effects: HeaderChanges, cookie: &str) -> Self::Outer {
        match answer {
            Ok(mut response) => {
                effects.apply(response.headers_mut(), cookie);
                Ok(response.map_into_left_body())
            }
            Err(error) => Err(with_effects(error, effects, cookie)),
        }
    }

    fn on_error(answer: Self::Inner, error: CommitError) -> Self::Outer {
        let mut head = HeaderMap::new();
        let status = StatusCode::from_u16(error.answer(&mut head));
        let mut response = HttpResponse::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        *response.headers_mut() = head;
        match answer {
            Ok(handlers) => Ok(handlers.into_response(response.map_into_right_body())),
            Err(_) => {
                Err(InternalError::from_response("the session was not saved", response).into())
            }
        }
    }
}

/// Adds the headers to the error's response.
///
/// The error keeps its type, because outer middleware may inspect it.
fn with_effects(mut error: Error, effects: HeaderChanges, cookie: &str) -> Error {
    if effects != HeaderChanges::default() {
        let cookie = cookie.to_owned();
        error.add_response_mapper(move |mut response| {
            effects.clone().apply(response.headers_mut(), &cookie);
            response
        });
    }
    error
}
