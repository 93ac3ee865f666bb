//! Serializes retries of conflicting changes of one session within this process.
//!
//! Without these locks, one of a thousand concurrent changes would succeed per round, and the
//! others would retry: half a million calls. With them each change is sent twice and reads once. A
//! change without a conflict takes no lock, and correctness does not depend on the locks: other
//! processes do not see them.

use carafe_core::store::StoreKey;
use tokio::sync::{Mutex, MutexGuard};

/// Sessions share locks. Two sessions with the same lock may wait for each other for a round trip.
const LOCKS: usize = 64;

pub(crate) struct KeyLocks(
    /// Tokio's locks, because they are held over round trips and are fair. No caller holds two.
    [Mutex<()>; LOCKS],
);

/// Releases the lock when dropped.
pub(crate) struct KeyLockGuard<'a> {
    _guard: MutexGuard<'a, ()>,
    /// Whether another change held the lock before.
    pub(crate) waited: bool,
}

impl Default for KeyLocks {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl KeyLocks {
    pub(crate) async fn lock(&self, key: &StoreKey) -> KeyLockGuard<'_> {
        let lock = &self.0[usize::from(key.as_bytes()[0]) % LOCKS];
        let (guard, waited) = match lock.try_lock() {
            Ok(guard) => (guard, false),
            Err(_) => (lock.lock().await, true),
        };
        KeyLockGuard {
            _guard: guard,
            waited,
        }
    }
}
