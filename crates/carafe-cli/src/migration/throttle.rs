//! Limits the rate of a migration.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

/// A limit in sessions per second, averaged from the start.
pub(super) struct Throttle {
    began: Instant,
    rate: Option<NonZeroU32>,
    taken: u64,
}

impl Throttle {
    pub(super) fn new(rate: Option<NonZeroU32>) -> Self {
        Self {
            began: Instant::now(),
            rate,
            taken: 0,
        }
    }

    /// Returns the size of the next batch: at most the sessions of one second.
    pub(super) fn limit(&self, batch: usize) -> usize {
        let rate = self.rate.and_then(|rate| usize::try_from(rate.get()).ok());
        rate.map_or(batch, |rate| rate.min(batch))
    }

    /// Counts `taken` more sessions. Returns the pause until they are within the rate.
    pub(super) fn rest(&mut self, taken: usize) -> Duration {
        self.taken += taken as u64;
        due(self.rate, self.taken).saturating_sub(self.began.elapsed())
    }
}

/// Returns the time from the start after which `taken` sessions are within the rate.
fn due(rate: Option<NonZeroU32>, taken: u64) -> Duration {
    let Some(rate) = rate else {
        return Duration::ZERO;
    };
    let rate = u64::from(rate.get());
    Duration::from_secs(taken / rate) + Duration::from_millis(taken % rate * 1000 / rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_says_when_and_how_many() {
        let rate = NonZeroU32::new(200);
        assert_eq!(due(rate, 500), Duration::from_millis(2_500));
        assert_eq!(due(None, 500), Duration::ZERO);
        assert_eq!(Throttle::new(rate).limit(1000), 200);
        assert_eq!(Throttle::new(rate).limit(50), 50);
        assert_eq!(Throttle::new(None).limit(1000), 1000);
    }
}
