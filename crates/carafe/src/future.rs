//! Commits the session at the end of a request and updates the response.

use std::marker::PhantomData;

use carafe_core::session::{CommitError, HeaderChanges};
use carafe_tokio::{CommitResponse, ResponseAdapter};
use http::{HeaderValue, Response, StatusCode};

/// The response future of [`SessionService`](crate::SessionService).
pub type ResponseFuture<F, B, E> = CommitResponse<F, Tower<B, E>>;

/// The response adapter of tower. A service returns a response, or an error that passes through.
#[derive(Debug)]
pub struct Tower<B, E>(PhantomData<(B, E)>);

impl<B: Default, E> ResponseAdapter for Tower<B, E> {
    type Inner = Result<Response<B>, E>;
    type Outer = Self::Inner;
    type CookieLine = HeaderValue;

    fn status(answer: &Self::Inner) -> Option<u16> {
        let response = answer.as_ref().ok()?;
        Some(response.status().as_u16())
    }

    fn on_commit(mut answer: Self::Inner, effects: HeaderChanges, cookie: &str) -> Self::Outer {
        if let Ok(response) = &mut answer {
            effects.apply(response.headers_mut(), cookie);
        }
        answer
    }

    fn on_error(_: Self::Inner, error: CommitError) -> Self::Outer {
        let mut response = Response::new(B::default());
        let status = StatusCode::from_u16(error.answer(response.headers_mut()));
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Ok(response)
    }
}
