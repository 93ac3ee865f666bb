//! When a session ends: three clocks in one pure function.

use std::time::Duration;

use crate::clock::Timestamp;

/// The time limits of server-side sessions. All in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the last use to the end. `None`: the lifetime of the session configuration.
    pub idle: Option<Duration>,
    /// From the beginning to the end, however much the session is used.
    pub absolute: Option<Duration>,
    /// After this time the session gets a new id at its next use (OWASP: renewal timeout).
    pub renewal: Option<Duration>,
    /// How long the old id still works after a renewal, for requests that are under way. Never after a log-in.
    pub grace: Duration,
}

impl Timeouts {
    /// OWASP ASVS 5.0, level 2 (7.3.1, 7.3.2: inactivity and absolute limits from a risk analysis; the
    /// OWASP Session Management Cheat Sheet's values for applications of low risk): 30 minutes idle, 12
    /// hours in all, a new id every 15 minutes.
    #[must_use]
    pub const fn asvs_l2() -> Self {
        Self {
            idle: Some(minutes(30)),
            absolute: Some(minutes(12 * 60)),
            renewal: Some(minutes(15)),
            grace: Duration::from_secs(30),
        }
    }

    /// NIST SP 800-63B-4, AAL2: at most 1 hour idle and 24 hours in all.
    #[must_use]
    pub const fn nist_aal2() -> Self {
        Self {
            idle: Some(minutes(60)),
            absolute: Some(minutes(24 * 60)),
            renewal: None,
            grace: Duration::from_secs(30),
        }
    }

    /// The first second in which a session that began at `created` and is used at `now` is over.
    #[must_use]
    pub fn expires(&self, created: Timestamp, now: Timestamp, lifetime: Duration) -> Timestamp {
        let idle = now.saturating_add(seconds(self.idle.unwrap_or(lifetime)));
        match self.absolute {
            Some(absolute) => idle.min(created.saturating_add(seconds(absolute))),
            None => idle,
        }
    }

    /// Whether a session that got its id at `renewed` is due for a new one.
    #[must_use]
    pub fn renewal_is_due(&self, renewed: Timestamp, now: Timestamp) -> bool {
        self.renewal
            .is_some_and(|renewal| now.seconds_since(renewed) >= seconds(renewal))
    }

    /// Whether a use is worth noting: a twentieth of the idle time has passed since the last one noted.
    #[must_use]
    pub fn use_is_due(&self, last_seen: Timestamp, now: Timestamp, lifetime: Duration) -> bool {
        let idle = seconds(self.idle.unwrap_or(lifetime));
        now.seconds_since(last_seen).saturating_mul(20) >= idle
    }
}

impl Default for Timeouts {
    /// The configuration's lifetime from the last use, no other limit.
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

    #[test]
    fn lif_1_idle_counts_from_the_last_use_and_falls_back_to_the_lifetime() {
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
        assert!(!limits.renewal_is_due(START, START.saturating_add(899)));
        assert!(limits.renewal_is_due(START, START.saturating_add(900)));
        assert!(!Timeouts::default().renewal_is_due(START, START.saturating_add(i64::MAX)));
        assert!(!limits.use_is_due(START, START.saturating_add(89), DAY));
        assert!(limits.use_is_due(START, START.saturating_add(90), DAY));
    }

    proptest! {
        /// LIF-2: no sequence of uses lives past the beginning plus the absolute limit.
        #[test]
        fn lif_2_use_never_prolongs_beyond_the_absolute_limit(uses in prop::collection::vec(0..100_000_i64, 1..50)) {
            let limits = Timeouts::nist_aal2();
            for at in uses {
                let expires = limits.expires(START, START.saturating_add(at), DAY);
                prop_assert!(expires.seconds_since(START) <= 24 * 3600);
            }
        }
    }
}
