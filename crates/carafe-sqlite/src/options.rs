//! How a store is opened. Every value has a default that fits a service; none of them means "no limit".
//! Next: `store`, which takes them.

use std::{num::NonZero, thread, time::Duration};

/// The settings of a [`SqliteStore`](crate::SqliteStore).
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

/// What a write has reached when its future gives its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The disk: `synchronous=FULL`.
    #[default]
    Full,
    /// The operating system: `synchronous=NORMAL`. A power cut may take the newest writes back, log-outs
    /// among them; a crash of the process takes none.
    Normal,
}

impl SqliteOptions {
    /// What a write has reached when it is answered. Default [`Durability::Full`].
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How many reads run at once, each on a connection of its own. Default: one per core, at most 16.
    #[must_use]
    pub fn readers(mut self, connections: usize) -> Self {
        self.readers = connections.max(1);
        self
    }

    /// How long a write may wait for its turn. Default 1 s, at most an hour.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        // The bound keeps `Instant + Duration` in its range.
        self.deadline = deadline.min(Duration::from_secs(3600));
        self
    }

    /// How many writes may wait; one more gets `StoreError::Unavailable` at once. Default 10,000.
    #[must_use]
    pub fn queue(mut self, writes: usize) -> Self {
        self.queue = writes.max(1);
        self
    }

    /// Whether opening also creates the file and its tables, or brings older ones up to date, as
    /// [`SqliteStore::migrate`](crate::SqliteStore::migrate) does. Default `false`.
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
