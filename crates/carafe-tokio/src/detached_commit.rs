//! Runs a commit to completion, even if the client disconnects.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use carafe_core::{
    session::{CommitError, CommitFuture, HeaderChanges},
    store::{BoxFuture, StoreError},
};
use tokio::runtime::Handle;

/// A commit that waits for its store, polled with the response.
///
/// If dropped before completion, it continues in a task of its own. A panic in the store is
/// returned as an error.
pub(crate) struct DetachedCommit(Option<BoxFuture<'static, Saved>>);

type Saved = Result<HeaderChanges, CommitError>;

impl DetachedCommit {
    pub(crate) const fn new(commit: BoxFuture<'static, Saved>) -> Self {
        Self(Some(commit))
    }

    /// Runs a commit in a task of its own. Errors are only logged.
    pub(crate) fn detach(commit: CommitFuture) {
        let logged = async {
            let saved = commit.await;
            if let Err(error) = &saved {
                tracing::error!("a log-out whose request was abandoned did not succeed: {error}");
            }
            saved
        };
        drop(Self::new(Box::pin(logged)));
    }
}

impl Future for DetachedCommit {
    type Output = Saved;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Saved> {
        let commit = self.0.as_mut();
        let commit = commit.expect("a finished future is not polled again");
        // A panic would close the client's connection without a response. The commit's state is
        // dropped after the panic.
        let polled = catch_unwind(AssertUnwindSafe(|| commit.as_mut().poll(context)));
        let saved = ready!(polled.unwrap_or_else(|_| Poll::Ready(Err(panicked()))));
        self.0 = None;
        Poll::Ready(saved)
    }
}

impl Drop for DetachedCommit {
    fn drop(&mut self) {
        // Without a runtime, the process is shutting down, and the commit is dropped.
        if let (Some(commit), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            drop(runtime.spawn(commit));
        }
    }
}

fn panicked() -> CommitError {
    CommitError::Store {
        source: StoreError::unavailable("the store's code panicked"),
        set_cookie: None,
        remember_cookie: None,
        token: None,
    }
}
