//! Retries of operations on a store.

use std::{future::Future, time::Duration};

use carafe_core::store::StoreError;

/// Pause before each retry. A server takes seconds to restart.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];

/// Retries `operation` a few times. The operation must be idempotent.
///
/// # Errors
/// The last error.
pub async fn again<T, F>(operation: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut result = operation().await;
    for pause in PAUSES {
        let Err(StoreError::Unavailable(_) | StoreError::Timeout(_) | StoreError::Conflict) =
            &result
        else {
            return result;
        };
        tokio::time::sleep(pause).await;
        result = operation().await;
    }
    result
}
