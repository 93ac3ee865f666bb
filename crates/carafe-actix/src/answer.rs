//! The end of a request: the response, or the error that becomes one, with its session committed.

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
use carafe_core::session::{CommitError, Effects};
use carafe_tokio::{Ending, Framework};

/// The response of [`SessionService`](crate::SessionService).
pub type ResponseFuture<F, B> = Ending<F, Actix<B>>;

/// How actix-web answers: with a response, or with an error that becomes a response further outside.
#[derive(Debug)]
pub struct Actix<B>(PhantomData<B>);

impl<B> Framework for Actix<B> {
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

    fn finished(answer: Self::Inner, effects: Effects, cookie: &str) -> Self::Outer {
        match answer {
            Ok(mut response) => {
                effects.apply(response.headers_mut(), cookie);
                Ok(response.map_into_left_body())
            }
            Err(error) => Err(with_effects(error, effects, cookie)),
        }
    }

    fn failed(answer: Self::Inner, error: CommitError) -> Self::Outer {
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

/// The error stays what it is, for whoever looks for its type further outside; its response gets the headers.
fn with_effects(mut error: Error, effects: Effects, cookie: &str) -> Error {
    if effects != Effects::default() {
        let cookie = cookie.to_owned();
        error.add_response_mapper(move |mut response| {
            effects.clone().apply(response.headers_mut(), &cookie);
            response
        });
    }
    error
}
