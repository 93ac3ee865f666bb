//! The one thread that writes. It takes what has queued up and has it committed together: while one
//! `fsync` runs, the next transaction's jobs gather. Next: `batch`, which does the committing.

use std::{
    io,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use carafe_core::store::StoreError;
use rusqlite::Connection;

use crate::{SqliteOptions, batch::Batches, job::Job};

/// Bounds a transaction, and with it how long other processes wait for the lock.
const BATCH: usize = 256;

/// The way to the writer thread.
pub(crate) struct Writer {
    queue: SyncSender<Message>,
    deadline: Duration,
    // A plain mutex: only closing takes it, and joins outside of it.
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Job(Job),
    Close,
}

impl Writer {
    pub(crate) fn start(db: Connection, options: SqliteOptions) -> io::Result<Self> {
        let (queue, messages) = sync_channel(options.queue);
        let batches = Batches::new(db, options.deadline);
        let thread = thread::Builder::new()
            .name("carafe-sqlite".to_owned())
            .spawn(move || write(&messages, &batches))?;
        Ok(Self {
            queue,
            deadline: options.deadline,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Has `change` run inside a transaction; its result once that is committed. Queued when the future is
    /// first polled; dropping the future later does not stop the change.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        change: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = Job::new(Instant::now() + self.deadline, change);
        self.queue
            .try_send(Message::Job(job))
            .map_err(|error| refused(&error))?;
        // No answer: the thread ended with this job in its queue.
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Finishes what is queued and ends the thread.
    pub(crate) fn close(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return };
        if thread.thread().id() == thread::current().id() {
            // The last owner was a job: the thread cannot wait for itself. It ends with the queue.
            return;
        }
        // An error means that the thread is gone, and there is nothing left to end.
        drop(self.queue.send(Message::Close));
        drop(thread.join());
    }
}

fn write(messages: &Receiver<Message>, batches: &Batches) {
    let mut open = true;
    while open {
        let Ok(first) = messages.recv() else { return };
        let mut jobs = Vec::new();
        for message in std::iter::once(first).chain(messages.try_iter()) {
            match message {
                Message::Job(job) => jobs.push(job),
                Message::Close => open = false,
            }
            if !open || jobs.len() == BATCH {
                break;
            }
        }
        batches.settle(jobs);
    }
}

fn refused(error: &TrySendError<Message>) -> StoreError {
    match error {
        TrySendError::Full(_) => StoreError::unavailable("too many writes are waiting"),
        TrySendError::Disconnected(_) => closed(),
    }
}

/// The answer of a store that was closed.
pub(crate) fn closed() -> StoreError {
    StoreError::unavailable("the session store is closed")
}
