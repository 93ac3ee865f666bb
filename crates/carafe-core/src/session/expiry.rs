//! Session expiry: the idle timeout, the absolute timeout and timed renewals, as pure functions.

use std::time::Duration;

use crate::clock::Timestamp;

/// The time limits of server-side sessions, all in whole seconds.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::session::Timeouts;
///
/// // Only what differs from the default of no absolute limit and no timed renewal.
/// let timeouts = Timeouts { idle: Some(Duration::from_secs(900)), ..Timeouts::default() };
/// assert_eq!((timeouts.absolute, timeouts.renewal), (None, None));
/// assert_eq!(timeouts.grace, Duration::from_secs(30));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// The time from the last use until expiry. `None` means the configured lifetime of sessions.
    pub idle: Option<Duration>,
    /// The time from creation until expiry, regardless of use.
    pub absolute: Option<Duration>,
    /// The age after which a session's ID is renewed at its next use (OWASP: renewal timeout).
    ///
    /// Only for sessions with a user, and only in layouts that can keep the old ID, which excludes
    /// Flask-Session's.
    pub renewal: Option<Duration>,
    /// The period for which the old ID is accepted after the first request with the new ID, in a
    /// timed renewal.
    ///
    /// Until that request, the old ID is accepted, too. After a log-in or
    /// [`Session::renew`](super::Session::renew), the old ID is never accepted.
    pub grace: Duration,
}

impl Timeouts {
    /// Returns the limits for OWASP ASVS 5.0, level 2: 30 minutes idle, 12 hours in total.
    ///
    /// ASVS requires inactivity and absolute limits from a risk analysis (7.3.1, 7.3.2). These are
    /// the OWASP Session Management Cheat Sheet's values for low-risk applications. The ID is
    /// renewed every 15 minutes.
    ///
    /// ```
    /// use std::time::Duration;
    /// use carafe_core::session::Timeouts;
    ///
    /// assert_eq!(Timeouts::asvs_l2().idle, Some(Duration::from_secs(30 * 60)));
    /// assert_eq!(Timeouts::asvs_l2().absolute, Some(Duration::from_secs(12 * 3600)));
    /// ```
    #[must_use]
    pub const fn asvs_l2() -> Self {
        Self {
            idle: Some(minutes(30)),
            absolute: Some(minutes(12 * 60)),
            renewal: Some(minutes(15)),
            grace: Duration::from_secs(30),
        }
    }

    /// Returns the limits for NIST SP 800-63B-4, AAL2: at most 1 hour idle and 24 hours in total.
    ///
    /// ```
    /// use std::time::Duration;
    /// use carafe_core::session::Timeouts;
    ///
    /// assert_eq!(Timeouts::nist_aal2().idle, Some(Duration::from_secs(3600)));
    /// assert_eq!(Timeouts::nist_aal2().absolute, Some(Duration::from_secs(24 * 3600)));
    /// ```
    #[must_use]
    pub const fn nist_aal2() -> Self {
        Self {
            idle: Some(minutes(60)),
            absolute: Some(minutes(24 * 60)),
            renewal: None,
            grace: Duration::from_secs(30),
        }
    }

    /// Returns these limits for a session with its own lifetime.
    pub(super) fn bounded_by(self, own: Option<Duration>, configured: Duration) -> Self {
        let Some(own) = own else {
            return self;
        };
        let idle = self.idle.unwrap_or(configured).min(own);
        Self {
            idle: Some(idle),
            ..self
        }
    }

    /// Returns the expiry of a session that was created at `created` and is used at `now`.
    ///
    /// The session is expired from this second on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use carafe_core::{clock::Timestamp, session::Timeouts};
    ///
    /// let (at, lifetime) = (Timestamp::from_unix, Duration::from_secs(14 * 86_400));
    /// let timeouts = Timeouts::asvs_l2();
    /// assert_eq!(timeouts.expires(at(0), at(0), lifetime), at(30 * 60));
    /// // The absolute limit of 12 hours cuts the idle timeout off.
    /// let eleven_and_three_quarters = at(12 * 3_600 - 15 * 60);
    /// assert_eq!(timeouts.expires(at(0), eleven_and_three_quarters, lifetime), at(12 * 3_600));
    /// assert_eq!(Timeouts::default().expires(at(0), at(60), lifetime), at(60 + 14 * 86_400));
    /// ```
    #[must_use]
    pub fn expires(&self, created: Timestamp, now: Timestamp, lifetime: Duration) -> Timestamp {
        let idle = now.saturating_add(seconds(self.idle.unwrap_or(lifetime)));
        match self.absolute {
            Some(absolute) => idle.min(created.saturating_add(seconds(absolute))),
            None => idle,
        }
    }

    /// Returns whether a session with an ID issued at `renewed` is due for a new ID.
    ///
    /// A `renewed` more than `skew` in the future does not postpone the renewal.
    #[must_use]
    pub(crate) fn renewal_is_due(
        &self,
        renewed: Timestamp,
        now: Timestamp,
        skew: Duration,
    ) -> bool {
        let age = now.age_of(renewed, skew);
        self.renewal
            .is_some_and(|renewal| age.is_none_or(|age| age >= seconds(renewal)))
    }

    /// Returns whether a use should be recorded.
    ///
    /// A use is due once a twentieth of the idle timeout has passed since `last_seen`, or if
    /// `last_seen` is more than `skew` in the future.
    #[must_use]
    pub(crate) fn use_is_due(
        &self,
        last_seen: Timestamp,
        now: Timestamp,
        lifetime: Duration,
        skew: Duration,
    ) -> bool {
        let idle = seconds(self.idle.unwrap_or(lifetime));
        let age = now.age_of(last_seen, skew);
        age.is_none_or(|age| age.saturating_mul(20) >= idle)
    }

    /// Returns whether a session created at `created` is within the absolute limit.
    ///
    /// The limit may have been longer when the session was stored. If there is a limit, a session
    /// created more than `skew` in the future is rejected, like a signed cookie, because its age is
    /// unknown.
    #[must_use]
    pub(crate) fn is_within_absolute(
        &self,
        created: Timestamp,
        now: Timestamp,
        skew: Duration,
    ) -> bool {
        self.absolute.is_none_or(|absolute| {
            let age = now.age_of(created, skew);
            age.is_some_and(|age| age < seconds(absolute))
        })
    }
}

impl Default for Timeouts {
    /// Returns limits without an absolute timeout, with only the configured lifetime from the last
    /// use.
    fn default() -> Self {
        Self {
            idle: None,
            absolute: None,
            renewal: None,
            grace: Duration::from_secs(30),
        }
    }
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

pub(super) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_unix(1_700_000_000);
    const DAY: Duration = Duration::from_secs(86_400);
    const SKEW: Duration = Duration::from_secs(5);

    #[test]
    fn idle_counts_from_the_last_use_and_falls_back_to_the_lifetime() {
        let later = START.saturating_add(100);
        assert_eq!(
            Timeouts::default().expires(START, later, DAY),
            later.saturating_add(86_400)
        );
        assert_eq!(
            Timeouts::asvs_l2().expires(START, later, DAY),
            later.saturating_add(1800)
        );
    }

    #[test]
    fn renewal_and_uses_fall_due_to_the_second() {
        let limits = Timeouts::asvs_l2();
        let at = |seconds| START.saturating_add(seconds);
        assert!(!limits.renewal_is_due(START, at(899), SKEW));
        assert!(limits.renewal_is_due(START, at(900), SKEW));
        assert!(!Timeouts::default().renewal_is_due(START, at(i64::MAX), SKEW));
        assert!(!limits.use_is_due(START, at(89), DAY, SKEW));
        assert!(limits.use_is_due(START, at(90), DAY, SKEW));
    }

    #[test]
    fn times_from_the_future_are_trusted_within_the_skew_only() {
        let limits = Timeouts::asvs_l2();
        for (ahead, trusted) in [
            (0, true),
            (5, true),
            (6, false),
            (3600, false),
            (i64::MAX, false),
        ] {
            let then = START.saturating_add(ahead);
            assert_eq!(
                !limits.renewal_is_due(then, START, SKEW),
                trusted,
                "{ahead}"
            );
            assert_eq!(
                !limits.use_is_due(then, START, DAY, SKEW),
                trusted,
                "{ahead}"
            );
            assert_eq!(
                limits.is_within_absolute(then, START, SKEW),
                trusted,
                "{ahead}"
            );
            assert!(Timeouts::default().is_within_absolute(then, START, SKEW));
            assert!(!Timeouts::default().renewal_is_due(then, START, SKEW));
        }
    }

    proptest! {
        /// LIF-2: no sequence of uses extends a session beyond its absolute limit.
        #[test]
        fn use_never_prolongs_beyond_the_absolute_limit(uses in prop::collection::vec(0..100_000_i64, 1..50)) {
            let limits = Timeouts::nist_aal2();
            for at in uses {
                let expires = limits.expires(START, START.saturating_add(at), DAY);
                prop_assert!(expires.seconds_since(START) <= 24 * 3600);
            }
        }
    }
}
