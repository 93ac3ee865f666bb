//! Rounds over all candidates, and their medians.

use std::collections::HashMap;

use super::{Candidate, Candidates, Outcome, candidate::Sample};

/// CPU time of a batch, in nanoseconds.
///
/// Long enough for the clock, and short enough for stable conditions within a round.
const BATCH_NANOSECONDS: f64 = 1_000_000.0;
const MOST_OPERATIONS: usize = 20_000;

/// All samples, by row and column.
pub(crate) struct Measured(HashMap<(String, String), Vec<Sample>>);

/// Times every candidate once per round.
pub(crate) fn measure(mut candidates: Candidates, rounds: usize) -> Outcome<Measured> {
    let batches = candidates
        .iter_mut()
        .map(operations_of)
        .collect::<Outcome<Vec<_>>>()?;
    let mut samples = vec![Vec::with_capacity(rounds); candidates.len()];
    for _ in 0..rounds {
        for ((candidate, operations), samples) in
            candidates.iter_mut().zip(&batches).zip(&mut samples)
        {
            samples.push(candidate.sample(*operations)?);
        }
    }
    let places = candidates
        .into_iter()
        .map(|candidate| (candidate.row, candidate.column));
    Ok(Measured(places.zip(samples).collect()))
}

/// Returns the number of operations per batch, found by doubling. Also warms up.
fn operations_of(candidate: &mut Candidate) -> Outcome<usize> {
    if let Some(operations) = candidate.batch {
        candidate.sample(operations)?;
        return Ok(operations);
    }
    let mut operations = 16;
    loop {
        let took = candidate.sample(operations)?.nanoseconds * operations as f64;
        if took > BATCH_NANOSECONDS / 2.0 || operations >= MOST_OPERATIONS {
            let wanted = operations as f64 * BATCH_NANOSECONDS / took.max(1.0);
            return Ok((wanted as usize).clamp(1, MOST_OPERATIONS));
        }
        operations *= 2;
    }
}

impl Measured {
    /// Returns the CPU time of one operation, in nanoseconds.
    pub(crate) fn nanoseconds(&self, row: &str, column: &str) -> f64 {
        self.median(row, column, |sample| sample.nanoseconds)
    }

    /// Returns the sum of the nanoseconds of several rows.
    pub(crate) fn sum(&self, rows: &[&str], column: &str) -> f64 {
        rows.iter().map(|row| self.nanoseconds(row, column)).sum()
    }

    /// Returns the nanoseconds, allocations and bytes that `row` needs in addition to `floor`.
    pub(crate) fn added(&self, row: &str, floor: &str, column: &str) -> Added {
        let pairs = || {
            self.samples(row, column)
                .iter()
                .zip(self.samples(floor, column))
        };
        let more =
            |of: fn(&Sample) -> f64| median(pairs().map(|(ours, floor)| of(ours) - of(floor)));
        Added {
            nanoseconds: more(|sample| sample.nanoseconds),
            allocations: more(|sample| sample.allocations),
            bytes: more(|sample| sample.bytes),
        }
    }

    /// Returns half the interquartile range, relative to the median.
    ///
    /// The result is the deviation of a typical round.
    pub(crate) fn spread(&self, row: &str, column: &str) -> f64 {
        let mut times: Vec<_> = self
            .samples(row, column)
            .iter()
            .map(|sample| sample.nanoseconds)
            .collect();
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times[(times.len() - 1) * share / 4];
        (at(3) - at(1)) / 2.0 / at(2)
    }

    /// Returns the median of all spreads.
    pub(crate) fn usual_spread(&self) -> f64 {
        median(self.0.keys().map(|(row, column)| self.spread(row, column)))
    }

    pub(crate) fn has(&self, row: &str, column: &str) -> bool {
        self.0.contains_key(&(row.to_owned(), column.to_owned()))
    }

    fn median(&self, row: &str, column: &str, of: fn(&Sample) -> f64) -> f64 {
        median(self.samples(row, column).iter().map(of))
    }

    fn samples(&self, row: &str, column: &str) -> &[Sample] {
        let place = (row.to_owned(), column.to_owned());
        self.0
            .get(&place)
            .unwrap_or_else(|| panic!("{place:?} is not measured"))
    }
}

/// The cost of one candidate in addition to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Added {
    pub(crate) nanoseconds: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
