//! Reads of many rows, such as the operators' lists.
//!
//! Each read runs on its own thread, so that it blocks no task of the caller's runtime, and on a
//! separate connection, so that reads for visitors do not wait for it. Starting a thread takes some
//! 50 µs, which is negligible for operators; single-row reads run inline (`reader`).
//!
//! A read is interrupted when its future is dropped, for example by a deadline, and when the store
//! is closed.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use carafe_core::store::StoreError;
use futures_channel::oneshot;
use rusqlite::Connection;

use crate::{connect, error::closed};

/// Maximum number of concurrent reads. Further reads wait on their threads.
const CONNECTIONS: usize = 2;

/// Maximum number of threads.
const MOST: usize = 256;

/// SQLite VM instructions between two checks for cancellation: well below a millisecond.
const STEPS: i32 = 4_096;

/// Connections for long reads, opened on first use.
pub(crate) struct LongReads {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    wait: Duration,
    // Synchronous mutexes: each is held for one read, by a thread that does nothing else.
    slots: [Mutex<Option<Connection>>; CONNECTIONS],
    threads: AtomicUsize,
    is_closed: AtomicBool,
}

impl LongReads {
    pub(crate) fn new(path: &Path, wait: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                wait,
                slots: Default::default(),
                threads: AtomicUsize::new(0),
                is_closed: AtomicBool::new(false),
            }),
        }
    }

    /// Runs `read` on its own thread.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = Place::take(&self.shared)?;
        let (reply, answer) = oneshot::channel();
        let caller = Caller::default();
        let is_gone = Arc::clone(&caller.is_gone);
        let work = move || {
            let result = place.0.run(is_gone, read);
            // Release the slot before replying, so that a caller who retries finds it free.
            drop(place);
            drop(reply.send(result));
        };
        thread::Builder::new()
            .name("carafe-sqlite-read".to_owned())
            .spawn(work)
            .map_err(StoreError::unavailable)?;
        // A closed channel means that the read panicked.
        answer.await.unwrap_or_else(|_| {
            let text = "a read of the session store panicked";
            Err(StoreError::unavailable(text))
        })
    }

    /// Interrupts all reads and rejects later ones. Returns when all connections are closed.
    pub(crate) fn close(&self) {
        self.shared.is_closed.store(true, Ordering::Relaxed);
        for slot in &self.shared.slots {
            drop(slot.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

impl Shared {
    fn run<T>(
        self: &Arc<Self>,
        is_gone: Arc<AtomicBool>,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut slot = self.slot();
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(closed());
        }
        if slot.is_none() {
            let opened = connect::reader(&self.path, self.wait);
            *slot = Some(opened.map_err(StoreError::unavailable)?);
        }
        let Some(db) = &mut *slot else {
            return Err(closed());
        };
        let shared = Arc::clone(self);
        let is_over =
            move || is_gone.load(Ordering::Relaxed) || shared.is_closed.load(Ordering::Relaxed);
        db.progress_handler(STEPS, Some(is_over))
            .map_err(StoreError::unavailable)?;
        let result = read(db);
        db.progress_handler(0, None::<fn() -> bool>)
            .map_err(StoreError::unavailable)?;
        result
    }

    /// Locks a free slot, or waits for the first one.
    fn slot(&self) -> MutexGuard<'_, Option<Connection>> {
        let free = self.slots.iter().find_map(|slot| match slot.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        free.unwrap_or_else(|| self.slots[0].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A permit for one of the [`MOST`] threads.
struct Place(Arc<Shared>);

impl Place {
    fn take(shared: &Arc<Shared>) -> Result<Self, StoreError> {
        let place = Self(Arc::clone(shared));
        if shared.threads.fetch_add(1, Ordering::Relaxed) < MOST {
            return Ok(place);
        }
        Err(StoreError::unavailable("too many lists are being read"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.threads.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Signals the read when its future is dropped.
#[derive(Default)]
struct Caller {
    is_gone: Arc<AtomicBool>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.is_gone.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
        time::Instant,
    };

    use carafe_test_fixtures::Dir;
    use futures_executor::block_on;

    use super::*;
    use crate::{SqliteOptions, SqliteStore, error::of_statement};

    const FILE: &str = "sessions.db";

    /// Runs until it is interrupted.
    fn endless(db: &Connection) -> Result<i64, StoreError> {
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        db.query_row(sql, [], |row| row.get(0))
            .map_err(of_statement)
    }

    fn one(db: &Connection) -> Result<i64, StoreError> {
        db.query_row("SELECT 1", [], |row| row.get(0))
            .map_err(of_statement)
    }

    fn store() -> (Dir, SqliteStore) {
        let dir = Dir::new("long-reads");
        let options = SqliteOptions::default().migrate(true);
        let store = SqliteStore::open(dir.join(FILE), options).unwrap();
        (dir, store)
    }

    fn threads(store: &SqliteStore) -> usize {
        let long_reads = store.long_reads.as_ref().unwrap();
        long_reads.shared.threads.load(Ordering::Relaxed)
    }

    fn until(is_so: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        while !is_so() {
            assert!(Instant::now() < end, "it does not come");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_long_read_blocks_no_task_and_ends_with_its_future() {
        let (_dir, store) = store();
        {
            let mut reads: Vec<_> = (0..3).map(|_| Box::pin(store.read_long(endless))).collect();
            for read in &mut reads {
                let poll = read.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(matches!(poll, Poll::Pending));
            }
            // Single-row reads and writes are not blocked.
            assert_eq!(block_on(store.read(one)).unwrap(), 1);
            assert_eq!(block_on(store.write(one)).unwrap(), 1);
            assert_eq!(threads(&store), 3);
        }
        until(|| threads(&store) == 0);
        // The connections are still usable.
        for _ in 0..3 {
            assert_eq!(block_on(store.read_long(one)).unwrap(), 1);
        }
    }

    #[test]
    fn closing_interrupts_long_reads() {
        let (dir, store) = store();
        let mut read = pin!(store.read_long(endless));
        let poll = read.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(poll, Poll::Pending));
        store.close();
        assert!(matches!(block_on(read), Err(StoreError::Unavailable(_))));
        let later = block_on(store.read_long(endless));
        assert!(matches!(later, Err(StoreError::Unavailable(_))));
        let log = dir.join(format!("{FILE}-wal"));
        assert!(!log.exists(), "the log is tidied up");
    }

    #[test]
    fn the_number_of_threads_is_bounded() {
        let (_dir, store) = store();
        let mut reads: Vec<_> = (0..=MOST)
            .map(|_| Box::pin(store.read_long(endless)))
            .collect();
        let mut refused = 0;
        for read in &mut reads {
            let poll = read.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            refused += usize::from(poll.is_ready());
        }
        assert_eq!(refused, 1);
        drop(reads);
        until(|| threads(&store) == 0);
    }
}
