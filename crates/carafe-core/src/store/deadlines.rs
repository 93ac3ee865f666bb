//! Deadlines for a store on a network.

use std::time::Duration;

/// The time after which a store fails with [`StoreError::Timeout`](super::StoreError::Timeout).
///
/// An unlimited wait cannot be configured: a request that waits for its store blocks its client.
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
    /// Deadline for a connection: an idle one of a pool, or a new one. 250 ms by default.
    pub connect: Duration,
    /// Deadline for reads, once a connection is established. 250 ms by default.
    pub read: Duration,
    /// Deadline for writes, including retries. 500 ms by default.
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
