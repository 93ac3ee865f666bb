//! An answer that may be there at once.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use crate::store::BoxFuture;

/// What somebody is asked for: there at once, or a future that is on the heap because it waits. Nobody who has the
/// answer at once pays for a future.
#[must_use = "an answer that waits does nothing unless it is awaited"]
pub enum Answer<'a, T> {
    /// It is there. `None` once it was taken.
    Now(Option<T>),
    /// It takes time.
    Later(BoxFuture<'a, T>),
}

impl<'a, T: Send + 'a> Answer<'a, T> {
    /// It is there.
    pub const fn now(answer: T) -> Self {
        Self::Now(Some(answer))
    }

    /// It takes time.
    pub fn later(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self::Later(Box::pin(future))
    }

    /// What the future gives: there at once unless it `waits`.
    pub(crate) fn of<F>(waits: bool, make: impl FnOnce() -> F) -> Self
    where
        F: Future<Output = T> + Send + 'a,
    {
        match waits {
            true => Self::later(make()),
            false => Self::now(at_once(make)),
        }
    }
}

/// What a future gives that never waits. It is made here, so that it need not be moved.
pub(crate) fn at_once<F: Future>(make: impl FnOnce() -> F) -> F::Output {
    let mut future = pin!(make());
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("who calls this knows that each step is ready"),
    }
}

impl<T: Unpin> Future for Answer<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match &mut *self {
            Self::Now(answer) => Poll::Ready(
                answer
                    .take()
                    .expect("a finished future is not polled again"),
            ),
            Self::Later(future) => future.as_mut().poll(context),
        }
    }
}

impl<T> std::fmt::Debug for Answer<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Now(…)",
            Self::Later(_) => "Later(…)",
        })
    }
}
