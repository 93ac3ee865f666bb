//! Reads: on the caller's own thread, on one of a few connections.
//!
//! Inline is right although SQLite blocks: a read of a row that the page cache holds takes about 3 µs, and
//! handing it to another thread takes 10 to 12. It waits for no writer (the log keeps the old state for
//! it), only for the disk when the file is larger than memory, and then for one page. Nothing is awaited
//! while a connection is held, so whoever finds all of them taken waits for one such read.

use std::{
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use carafe_core::store::StoreError;
use rusqlite::Connection;

use crate::{OpenError, connect, writer::closed};

/// Connections that only read.
pub(crate) struct Readers {
    // A plain mutex each, held for one read and never across an await. `None` once the store is closed. A
    // panic leaves the connection whole: a statement is reset when it is dropped.
    slots: Box<[Mutex<Option<Connection>>]>,
}

impl Readers {
    pub(crate) fn open(path: &Path, count: usize, wait: Duration) -> Result<Self, OpenError> {
        let slots: Result<_, OpenError> = (0..count)
            .map(|_| Ok(Mutex::new(Some(connect::reader(path, wait)?))))
            .collect();
        Ok(Self { slots: slots? })
    }

    /// Runs `read` on a free connection.
    pub(crate) fn run<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match &*self.slot() {
            Some(db) => read(db),
            None => Err(closed()),
        }
    }

    /// Ends all reads to come.
    pub(crate) fn close(&self) {
        for slot in &self.slots {
            drop(slot.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }

    /// The slot of this thread if it is free, or else any that is, or else the first one after waiting.
    fn slot(&self) -> MutexGuard<'_, Option<Connection>> {
        let home = home() % self.slots.len();
        let (before, after) = self.slots.split_at(home);
        let free = after
            .iter()
            .chain(before)
            .find_map(|slot| match slot.try_lock() {
                Ok(guard) => Some(guard),
                Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            });
        free.unwrap_or_else(|| {
            self.slots[home]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        })
    }
}

/// A number of this thread: threads that keep to connections of their own do not contend.
fn home() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static HOME: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    HOME.with(|&home| home)
}
