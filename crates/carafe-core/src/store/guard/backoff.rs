//! How long to wait before the next try: twice as long each time, up to a bound, and a little at random, so
//! that nodes which failed together do not come back together.

use std::time::Duration;

/// Pauses after failures in a row.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::store::guard::Backoff;
///
/// let pauses = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(4) };
/// assert_eq!(pauses.after(1, 0), Duration::from_secs(1));
/// assert_eq!(pauses.after(2, 0), Duration::from_secs(2));
/// assert_eq!(pauses.after(9, u32::MAX), Duration::from_secs(4));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After one failure.
    pub first: Duration,
    /// At most, with its random part.
    pub longest: Duration,
}

impl Backoff {
    /// The pause after `failures` in a row: `first`, doubled for each further one, and up to a quarter more
    /// by `jitter`, of which 0 adds nothing and `u32::MAX` all. Never more than `longest`.
    #[must_use]
    pub fn after(self, failures: u32, jitter: u32) -> Duration {
        // Room for the quarter, so that it does not vanish at the bound.
        let most = self.longest.mul_f64(0.8);
        let doublings = failures.saturating_sub(1).min(31);
        let pause = self.first.saturating_mul(1 << doublings).min(most);
        let share = f64::from(jitter) / f64::from(u32::MAX);
        (pause + pause.mul_f64(share / 4.0)).min(self.longest)
    }
}

/// A random number for [`Backoff::after`]; 0 where there is no randomness, which only costs the spread.
#[must_use]
pub fn jitter() -> u32 {
    getrandom::u32().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_pause_is_never_longer_than_the_longest_nor_shorter_than_the_one_before(
            first in 1_u64..10_000, longest in 1_u64..100_000, failures in 1_u32..200, jitter: u32,
        ) {
            let millis = Duration::from_millis;
            let pauses = Backoff { first: millis(first), longest: millis(longest) };
            let pause = pauses.after(failures, jitter);
            prop_assert!(pause <= pauses.longest);
            prop_assert!(pause >= pauses.first.min(pauses.longest.mul_f64(0.8)));
            prop_assert!(pauses.after(failures + 1, jitter) >= pause);
        }
    }
}
