//! The exclusive right to commit.

use std::{
    future::poll_fn,
    task::{Poll, Waker},
};

use crate::session::Session;

/// The exclusive right to commit.
///
/// Two concurrent commits of a new session would create two sessions, each with half of the
/// changes.
pub(super) struct Turn<'s>(&'s Session);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.0.locked();
            state.committing = false;
            state.waiting.take()
        };
        waiting
            .into_iter()
            .flat_map(|all| *all)
            .for_each(Waker::wake);
    }
}

impl Session {
    /// Waits until no other commit of this session is in progress.
    pub(super) async fn turn(&self) -> Turn<'_> {
        poll_fn(|context| {
            let mut state = self.locked();
            if state.committing {
                state
                    .waiting
                    .get_or_insert_default()
                    .push(context.waker().clone());
                return Poll::Pending;
            }
            state.committing = true;
            Poll::Ready(Turn(self))
        })
        .await
    }
}
