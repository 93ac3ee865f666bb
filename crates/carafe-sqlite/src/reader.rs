//! Single-row reads on the caller's thread, over a small pool of connections.
//!
//! Reading inline is right although SQLite blocks: reading a row from the page cache takes about 3
//! µs, and handing the read to another thread takes 10 to 12 µs. A read never waits for the writer,
//! because the log keeps the old state. It waits for the disk, for one page, only if the file is
//! larger than memory. A connection is never held across an await, so a caller that finds all
//! connections busy waits for one such read.

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

use crate::{OpenError, connect, error::closed};

/// A pool of read-only connections.
pub(crate) struct Readers {
    // Synchronous mutexes, each held for one read and never across an await. `None` once the store
    // is closed. A connection survives a panic, because dropping a statement resets it.
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

    /// Closes the connections; later reads fail.
    pub(crate) fn close(&self) {
        for slot in &self.slots {
            drop(slot.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }

    /// Locks this thread's preferred slot, or else any free slot.
    ///
    /// If no slot is free, waits for the preferred one.
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

/// Returns the preferred slot of this thread; threads with different slots do not contend.
fn home() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static HOME: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    HOME.with(|&home| home)
}
