//! A response of the inner service, or a response of the middleware itself.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

pin_project! {
    /// A future of a middleware that either calls the inner service or responds itself.
    pub struct Checked<F: Future, O> {
        // The call of the service. `None` if the middleware responds.
        #[pin]
        inner: Option<F>,
        finish: Option<fn(F::Output) -> O>,
        refused: Option<O>,
    }
}

impl<F: Future, O> Checked<F, O> {
    /// Returns the future of a call of the inner service, whose output `finish` converts.
    pub const fn passed(inner: F, finish: fn(F::Output) -> O) -> Self {
        Self {
            inner: Some(inner),
            finish: Some(finish),
            refused: None,
        }
    }

    /// Returns a future that is ready with the middleware's own output.
    pub const fn refused(output: O) -> Self {
        Self {
            inner: None,
            finish: None,
            refused: Some(output),
        }
    }
}

impl<F: Future, O> Future for Checked<F, O> {
    type Output = O;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<O> {
        let this = self.project();
        let output = match (this.inner.as_pin_mut(), this.finish) {
            (Some(inner), Some(finish)) => Some(finish(ready!(inner.poll(context)))),
            _ => this.refused.take(),
        };
        Poll::Ready(output.expect("a finished future is not polled again"))
    }
}

impl<F: Future, O> fmt::Debug for Checked<F, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked")
            .field("is_refused", &self.inner.is_none())
            .finish_non_exhaustive()
    }
}
