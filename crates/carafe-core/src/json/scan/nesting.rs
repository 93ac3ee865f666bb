//! The stack of open arrays and objects, one bit each.

use super::{MAX_DEPTH, ScanError};

/// Which of the open levels are objects, one bit each.
pub(super) struct Nesting {
    bits: [u64; MAX_DEPTH.div_ceil(64)],
    depth: usize,
    base: usize,
}

impl Nesting {
    pub(super) fn below(base: usize) -> Self {
        Self {
            bits: [0; MAX_DEPTH.div_ceil(64)],
            depth: base,
            base,
        }
    }

    #[inline]
    pub(super) fn push(&mut self, object: bool) -> Result<(), ScanError> {
        if self.depth >= MAX_DEPTH {
            return Err(ScanError::TooDeep);
        }
        let (word, bit) = (self.depth / 64, self.depth % 64);
        self.bits[word] = self.bits[word] & !(1 << bit) | u64::from(object) << bit;
        self.depth += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn in_object(&self) -> bool {
        // Called only with a level open, so depth is 1 or more; wrapping keeps it free of a panic.
        let top = self.depth.wrapping_sub(1);
        self.bits
            .get(top / 64)
            .is_some_and(|word| word >> (top % 64) & 1 == 1)
    }

    /// True when this was the outermost level.
    #[inline]
    pub(super) fn pop(&mut self) -> bool {
        self.depth -= 1;
        self.depth == self.base
    }
}
