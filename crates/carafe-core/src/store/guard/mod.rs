//! What keeps a store's trouble from becoming everybody's: state machines without a clock, a timer or a
//! task. `carafe::Guarded` puts them around a store and gives them the time.
//!
//! | file | holds |
//! |---|---|
//! | `circuit` | [`Circuit`]: after many failures, no calls for a while |
//! | `window` | how many calls of the last seconds went well |
//! | `bulkhead` | [`Bulkhead`]: no more than so many calls at once |
//! | `log_out` | [`LogOut`]: an order to end sessions, and which it means |
//! | `tombstones` | [`Tombstones`]: log-outs that the store could not be told |
//! | [`journal`] | log-outs as lines of a file |
//! | `recent` | [`Recent`]: what was read a moment ago, for while the store fails |
//! | `backoff` | [`Backoff`]: how long to wait after the n-th failure in a row |
//!
//! Only trouble of the store itself counts as a failure: [`is_failure`]. Nothing here calls a store.

mod backoff;
mod bulkhead;
mod circuit;
pub mod journal;
mod log_out;
mod recent;
mod tombstones;
mod window;

pub use backoff::{Backoff, jitter};
pub use bulkhead::Bulkhead;
pub use circuit::{Circuit, CircuitRules, Report, Ticket};
pub use log_out::{LogOut, Standing, Whose};
pub use recent::{Asked, Recent, StaleRules};
pub use tombstones::{Step, TombstoneRules, Tombstones};

use super::StoreError;

/// Whether an error says that the store is in trouble. A record that cannot be read, a race that was lost
/// and a full disk are answers: whoever asks next may get a better one.
///
/// ```
/// use carafe_core::store::{StoreError, guard::is_failure};
///
/// assert!(is_failure(&StoreError::unavailable("connection refused")));
/// assert!(!is_failure(&StoreError::Conflict));
/// ```
#[must_use]
pub const fn is_failure(error: &StoreError) -> bool {
    match error {
        StoreError::Unavailable(_) | StoreError::Timeout(_) => true,
        StoreError::Corrupt(_)
        | StoreError::Unstorable(_)
        | StoreError::Conflict
        | StoreError::Unsupported
        | StoreError::Full
        | StoreError::TooLarge { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_truth_table_of_failures() {
        for (error, counts) in [
            (StoreError::unavailable("away"), true),
            (StoreError::Timeout(Duration::from_secs(1)), true),
            (StoreError::corrupt("rubbish"), false),
            (StoreError::Conflict, false),
            (StoreError::Unsupported, false),
            (StoreError::Full, false),
            (StoreError::TooLarge { size: 2, limit: 1 }, false),
        ] {
            assert_eq!(is_failure(&error), counts, "{error}");
        }
    }
}
