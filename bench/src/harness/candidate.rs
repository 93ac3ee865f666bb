//! A measured operation.

use std::{hint::black_box, ops::Range};

use super::{Outcome, alloc, cpu};

/// An operation, and the position of its result in the tables.
pub(crate) struct Candidate {
    pub(super) row: String,
    pub(super) column: String,
    work: Work,
    /// The number of the next operation; batches continue where the previous one stopped.
    next: usize,
    /// Number of operations per batch, unless the harness determines it by time.
    pub(super) batch: Option<usize>,
    afterwards: Option<Box<dyn FnMut()>>,
}

pub(crate) type Candidates = Vec<Candidate>;

enum Work {
    /// Runs the operations with these numbers.
    Here(Box<dyn FnMut(Range<usize>)>),
    /// Runs operations in another process or by another clock, and returns the nanoseconds.
    Told(Box<dyn FnMut(usize) -> Outcome<f64>>),
}

/// The cost of one operation, averaged over a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    pub(super) nanoseconds: f64,
    pub(super) allocations: f64,
    pub(super) bytes: f64,
}

impl Candidate {
    /// Creates an operation that receives its number, to rotate over inputs.
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

    /// Creates operations that run as a batch.
    pub(crate) fn batch(
        row: &str,
        column: &str,
        batch: impl FnMut(Range<usize>) + 'static,
    ) -> Self {
        Self::of(row, column, Work::Here(Box::new(batch)))
    }

    /// Creates operations that another process or another clock times.
    pub(crate) fn told(
        row: &str,
        column: &str,
        batch: impl FnMut(usize) -> Outcome<f64> + 'static,
    ) -> Self {
        Self::of(row, column, Work::Told(Box::new(batch)))
    }

    fn of(row: &str, column: &str, work: Work) -> Self {
        Self {
            row: row.to_owned(),
            column: column.to_owned(),
            work,
            next: 0,
            batch: None,
            afterwards: None,
        }
    }

    /// Sets the number of operations per batch, regardless of their duration.
    pub(crate) fn in_batches_of(self, operations: usize) -> Self {
        Self {
            batch: Some(operations),
            ..self
        }
    }

    /// Adds work after each batch, which is not measured.
    pub(crate) fn and_then(self, afterwards: impl FnMut() + 'static) -> Self {
        Self {
            afterwards: Some(Box::new(afterwards)),
            ..self
        }
    }

    /// Runs `operations` once and returns the cost of one operation.
    pub(super) fn sample(&mut self, operations: usize) -> Outcome<Sample> {
        let each = |total: f64| total / operations as f64;
        let (before, start) = (alloc::asked(), cpu::nanoseconds());
        let told = self.run(operations)?;
        let (end, after) = (cpu::nanoseconds(), alloc::asked());
        self.finish();
        Ok(Sample {
            nanoseconds: each(told.unwrap_or(end - start)),
            allocations: each((after.allocations - before.allocations) as f64),
            bytes: each((after.bytes - before.bytes) as f64),
        })
    }

    /// Runs the work after a batch.
    pub(super) fn finish(&mut self) {
        if let Some(afterwards) = &mut self.afterwards {
            afterwards();
        }
    }

    /// Runs operations. Returns the nanoseconds if another process or clock timed them.
    pub(super) fn run(&mut self, operations: usize) -> Outcome<Option<f64>> {
        let numbers = self.next..self.next + operations;
        self.next = numbers.end;
        match &mut self.work {
            Work::Here(batch) => {
                measured_region(batch, numbers);
                Ok(None)
            }
            Work::Told(batch) => batch(operations).map(Some),
        }
    }
}

/// Runs a batch. callgrind watches this function by its name.
#[inline(never)]
fn measured_region(batch: &mut dyn FnMut(Range<usize>), numbers: Range<usize>) {
    batch(numbers);
}
