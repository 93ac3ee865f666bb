//! Counts of times per step of a time axis.

use carafe_core::{clock::Timestamp, store::Sample};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The steps in seconds, with their names.
const STEPS: [(i64, &str); 9] = [
    (5 * MINUTE, "5 minutes"),
    (15 * MINUTE, "15 minutes"),
    (HOUR, "hour"),
    (3 * HOUR, "3 hours"),
    (6 * HOUR, "6 hours"),
    (DAY, "day"),
    (7 * DAY, "week"),
    (30 * DAY, "30 days"),
    (365 * DAY, "365 days"),
];

/// Maximum number of bars. More could not be told apart on a phone.
const MOST_BARS: i64 = 32;

/// Counts per step.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Histogram {
    /// Seconds per bar.
    pub(super) step: i64,
    /// The name of the step, such as `hour` for "per hour".
    pub(super) step_name: &'static str,
    /// In order of time, without gaps.
    pub(super) bars: Vec<Bar>,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) from: Timestamp,
    pub(super) count: u64,
}

impl Histogram {
    /// Counts `times`, each with `weight`, from the earliest to the latest of `times` and `always`.
    /// Steps are aligned to multiples of their length in UTC, so that the limits of a bar do not
    /// move as time passes.
    pub(super) fn of(times: &[Timestamp], weight: f64, always: Timestamp) -> Self {
        let all = || times.iter().map(|time| time.unix()).chain([always.unix()]);
        let (first, last) = (
            all().min().unwrap_or_default(),
            all().max().unwrap_or_default(),
        );
        let bars_of = |step: i64| last.div_euclid(step) - first.div_euclid(step) + 1;
        let fitting = STEPS
            .into_iter()
            .find(|&(step, _)| bars_of(step) <= MOST_BARS);
        let (step, step_name) = fitting.unwrap_or(STEPS[STEPS.len() - 1]);
        // Times that are centuries apart would have too many bars, so only the last bars are shown.
        let bars = bars_of(step).min(MOST_BARS);
        let start = last.div_euclid(step) - bars + 1;
        let mut counts = vec![0_u64; usize::try_from(bars).unwrap_or_default()];
        for time in times {
            let at = usize::try_from(time.unix().div_euclid(step) - start);
            if let Some(count) = at.ok().and_then(|at| counts.get_mut(at)) {
                *count += 1;
            }
        }
        let bar = |(at, count): (i64, u64)| Bar {
            from: Timestamp::from_unix((start + at) * step),
            count: scaled(count, weight),
        };
        Self {
            step,
            step_name,
            bars: (0..).zip(counts).map(bar).collect(),
        }
    }
}

/// Returns `count` times `weight`, rounded.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "an estimate; exact counts have the weight 1 and are far below 2^53"
)]
pub(super) fn scaled(count: u64, weight: f64) -> u64 {
    (count as f64 * weight).round() as u64
}

/// Returns the number of sessions that one session of the sample represents.
pub(super) fn weight(sample: &Sample) -> f64 {
    match (sample.exact, sample.sessions.len()) {
        (true, _) | (_, 0) => 1.0,
        (false, sampled) => sample.total as f64 / sampled as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_700_000_000 / DAY * DAY + 12 * HOUR;

    fn times(ages: &[i64]) -> Vec<Timestamp> {
        ages.iter()
            .map(|age| Timestamp::from_unix(NOON - age))
            .collect()
    }

    #[test]
    fn steps_fit_what_is_there() {
        for (oldest, step_name, bars) in [
            (0, "5 minutes", 1),
            (HOUR, "5 minutes", 13),
            (DAY, "hour", 25),
            (20 * DAY, "day", 21),
            (200 * DAY, "week", 29),
        ] {
            let found = Histogram::of(&times(&[oldest]), 1.0, Timestamp::from_unix(NOON));
            assert_eq!((found.step_name, found.bars.len()), (step_name, bars));
            assert_eq!(found.bars[0].count, 1, "the oldest stands first");
        }
    }

    #[test]
    fn everything_is_counted_once_and_scaled() {
        let ages: Vec<_> = (0..100).map(|n| n * 600).collect();
        let found = Histogram::of(&times(&ages), 10.0, Timestamp::from_unix(NOON));
        assert_eq!(found.bars.iter().map(|bar| bar.count).sum::<u64>(), 1_000);
        let far = Histogram::of(&times(&[0, 100_000 * DAY]), 1.0, Timestamp::from_unix(NOON));
        assert_eq!(far.bars.len(), 32, "bounded, whatever a record says");
    }
}
