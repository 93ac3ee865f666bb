//! The single writer thread.
//!
//! It commits all queued jobs together: while one `fsync` runs, the jobs of the next transaction
//! queue up. See `batch` for the commit.

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

use crate::{SqliteOptions, batch::Batches, error::closed, job::Job};

/// Maximum number of jobs per transaction; bounds how long other processes wait for the lock.
const BATCH: usize = 256;

/// A transaction longer than this is followed by a pause of [`GAP`], in which the lock is free.
///
/// Writers of other processes retry every half millisecond (`batch`). Between the steps of a long
/// deletion, the lock would be free for only some 20 µs.
const LONG: Duration = Duration::from_millis(10);
const GAP: Duration = Duration::from_millis(1);

/// A handle to the writer thread.
pub(crate) struct Writer {
    queue: SyncSender<Message>,
    deadline: Duration,
    // A synchronous mutex: only `close` locks it, and joins the thread after unlocking.
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

    /// Queues `change` and returns its result once the transaction is committed.
    ///
    /// The job is queued on the first poll; dropping the future later does not cancel the change.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        change: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = Job::new(Instant::now() + self.deadline, change);
        self.queue
            .try_send(Message::Job(job))
            .map_err(|error| refused(&error))?;
        // A closed channel means that the thread exited with this job in its queue.
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Runs the queued jobs and stops the thread.
    pub(crate) fn close(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return };
        if thread.thread().id() == thread::current().id() {
            // A job dropped the last reference to the store: the thread cannot join itself, and
            // exits once its queue is empty.
            return;
        }
        // Sending fails only if the thread has already exited.
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
        let began = Instant::now();
        batches.settle(jobs);
        if open && began.elapsed() > LONG {
            thread::sleep(GAP);
        }
    }
}

fn refused(error: &TrySendError<Message>) -> StoreError {
    match error {
        TrySendError::Full(_) => StoreError::unavailable("too many writes are waiting"),
        TrySendError::Disconnected(_) => closed(),
    }
}
