//! One thing to measure.

use std::{hint::black_box, ops::Range};

use super::{Outcome, alloc, cpu};

/// An operation, and where its result stands in the tables.
pub(crate) struct Candidate {
    pub(super) row: String,
    pub(super) column: String,
    work: Work,
    /// The number of the next operation: batches go on where the last one ended.
    next: usize,
}

pub(crate) type Candidates = Vec<Candidate>;

enum Work {
    /// Runs the operations of these numbers.
    Here(Box<dyn FnMut(Range<usize>)>),
    /// Has so many operations run by another process, and says how many nanoseconds they took there.
    Elsewhere(Box<dyn FnMut(usize) -> Outcome<f64>>),
}

/// What one operation took, on average over a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    pub(super) nanoseconds: f64,
    pub(super) allocations: f64,
    pub(super) bytes: f64,
}

impl Candidate {
    /// An operation that gets its number, to rotate over inputs.
    pub(crate) fn new<R>(
        row: &str,
        column: &str,
        mut operation: impl FnMut(usize) -> R + 'static,
    ) -> Self {
        Self::batch(row, column, move |numbers| {
            for number in numbers {
                black_box(operation(black_box(number)));
            }
        })
    }

    /// Operations that run as a batch.
    pub(crate) fn batch(
        row: &str,
        column: &str,
        batch: impl FnMut(Range<usize>) + 'static,
    ) -> Self {
        Self::of(row, column, Work::Here(Box::new(batch)))
    }

    /// Operations that another process runs and times.
    pub(crate) fn elsewhere(
        row: &str,
        column: &str,
        batch: impl FnMut(usize) -> Outcome<f64> + 'static,
    ) -> Self {
        Self::of(row, column, Work::Elsewhere(Box::new(batch)))
    }

    fn of(row: &str, column: &str, work: Work) -> Self {
        Self {
            row: row.to_owned(),
            column: column.to_owned(),
            work,
            next: 0,
        }
    }

    /// Runs `operations` once and says what one of them took.
    pub(super) fn sample(&mut self, operations: usize) -> Outcome<Sample> {
        let each = |total: f64| total / operations as f64;
        let (before, start) = (alloc::asked(), cpu::nanoseconds());
        let told = self.run(operations)?;
        let (end, after) = (cpu::nanoseconds(), alloc::asked());
        Ok(Sample {
            nanoseconds: each(told.unwrap_or(end - start)),
            allocations: each((after.allocations - before.allocations) as f64),
            bytes: each((after.bytes - before.bytes) as f64),
        })
    }

    /// Runs operations; the nanoseconds they took if another process knows.
    pub(super) fn run(&mut self, operations: usize) -> Outcome<Option<f64>> {
        let numbers = self.next..self.next + operations;
        self.next = numbers.end;
        match &mut self.work {
            Work::Here(batch) => {
                measured_region(batch, numbers);
                Ok(None)
            }
            Work::Elsewhere(batch) => batch(operations).map(Some),
        }
    }
}

/// The function that callgrind watches, by its name.
#[inline(never)]
fn measured_region(batch: &mut dyn FnMut(Range<usize>), numbers: Range<usize>) {
    batch(numbers);
}
