//! The stack of open arrays and objects, one bit per level.

use super::error::{MAX_DEPTH, ScanError};

/// The kinds of the open levels, one bit per level; a set bit is an object.
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
        // A level is open, so `depth` is at least 1. `wrapping_sub` avoids a panic path.
        let top = self.depth.wrapping_sub(1);
        self.bits
            .get(top / 64)
            .is_some_and(|word| word >> (top % 64) & 1 == 1)
    }

    /// Closes a level. Returns whether it was the outermost one.
    #[inline]
    pub(super) fn pop(&mut self) -> bool {
        self.depth -= 1;
        self.depth == self.base
    }
}
