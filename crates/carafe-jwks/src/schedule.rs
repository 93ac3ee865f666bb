//! Decides when a set is fetched, as a pure function of times.

use std::time::{Duration, Instant};

/// The bounds of `max-age`.
const FRESH: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3_600));
/// Freshness lifetime of a response without `max-age`.
const DEFAULT_FRESH: Duration = Duration::from_secs(300);
/// Maximum age of a set that is used while the issuer fails.
const STALE: Duration = Duration::from_secs(86_400);
/// Minimum time between two requests for unknown key IDs.
const UNKNOWN: Duration = Duration::from_secs(30);
/// The first and the longest pause after failures.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// The times that determine the next request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Schedule {
    /// When the set was fetched, and how long it is fresh.
    fetched: Option<(Instant, Duration)>,
    /// When the last request failed, and the number of failures since a success.
    failed: Option<(Instant, u32)>,
}

/// The next step for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Use the set.
    Use,
    /// Fetch the set; use the old one if that fails and it is not too old.
    Fetch,
    /// Fail: no set is usable, and no request is due.
    Fail,
}

impl Schedule {
    /// Returns the next step for a token; `has` tells whether the current set contains its key.
    pub(crate) fn step(&self, has: bool, now: Instant) -> Step {
        let is_due = self
            .failed
            .is_none_or(|(at, failures)| now >= at + pause(failures));
        let Some((fetched, fresh)) = self.fetched else {
            return if is_due { Step::Fetch } else { Step::Fail };
        };
        let age = now.saturating_duration_since(fetched);
        let is_wanted = age >= fresh || (!has && age >= UNKNOWN);
        match is_wanted && is_due {
            true => Step::Fetch,
            false if age < fresh.max(STALE) => Step::Use,
            false => Step::Fail,
        }
    }

    /// Returns whether the set may be used although it could not be fetched again.
    pub(crate) fn is_usable(&self, now: Instant) -> bool {
        self.fetched
            .is_some_and(|(fetched, _)| now.saturating_duration_since(fetched) < STALE)
    }

    pub(crate) fn succeeded(&mut self, cache_control: Option<&str>, now: Instant) {
        *self = Self {
            fetched: Some((now, fresh_for(cache_control))),
            failed: None,
        };
    }

    pub(crate) fn failed(&mut self, now: Instant) {
        let failures = self.failed.map_or(0, |(_, failures)| failures);
        self.failed = Some((now, failures.saturating_add(1)));
    }
}

/// Returns the pause after this number of failures.
fn pause(failures: u32) -> Duration {
    let doubled = 1_u32
        .checked_shl(failures.saturating_sub(1))
        .unwrap_or(u32::MAX);
    PAUSE.0.saturating_mul(doubled).min(PAUSE.1)
}

/// Returns how long a response is fresh according to its `Cache-Control`.
fn fresh_for(cache_control: Option<&str>) -> Duration {
    let directives = cache_control.unwrap_or_default().split(',');
    let mut ages = directives.filter_map(|directive| {
        let (name, value) = directive.trim().split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then_some(())?;
        value.trim_matches('"').parse().ok()
    });
    let age = ages.next().map_or(DEFAULT_FRESH, Duration::from_secs);
    age.clamp(FRESH.0, FRESH.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_fresh_set_is_used_and_an_unknown_key_is_asked_for_every_30_seconds() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        assert_eq!(schedule.step(false, start), Step::Fetch);
        schedule.succeeded(Some("public, max-age=600"), start);
        for (age, has, step) in [
            (0, true, Step::Use),
            (599, true, Step::Use),
            (600, true, Step::Fetch),
            (29, false, Step::Use),
            (30, false, Step::Fetch),
        ] {
            assert_eq!(
                schedule.step(has, start + seconds(age)),
                step,
                "{age} {has}"
            );
        }
    }

    #[test]
    fn failures_are_spaced_out_and_an_old_set_serves_for_a_day() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        schedule.failed(start);
        assert_eq!(schedule.step(false, start), Step::Fail);
        assert_eq!(schedule.step(false, start + seconds(1)), Step::Fetch);
        let pauses: Vec<_> = [1, 2, 3, 9, 10, 40, u32::MAX]
            .map(pause)
            .map(|pause| pause.as_secs())
            .into();
        assert_eq!(pauses, [1, 2, 4, 256, 300, 300, 300]);

        schedule.succeeded(None, start);
        let old = start + seconds(300);
        assert_eq!(schedule.step(true, old), Step::Fetch);
        schedule.failed(old);
        assert_eq!(schedule.step(true, old), Step::Use);
        assert_eq!(schedule.step(true, old + seconds(1)), Step::Fetch);
        assert!(schedule.is_usable(start + seconds(86_399)));
        let too_old = start + seconds(86_400);
        schedule.failed(too_old);
        assert!(!schedule.is_usable(too_old));
        assert_eq!(schedule.step(true, too_old), Step::Fail);
    }

    #[test]
    fn the_age_of_a_response_is_bounded() {
        for (value, age) in [
            (None, 300),
            (Some("no-store"), 300),
            (Some("max-age=0"), 60),
            (Some("public, Max-Age=\"120\", must-revalidate"), 120),
            (Some("s-maxage=7, max-age=99999999999"), 3_600),
            (Some("max-age=x"), 300),
        ] {
            assert_eq!(fresh_for(value), seconds(age), "{value:?}");
        }
    }
}
