//! How long a store may take. There is no way to say "as long as it wants".

use std::{future::Future, time::Duration};

use carafe_core::store::StoreError;
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;

/// The longest that a store waits before it answers [`StoreError::Timeout`].
///
/// ```
/// use std::time::Duration;
/// let patient = carafe_sqlx::Deadlines { connect: Duration::from_secs(1), ..Default::default() };
/// assert_eq!(patient.read, Duration::from_millis(250));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// For a connection: a free one of the pool, or a new one.
    pub connect: Duration,
    /// For `load` and the list of a user's sessions, once there is a connection.
    pub read: Duration,
    /// For everything that changes something, once there is a connection.
    pub write: Duration,
}

impl Default for Deadlines {
    /// 250 ms to connect, 250 ms to read, 500 ms to write.
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(250),
            read: Duration::from_millis(250),
            write: Duration::from_millis(500),
        }
    }
}

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
