//! The end of a request: commits the session before the response's head leaves.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use carafe_core::{
    Answer,
    clock::Timestamp,
    session::{CommitError, Effects, Slot},
};
use pin_project_lite::pin_project;

use crate::saving::Saving;

/// How a framework answers; what an adapter implements.
pub trait Framework {
    /// What the service inside the session layer gives.
    type Inner;
    /// What the session layer makes of it.
    type Outer;
    /// A value of the request's `Cookie` header.
    type CookieLine: AsRef<[u8]>;

    /// The response's status; `None` if there is no response, and so no session to commit.
    fn status(answer: &Self::Inner) -> Option<u16>;

    /// Writes `effects` into the response's head. `cookie` is the name of the session's cookie.
    fn finished(answer: Self::Inner, effects: Effects, cookie: &str) -> Self::Outer;

    /// Replaces the response by [that of the error](CommitError::answer).
    fn failed(answer: Self::Inner, error: CommitError) -> Self::Outer;
}

pin_project! {
    /// The answer of a session layer: the handler's, once its session is committed.
    pub struct Ending<F, W: Framework> {
        #[pin]
        inner: F,
        slot: Slot,
        cookies: Vec<W::CookieLine>,
        unsaved: Option<Box<Unsaved<W::Inner>>>,
    }
}

/// An answer that waits for the store. Boxed in its future, which for most requests never needs it.
struct Unsaved<A> {
    answer: A,
    saving: Saving,
}

impl<F, W: Framework> Ending<F, W> {
    /// `inner` is the handler's answer, `slot` was in its request. `cookies` are the request's, if
    /// [`SessionManager::commits_untouched`](carafe_core::session::SessionManager::commits_untouched).
    pub const fn new(inner: F, slot: Slot, cookies: Vec<W::CookieLine>) -> Self {
        Self {
            inner,
            slot,
            cookies,
            unsaved: None,
        }
    }
}

impl<F, W> Future for Ending<F, W>
where
    F: Future<Output = W::Inner>,
    W: Framework,
{
    type Output = W::Outer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<W::Outer> {
        let this = self.project();
        let manager = this.slot.manager();
        let finished = |answer, result| match result {
            Ok(effects) => W::finished(answer, effects, manager.cookie().name()),
            Err(error) => W::failed(answer, error),
        };
        if this.unsaved.is_none() {
            let answer = ready!(this.inner.poll(context));
            let Some(status) = W::status(&answer) else {
                return Poll::Ready(finished(answer, Ok(Effects::default())));
            };
            let lines = this.cookies.iter().map(AsRef::as_ref);
            match manager.end(this.slot, lines, status, Timestamp::now) {
                Answer::Now(result) => {
                    let result = result.expect("a fresh commit has its result");
                    return Poll::Ready(finished(answer, result));
                }
                Answer::Later(commit) => {
                    let saving = Saving::new(commit);
                    *this.unsaved = Some(Box::new(Unsaved { answer, saving }));
                }
            }
        }
        let unsaved = this.unsaved.as_mut();
        let unsaved = unsaved.expect("set above, and taken only with the answer");
        let result = ready!(Pin::new(&mut unsaved.saving).poll(context));
        let Unsaved { answer, .. } = *this.unsaved.take().expect("borrowed above");
        Poll::Ready(finished(answer, result))
    }
}

impl<F, W: Framework> fmt::Debug for Ending<F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ending(…)")
    }
}
