//! Who may try again next: updates of one session that met take turns within this process.
//!
//! Without it, of a thousand updates in flight one would get through each round, and the rest would
//! come again: half a million calls. With it, each comes twice. An update that meets nobody takes no
//! turn, and correctness does not depend on it: other processes do not see it.

use carafe_core::store::StoreKey;
use tokio::sync::Mutex;

/// Sessions share turns; two that do wait for each other without need, for a round trip.
const TURNS: usize = 64;

pub(crate) struct Turns(
    /// Of tokio's, because they are held over round trips, first come first served. Nobody takes two.
    [Mutex<()>; TURNS],
);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Turns {
    pub(crate) fn of(&self, key: &StoreKey) -> &Mutex<()> {
        &self.0[usize::from(key.as_bytes()[0]) % TURNS]
    }
}
