//! Delays between retries: exponential, bounded and with jitter, so that nodes that failed together
//! do not retry together.

use std::time::Duration;

/// The delays after consecutive failures, which double up to a maximum.
///
/// ```
/// use std::time::Duration;
/// use carafe_tokio::{Backoff, CircuitRules, GuardOptions};
///
/// // For a store that several hundred nodes share.
/// let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
/// let rules = CircuitRules::default().with_backoff(backoff);
/// let options = GuardOptions::default().with_circuit(rules);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
}

impl Backoff {
    /// Returns a backoff that begins with `initial`. No delay exceeds `max`, jitter included.
    #[must_use]
    pub const fn new(initial: Duration, max: Duration) -> Self {
        Self { initial, max }
    }

    /// Returns the delay after `failures` consecutive failures. `jitter` lengthens the delay by up
    /// to a quarter: 0 adds nothing, `u32::MAX` adds the whole quarter.
    pub(crate) fn delay(self, failures: u32, jitter: u32) -> Duration {
        // 0.8 × 1.25 = 1: the jitter of the longest delay still fits below `max`.
        let limit = self.max.mul_f64(0.8);
        let doublings = failures.saturating_sub(1).min(31);
        let delay = self.initial.saturating_mul(1 << doublings).min(limit);
        let share = f64::from(jitter) / f64::from(u32::MAX);
        (delay + delay.mul_f64(share / 4.0)).min(self.max)
    }
}

/// Returns a random number for [`Backoff::delay`], or 0 if the system has no randomness. The number
/// need not be secret.
pub(crate) fn jitter() -> u32 {
    getrandom::u32().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_delay_doubles_up_to_the_maximum() {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(4));
        assert_eq!(backoff.delay(1, 0), Duration::from_secs(1));
        assert_eq!(backoff.delay(2, 0), Duration::from_secs(2));
        assert_eq!(backoff.delay(9, u32::MAX), Duration::from_secs(4));
    }

    proptest! {
        #[test]
        fn a_delay_never_exceeds_the_maximum_and_never_shrinks(
            initial in 1_u64..10_000, max in 1_u64..100_000, failures in 1_u32..200, jitter: u32,
        ) {
            let backoff = Backoff::new(Duration::from_millis(initial), Duration::from_millis(max));
            let delay = backoff.delay(failures, jitter);
            prop_assert!(delay <= backoff.max);
            prop_assert!(delay >= backoff.initial.min(backoff.max.mul_f64(0.8)));
            prop_assert!(backoff.delay(failures + 1, jitter) >= delay);
        }
    }
}
