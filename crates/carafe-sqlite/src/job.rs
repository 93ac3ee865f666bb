//! A queued write with its deadline and reply channel.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use carafe_core::store::StoreError;
use futures_channel::oneshot::{self, Receiver, Sender};
use rusqlite::Connection;

use crate::error::closed;

/// A write that can be retried after its changes were rolled back.
pub(crate) struct Job {
    pub(crate) deadline: Instant,
    work: Box<dyn Work>,
}

/// A job with its result type erased.
trait Work: Send {
    /// Runs the job and stores its result; returns whether the job succeeded.
    fn run(&mut self, db: &Connection) -> bool;
    /// Sends the result, or `trouble` in its place.
    fn answer(self: Box<Self>, trouble: Option<StoreError>);
}

struct Task<F, T> {
    change: F,
    result: Option<Result<T, StoreError>>,
    reply: Sender<Result<T, StoreError>>,
}

impl Job {
    /// Returns a job that calls `change` inside a transaction, and the receiver of its result.
    pub(crate) fn new<F, T>(deadline: Instant, change: F) -> (Self, Receiver<Result<T, StoreError>>)
    where
        F: FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work = Box::new(Task {
            change,
            result: None,
            reply,
        });
        (Self { deadline, work }, answer)
    }

    pub(crate) fn run(&mut self, db: &Connection) -> bool {
        self.work.run(db)
    }

    /// Sends the result of the last run, which must be committed, or failed and rolled back.
    pub(crate) fn done(self) {
        self.work.answer(None);
    }

    pub(crate) fn failed(self, trouble: StoreError) {
        self.work.answer(Some(trouble));
    }
}

impl<F, T> Work for Task<F, T>
where
    F: FnMut(&Connection) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, db: &Connection) -> bool {
        // Application code runs here: `Patch::update`. A panic fails only this job, and its changes
        // are rolled back, so no partial change becomes visible.
        let change = &mut self.change;
        let result = catch_unwind(AssertUnwindSafe(|| change(db)))
            .unwrap_or_else(|_| Err(StoreError::unavailable("a change of a session panicked")));
        self.result.insert(result).is_ok()
    }

    fn answer(self: Box<Self>, trouble: Option<StoreError>) {
        // The job's own error is more specific than that of the transaction, which may be a
        // consequence.
        let result = match (self.result, trouble) {
            (Some(Err(own)), _) => Err(own),
            (_, Some(trouble)) => Err(trouble),
            (Some(done), None) => done,
            (None, None) => Err(closed()),
        };
        // Sending fails if the caller has dropped the future.
        drop(self.reply.send(result));
    }
}
