//! Deadlines of operations. An operation always has one.

use std::{future::Future, time::Duration};

use carafe_core::store::StoreError;
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;

/// Returns the result of `work`, or [`StoreError::Timeout`] after `budget`.
pub(crate) async fn within<T>(
    budget: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    // Clamped, so that a caller's `Duration::MAX` does not overflow the clock.
    let day = Duration::from_secs(86_400);
    let end = Instant::now() + budget.min(day);
    match timeout_at(end, work).await {
        Ok(result) => result,
        Err(_) => Err(StoreError::Timeout(budget).into()),
    }
}
