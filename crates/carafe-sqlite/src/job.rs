//! A write on its way: what to do, until when it is wanted, and who waits for the result.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use carafe_core::store::StoreError;
use futures_channel::oneshot::{self, Receiver, Sender};
use rusqlite::Connection;

use crate::writer::closed;

/// A write that may be run again, as long as what it did before was rolled back.
pub(crate) struct Job {
    pub(crate) deadline: Instant,
    work: Box<dyn Work>,
}

/// A job without the type of its result.
trait Work: Send {
    /// Does it and keeps the result; whether that is one.
    fn run(&mut self, db: &Connection) -> bool;
    /// Hands the result over, or `trouble` in its place.
    fn answer(self: Box<Self>, trouble: Option<StoreError>);
}

struct Task<F, T> {
    change: F,
    result: Option<Result<T, StoreError>>,
    reply: Sender<Result<T, StoreError>>,
}

impl Job {
    /// A job that calls `change` inside a transaction, and where its result will be.
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

    /// The result of the last run; only for what is committed, or has failed and is rolled back.
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
        // An application's own code runs in here: `Patch::update`. Its panic ends this job and no other;
        // what the job has done so far is rolled back, so nothing half done is seen again.
        let change = &mut self.change;
        let result = catch_unwind(AssertUnwindSafe(|| change(db)))
            .unwrap_or_else(|_| Err(StoreError::unavailable("a change of a session panicked")));
        self.result.insert(result).is_ok()
    }

    fn answer(self: Box<Self>, trouble: Option<StoreError>) {
        // Its own failure says more than that of the transaction, which may be only a consequence.
        let result = match (self.result, trouble) {
            (Some(Err(own)), _) => Err(own),
            (_, Some(trouble)) => Err(trouble),
            (Some(done), None) => done,
            (None, None) => Err(closed()),
        };
        // Whoever has dropped the future does not want to know.
        drop(self.reply.send(result));
    }
}
