//! Classifies the errors of a store that count as its failures.

use carafe_core::{error::Fault, store::StoreError};

/// Returns whether an error counts for the circuit: every [`Fault::Store`] except
/// [`StoreError::Full`], because a full store still loads and deletes, and an open circuit would
/// prevent both.
pub(super) const fn is_failure(error: &StoreError) -> bool {
    matches!(error.fault(), Fault::Store) && !matches!(error, StoreError::Full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_unavailable_and_timeout_are_failures() {
        for (error, counts) in [
            (StoreError::unavailable("connection refused"), true),
            (StoreError::Timeout(Duration::from_secs(1)), true),
            (StoreError::corrupt("not JSON"), false),
            (StoreError::unstorable("a NUL"), false),
            (StoreError::Conflict, false),
            (StoreError::Unsupported, false),
            (StoreError::Full, false),
            (StoreError::TooLarge { size: 2, limit: 1 }, false),
        ] {
            assert_eq!(is_failure(&error), counts, "{error}");
        }
    }
}
