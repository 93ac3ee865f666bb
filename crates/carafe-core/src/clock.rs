//! Time as a value: every function that depends on the time takes a [`Timestamp`], none reads a clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whole seconds since the Unix epoch, in UTC. Negative before 1970.
///
/// Sessions are dated to the second, as Flask's are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The second that began `seconds` after 1970-01-01 00:00:00 UTC.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// assert_eq!(Timestamp::from_unix(1_700_000_000).unix(), 1_700_000_000);
    /// ```
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// What the system clock says. The only place in the crate that asks it; adapters call this once a request.
    #[must_use]
    pub fn now() -> Self {
        let seconds = |since: Duration| i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Self(seconds(since)),
            Err(before) => Self(-seconds(before.duration())),
        }
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This time moved by whole seconds; stops at the ends of the range instead of wrapping.
    #[must_use]
    pub const fn saturating_add(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Whole seconds from `earlier` to `self`; negative if `earlier` is later.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}
