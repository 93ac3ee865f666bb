//! Options of a store. Every option has a default; none of the values means "no limit".

use std::{num::NonZero, thread, time::Duration};

/// The options of a [`SqliteStore`](crate::SqliteStore).
///
/// ```
/// use carafe_sqlite::{Durability, SqliteOptions};
/// use std::time::Duration;
///
/// let options = SqliteOptions::default()
///     .durability(Durability::Normal)
///     .deadline(Duration::from_millis(500))
///     .readers(8);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SqliteOptions {
    pub(crate) durability: Durability,
    pub(crate) readers: usize,
    pub(crate) deadline: Duration,
    pub(crate) queue: usize,
    pub(crate) migrate: bool,
}

/// The durability of a write when its future completes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Written to the disk: `synchronous=FULL`.
    #[default]
    Full,
    /// Written to the operating system: `synchronous=NORMAL`.
    ///
    /// A power failure may lose the newest writes, including log-outs; a crash of the process loses
    /// none.
    Normal,
}

impl SqliteOptions {
    /// Sets the durability of writes. Default: [`Durability::Full`].
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets the number of read connections. Default: one per core, at most 16.
    #[must_use]
    pub fn readers(mut self, connections: usize) -> Self {
        self.readers = connections.max(1);
        self
    }

    /// Sets the maximum time a write waits to be started. Default: 1 s; at most one hour.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        // The bound prevents an overflow of `Instant + Duration`.
        self.deadline = deadline.min(Duration::from_secs(3600));
        self
    }

    /// Sets the maximum number of queued writes. Default: 10,000.
    ///
    /// A write beyond this number fails immediately with `StoreError::Unavailable`.
    #[must_use]
    pub fn queue(mut self, writes: usize) -> Self {
        self.queue = writes.max(1);
        self
    }

    /// Sets whether opening also creates the file and creates or upgrades its tables.
    ///
    /// Default: `false`. See [`SqliteStore::migrate`](crate::SqliteStore::migrate).
    #[must_use]
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            durability: Durability::Full,
            readers: cores.min(16),
            deadline: Duration::from_secs(1),
            queue: 10_000,
            migrate: false,
        }
    }
}
