//! Who may try again next: changes of one session that met take turns within this process.
//!
//! Without it, of a thousand changes in flight one would get through each round, and the rest would
//! come again: half a million calls. With it, each comes twice and looks once. A change that meets nobody takes no
//! turn, and correctness does not depend on it: other processes do not see it.

use carafe_core::store::StoreKey;
use tokio::sync::{Mutex, MutexGuard};

/// Sessions share turns; two that do wait for each other without need, for a round trip.
const TURNS: usize = 64;

pub(crate) struct Turns(
    /// Of tokio's, because they are held over round trips, first come first served. Nobody takes two.
    [Mutex<()>; TURNS],
);

/// A turn, until it is dropped.
pub(crate) struct Turn<'a> {
    _guard: MutexGuard<'a, ()>,
    /// Whether others had theirs meanwhile.
    pub(crate) waited: bool,
}

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Turns {
    pub(crate) async fn take(&self, key: &StoreKey) -> Turn<'_> {
        let turn = &self.0[usize::from(key.as_bytes()[0]) % TURNS];
        let (guard, waited) = match turn.try_lock() {
            Ok(guard) => (guard, false),
            Err(_) => (turn.lock().await, true),
        };
        Turn {
            _guard: guard,
            waited,
        }
    }
}
