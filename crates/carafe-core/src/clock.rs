//! Time as a value: functions that depend on the time take a [`Timestamp`] and read no clock.
//!
//! Every operation that depends on the time has an argument `now`, so a test can place it in any
//! second, and one request sees one time. Fractions of a second are truncated, because cookies,
//! signed timestamps and stored records all have whole seconds.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use carafe_core::clock::Timestamp;
//!
//! let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_999);
//! let at = Timestamp::from(at);
//! assert_eq!(at.unix(), 1_700_000_000);
//! assert_eq!(serde_json::to_string(&at)?, "1700000000");
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::{
    fmt,
    ops::{Add, Sub},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whole seconds since the Unix epoch, in UTC. Negative before 1970.
///
/// Sessions are dated to the second, as Flask's are. `Display` writes RFC 3339, serde the number of
/// seconds.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::clock::Timestamp;
///
/// let login = Timestamp::from_unix(1_700_000_000);
/// let later = login + Duration::from_secs(90);
/// assert_eq!(later.to_string(), "2023-11-14T22:14:50Z");
/// assert_eq!(later - login, Duration::from_secs(90));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Creates the time `seconds` after 1970-01-01 00:00:00 UTC.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// assert_eq!(Timestamp::from_unix(1_700_000_000).unix(), 1_700_000_000);
    /// ```
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Returns the time of the system clock.
    ///
    /// No other function in this crate reads the clock. Adapters call this function once per
    /// request.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    ///
    /// let before = Timestamp::now();
    /// assert!(Timestamp::now() >= before);
    /// assert!(before > Timestamp::from_unix(1_700_000_000), "the clock is set");
    /// ```
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Returns the seconds since the Unix epoch.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    ///
    /// let moon_landing = Timestamp::from_unix(-14_182_940);
    /// assert_eq!(moon_landing.to_string(), "1969-07-20T20:17:40Z");
    /// assert_eq!(moon_landing.unix(), -14_182_940);
    /// ```
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Returns this time plus whole seconds. Saturates at the bounds of the range.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    ///
    /// let end_of_time = Timestamp::from_unix(i64::MAX);
    /// assert_eq!(end_of_time.saturating_add(1), end_of_time);
    /// assert_eq!(Timestamp::from_unix(60).saturating_add(-90).unix(), -30);
    /// ```
    #[must_use]
    pub const fn saturating_add(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Returns the whole seconds from `earlier` to `self`. Negative if `earlier` is later.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_core::clock::Timestamp;
    ///
    /// let (login, now) = (Timestamp::from_unix(1_000), Timestamp::from_unix(1_030));
    /// assert_eq!(now.seconds_since(login), 30);
    /// assert_eq!(login.seconds_since(now), -30);
    /// assert_eq!(login - now, Duration::ZERO, "subtraction never returns a negative time");
    /// ```
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns the whole seconds from the stored time `then` to `self`.
    ///
    /// Returns `None` if `then` is later by more than `skew`, because the stored time then comes
    /// from a wrong clock and is meaningless.
    #[must_use]
    pub(crate) fn age_of(self, then: Self, skew: Duration) -> Option<i64> {
        let age = self.seconds_since(then);
        let skew = whole_seconds(skew);
        (age >= -skew).then_some(age.max(0))
    }
}

impl fmt::Display for Timestamp {
    /// Writes RFC 3339 in UTC, or the number of seconds outside of the years -9999 to 9999.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(time) => fmt::Display::fmt(&time, f),
            Err(_) => write!(f, "{} seconds since 1970", self.0),
        }
    }
}

impl From<SystemTime> for Timestamp {
    /// Truncates the fraction of a second.
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(whole_seconds(since)),
            Err(before) => Self(-whole_seconds(before.duration())),
        }
    }
}

impl From<Timestamp> for SystemTime {
    /// Returns the epoch for a time that the platform cannot represent.
    fn from(time: Timestamp) -> Self {
        let distance = Duration::from_secs(time.0.unsigned_abs());
        let time = if time.0 < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        time.unwrap_or(UNIX_EPOCH)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// Adds whole seconds. Saturates at the bounds of the range.
    fn add(self, duration: Duration) -> Self {
        self.saturating_add(whole_seconds(duration))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    /// Subtracts whole seconds. Saturates at the bounds of the range.
    fn sub(self, duration: Duration) -> Self {
        self.saturating_add(-whole_seconds(duration))
    }
}

impl Sub for Timestamp {
    type Output = Duration;

    /// Returns the time from `earlier` to `self`, or zero if `earlier` is later, as for `Instant`.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.seconds_since(earlier)).unwrap_or(0))
    }
}

impl Serialize for Timestamp {
    /// Writes the seconds since the Unix epoch.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    /// Reads the seconds since the Unix epoch.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}

/// Returns the seconds of a duration without the fraction, at most `i64::MAX`.
fn whole_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_displayed_as_rfc_3339_and_serialized_as_a_number() {
        for (unix, text) in [
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (i64::MAX, "9223372036854775807 seconds since 1970"),
        ] {
            let time = Timestamp::from_unix(unix);
            assert_eq!(time.to_string(), text);
            let json = serde_json::to_string(&time).unwrap();
            assert_eq!(json, unix.to_string());
            assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
        }
    }

    #[test]
    fn a_time_survives_the_conversion_to_system_time() {
        for unix in [0, 1_700_000_000, -1, -86_400] {
            let time = Timestamp::from_unix(unix);
            assert_eq!(Timestamp::from(SystemTime::from(time)), time);
        }
    }

    #[test]
    fn arithmetic_saturates_and_an_earlier_time_is_at_a_distance_of_zero() {
        let (first, last) = (Timestamp(i64::MIN), Timestamp(i64::MAX));
        let second = Duration::from_secs(1);
        assert_eq!(last + second, last);
        assert_eq!(first - second, first);
        assert_eq!(first + Duration::MAX, Timestamp(-1));
        assert_eq!(Timestamp(7) - Timestamp(5), 2 * second);
        assert_eq!(Timestamp(5) - Timestamp(7), Duration::ZERO);
        assert_eq!(last - first, Duration::from_secs(i64::MAX as u64));
    }
}
