//! The end of a request: the response with its session committed.

use std::marker::PhantomData;

use carafe_core::session::{CommitError, Effects};
use carafe_tokio::{Ending, Framework};
use http::{HeaderValue, Response, StatusCode};

/// The response of [`SessionService`](crate::SessionService).
pub type ResponseFuture<F, B, E> = Ending<F, Tower<B, E>>;

/// How tower answers: with a response, or with an error that passes through.
#[derive(Debug)]
pub struct Tower<B, E>(PhantomData<(B, E)>);

impl<B: Default, E> Framework for Tower<B, E> {
    type Inner = Result<Response<B>, E>;
    type Outer = Self::Inner;
    type CookieLine = HeaderValue;

    fn status(answer: &Self::Inner) -> Option<u16> {
        let response = answer.as_ref().ok()?;
        Some(response.status().as_u16())
    }

    fn finished(mut answer: Self::Inner, effects: Effects, cookie: &str) -> Self::Outer {
        if let Ok(response) = &mut answer {
            effects.apply(response.headers_mut(), cookie);
        }
        answer
    }

    fn failed(_: Self::Inner, error: CommitError) -> Self::Outer {
        let mut response = Response::new(B::default());
        let status = StatusCode::from_u16(error.answer(response.headers_mut()));
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Ok(response)
    }
}
