//! Operations that are tried again.

use std::{future::Future, time::Duration};

use carafe_core::store::StoreError;

/// Before each further try. A server that restarts takes seconds.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];

/// Repeats `verb`, which may be done twice, a few times until it works.
///
/// # Errors
/// The last error.
pub async fn again<T, F>(verb: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut result = verb().await;
    for pause in PAUSES {
        let Err(StoreError::Unavailable(_) | StoreError::Timeout(_) | StoreError::Conflict) =
            &result
        else {
            return result;
        };
        tokio::time::sleep(pause).await;
        result = verb().await;
    }
    result
}
