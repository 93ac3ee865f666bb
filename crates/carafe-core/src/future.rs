//! Values that are usually ready without a future.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

/// A boxed future. Only calls of stores are boxed, because `Session` is one type for all stores.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A value that is either ready or a boxed future. A ready value costs no allocation.
///
/// ```
/// use carafe_core::MaybeReady;
///
/// # futures_executor::block_on(async {
/// let cached = MaybeReady::now(1);
/// assert!(matches!(cached, MaybeReady::Now(Some(1))));
/// assert_eq!(cached.await, 1);
///
/// let loaded = MaybeReady::later(async { 2 });
/// assert!(matches!(loaded, MaybeReady::Later(_)));
/// assert_eq!(loaded.await, 2);
/// # });
/// ```
#[must_use = "a future does nothing unless it is awaited"]
pub enum MaybeReady<'a, T> {
    /// The value is ready. `None` after it was taken.
    Now(Option<T>),
    /// The value is the output of a future.
    Later(BoxFuture<'a, T>),
}

impl<'a, T: Send + 'a> MaybeReady<'a, T> {
    /// Returns a ready value.
    pub const fn now(answer: T) -> Self {
        Self::Now(Some(answer))
    }

    /// Boxes a future.
    pub fn later(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self::Later(Box::pin(future))
    }

    /// Polls the future immediately, or boxes it if it `waits`.
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

/// Returns the output of a future that never waits.
///
/// The future is created here, so that it is not moved.
pub(crate) fn at_once<F: Future>(make: impl FnOnce() -> F) -> F::Output {
    poll_once(make).unwrap_or_else(|| unreachable!("the caller knows that each step is ready"))
}

/// Polls a future once, on the stack. Returns `None` if it is pending.
pub(crate) fn poll_once<F: Future>(make: impl FnOnce() -> F) -> Option<F::Output> {
    let future = pin!(make());
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

impl<T: Unpin> Future for MaybeReady<'_, T> {
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

impl<T> std::fmt::Debug for MaybeReady<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Now(…)",
            Self::Later(_) => "Later(…)",
        })
    }
}
