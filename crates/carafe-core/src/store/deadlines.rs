//! How long a store over a network may take.

use std::time::Duration;

/// The longest that a store waits before it answers [`StoreError::Timeout`](super::StoreError::Timeout).
/// There is no way to say "as long as it wants": a request that waits for its store holds its client.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::store::Deadlines;
///
/// let patient = Deadlines { connect: Duration::from_secs(1), ..Deadlines::default() };
/// assert_eq!(patient.read, Duration::from_millis(250));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// For a connection: a free one of a pool, or a new one. 250 ms unless set.
    pub connect: Duration,
    /// For everything that changes nothing, once there is a connection. 250 ms unless set.
    pub read: Duration,
    /// For everything that changes something, retries included. 500 ms unless set.
    pub write: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(250),
            read: Duration::from_millis(250),
            write: Duration::from_millis(500),
        }
    }
}
