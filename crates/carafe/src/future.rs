//! The end of a request: commits the session before the response's head leaves.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use carafe_core::{
    Answer,
    clock::Timestamp,
    session::{CommitError, Effects, SessionManager, Slot},
};
use carafe_tokio::Saving;
use http::{HeaderValue, Response, StatusCode};
use pin_project_lite::pin_project;

pin_project! {
    /// The response of [`SessionService`](crate::SessionService).
    pub struct ResponseFuture<F, B> {
        #[pin]
        inner: F,
        slot: Slot,
        cookies: Vec<HeaderValue>,
        unsaved: Option<Box<Unsaved<B>>>,
    }
}

/// A response that waits for the store. Boxed in its future, which for most requests never needs it.
struct Unsaved<B> {
    response: Response<B>,
    saving: Saving,
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) const fn new(inner: F, slot: Slot, cookies: Vec<HeaderValue>) -> Self {
        Self {
            inner,
            slot,
            cookies,
            unsaved: None,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let manager = this.slot.manager();
        if this.unsaved.is_none() {
            let response = ready!(this.inner.poll(context))?;
            let lines = this.cookies.iter().map(HeaderValue::as_bytes);
            let status = response.status().as_u16();
            match manager.end(this.slot, lines, status, Timestamp::now) {
                Answer::Now(result) => {
                    let result = result.expect("a fresh commit has its result");
                    return Poll::Ready(Ok(finished(response, result, manager)));
                }
                Answer::Later(commit) => {
                    let saving = Saving::new(commit);
                    *this.unsaved = Some(Box::new(Unsaved { response, saving }));
                }
            }
        }
        let unsaved = this.unsaved.as_mut();
        let unsaved = unsaved.expect("set above, and taken only with the answer");
        let result = ready!(Pin::new(&mut unsaved.saving).poll(context));
        let Unsaved { response, .. } = *this.unsaved.take().expect("borrowed above");
        Poll::Ready(Ok(finished(response, result, manager)))
    }
}

fn finished<B: Default>(
    mut response: Response<B>,
    result: Result<Effects, CommitError>,
    manager: &SessionManager,
) -> Response<B> {
    match result {
        Ok(effects) => {
            effects.apply(response.headers_mut(), manager.cookie().name());
            response
        }
        Err(error) => {
            let mut response = Response::new(B::default());
            let status = error.answer(response.headers_mut());
            *response.status_mut() =
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            response
        }
    }
}
