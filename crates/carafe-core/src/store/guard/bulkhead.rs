//! No more than so many calls at once: the next one fails at once instead of waiting for what does not come.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts calls under way.
///
/// ```
/// use carafe_core::store::guard::Bulkhead;
///
/// let calls = Bulkhead::new(1);
/// assert!(calls.enter());
/// assert!(!calls.enter(), "one is under way");
/// calls.leave();
/// assert!(calls.enter());
/// ```
#[derive(Debug)]
pub struct Bulkhead {
    limit: usize,
    /// Relaxed: a count that orders nothing else.
    inside: AtomicUsize,
}

impl Bulkhead {
    /// For at most `limit` calls, and for one at least.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            inside: AtomicUsize::new(0),
        }
    }

    /// Counts one call more, if there is room; then [`Bulkhead::leave`] must follow.
    #[must_use]
    pub fn enter(&self) -> bool {
        let one_more = |inside| (inside < self.limit).then_some(inside + 1);
        self.inside
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .is_ok()
    }

    /// Counts one call less. More often than [`Bulkhead::enter`] said yes, it does nothing.
    pub fn leave(&self) {
        let one_less = |inside: usize| inside.checked_sub(1);
        let _ = self
            .inside
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
    }

    /// How many are under way.
    #[must_use]
    pub fn inside(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_the_limit_are_inside_whoever_comes() {
        let (calls, most) = (Bulkhead::new(3), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        if calls.enter() {
                            most.fetch_max(calls.inside(), Ordering::Relaxed);
                            calls.leave();
                        }
                    }
                });
            }
        });
        assert!(most.load(Ordering::Relaxed) <= 3);
        assert_eq!(calls.inside(), 0, "who came has left");
        assert!(calls.enter() && calls.enter() && calls.enter() && !calls.enter());
    }

    #[test]
    fn there_is_always_room_for_one() {
        let calls = Bulkhead::new(0);
        calls.leave();
        assert!(calls.enter() && !calls.enter());
    }
}
