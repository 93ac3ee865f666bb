//! How long a store may take. There is no way to say "as long as it wants".

use std::{future::Future, time::Duration};

use carafe_core::store::StoreError;
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;

/// What `work` gives, or [`StoreError::Timeout`] after `budget`.
pub(crate) async fn within<T>(
    budget: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    // Far in the future where the clock cannot say it: a caller's `Duration::MAX` must not panic.
    let day = Duration::from_secs(86_400);
    let end = Instant::now() + budget.min(day);
    match timeout_at(end, work).await {
        Ok(result) => result,
        Err(_) => Err(StoreError::Timeout(budget).into()),
    }
}
