//! How often a wrong token may be tried.

use std::sync::{Mutex, PoisonError};

use carafe_core::clock::Timestamp;

/// Wrong tries in [`Tries::WINDOW`] seconds before the door is shut for the rest of them.
const MOST: u32 = 10;

/// Counts wrong tries. A token of 256 bits is not guessed; this keeps whoever tries from filling the machine,
/// and makes it visible.
#[derive(Default)]
pub(super) struct Tries {
    // A plain lock, never held across an await: two numbers belong together.
    window: Mutex<Window>,
}

#[derive(Clone, Copy, Default)]
struct Window {
    begun: i64,
    wrong: u32,
}

impl Tries {
    /// Seconds.
    pub(super) const WINDOW: i64 = 60;

    /// For how many seconds nobody may try.
    pub(super) fn shut_for(&self, now: Timestamp) -> Option<i64> {
        let window = *self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let left = window.begun + Self::WINDOW - now.unix();
        (window.wrong >= MOST && left > 0).then_some(left)
    }

    /// Notes a wrong one.
    pub(super) fn wrong(&self, now: Timestamp) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now.unix() - window.begun >= Self::WINDOW {
            *window = Window {
                begun: now.unix(),
                wrong: 0,
            };
        }
        window.wrong += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_door_is_shut_for_the_rest_of_a_minute() {
        let tries = Tries::default();
        let at = |second: i64| Timestamp::from_unix(1_700_000_000 + second);
        for _ in 0..MOST {
            assert_eq!(tries.shut_for(at(0)), None);
            tries.wrong(at(0));
        }
        assert_eq!(tries.shut_for(at(1)), Some(59));
        assert_eq!(tries.shut_for(at(60)), None);
        tries.wrong(at(61));
        assert_eq!(tries.shut_for(at(61)), None, "a new minute counts anew");
    }
}
