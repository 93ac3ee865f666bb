//! A commit that waits for its store runs to its end, also if the client hangs up meanwhile.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use carafe_core::{
    session::{CommitError, Effects},
    store::{BoxFuture, StoreError},
};
use tokio::runtime::Handle;

/// A commit that waits for its store, polled with the response. If it is dropped half-way, it goes on as a task of
/// its own; a panic in the store's code is an error.
pub(crate) struct Saving(Option<BoxFuture<'static, Saved>>);

type Saved = Result<Effects, CommitError>;

impl Saving {
    pub(crate) const fn new(commit: BoxFuture<'static, Saved>) -> Self {
        Self(Some(commit))
    }
}

impl Future for Saving {
    type Output = Saved;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Saved> {
        let commit = self.0.as_mut();
        let commit = commit.expect("a finished future is not polled again");
        // A panic would cost the client its connection, where it can be told. What it has left half done is dropped.
        let polled = catch_unwind(AssertUnwindSafe(|| commit.as_mut().poll(context)));
        let saved = ready!(polled.unwrap_or_else(|_| Poll::Ready(Err(panicked()))));
        self.0 = None;
        Poll::Ready(saved)
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        // Without a runtime nothing goes on: the process is at its end.
        if let (Some(commit), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            drop(runtime.spawn(commit));
        }
    }
}

fn panicked() -> CommitError {
    CommitError::Store {
        source: StoreError::unavailable("the store's code panicked"),
        set_cookie: None,
    }
}
