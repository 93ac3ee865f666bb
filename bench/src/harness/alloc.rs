//! The system allocator, with counters per thread.
#![expect(
    unsafe_code,
    reason = "`GlobalAlloc` is an unsafe trait; each method passes its arguments on"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// Counts allocations and their bytes, per thread.
///
/// A reallocation counts as one allocation of its new size. Live bytes are counted separately.
pub(crate) struct CountingAllocator;

/// The allocations of a thread so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
    /// Bytes allocated and not freed.
    ///
    /// Negative if the thread frees memory that other threads allocated.
    pub(crate) alive: i64,
}

thread_local! {
    static ASKED: Cell<Asked> = const { Cell::new(Asked { allocations: 0, bytes: 0, alive: 0 }) };
}

/// Returns the allocations of this thread since it started.
pub(crate) fn asked() -> Asked {
    ASKED.get()
}

fn count(bytes: usize, given_back: usize) {
    let asked = ASKED.get();
    ASKED.set(Asked {
        allocations: asked.allocations + 1,
        bytes: asked.bytes + bytes as u64,
        alive: asked.alive + bytes as i64 - given_back as i64,
    });
}

fn count_back(bytes: usize) {
    let asked = ASKED.get();
    ASKED.set(Asked {
        alive: asked.alive - bytes as i64,
        ..asked
    });
}

// SAFETY: every call is forwarded to `System` unchanged; counting uses one `Cell` without a
// destructor.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller upholds the contract for `layout`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as above, and `block` came from `System`.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count_back(layout.size());
        // SAFETY: as above, and `block` came from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}
