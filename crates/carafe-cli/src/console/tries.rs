//! The limit on wrong tokens.

use std::sync::{Mutex, PoisonError};

use carafe_core::clock::Timestamp;

/// Number of wrong tokens per [`Tries::WINDOW`] that are answered as wrong. Further ones are
/// throttled.
const MOST: u32 = 10;

/// Counts wrong tokens of all clients together.
///
/// The right token is never counted and never throttled, so no client can lock the operator out.
/// This does not help an attacker: a token has 256 random bits, so no rate of guesses finds it. The
/// counter covers all addresses, because the client controls `X-Forwarded-For` unless a proxy
/// overwrites it: a counter per address would restart with each forged address.
#[derive(Default)]
pub(super) struct Tries {
    // A plain lock, never held across an await: both numbers change together.
    window: Mutex<Window>,
}

#[derive(Clone, Copy, Default)]
struct Window {
    begun: i64,
    wrong: u32,
}

impl Tries {
    /// Length of the window, in seconds.
    pub(super) const WINDOW: i64 = 60;

    /// Counts a wrong token. Returns the seconds until the next window if the token is throttled.
    ///
    /// Counting and deciding happen under one lock, so that concurrent requests share the limit.
    pub(super) fn wrong(&self, now: Timestamp) -> Option<i64> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.unix() - window.begun;
        // A clock that was set back starts a new window, too.
        if !(0..Self::WINDOW).contains(&age) {
            *window = Window {
                begun: now.unix(),
                wrong: 0,
            };
        }
        if window.wrong >= MOST {
            return Some(window.begun + Self::WINDOW - now.unix());
        }
        window.wrong += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_tokens_are_throttled_for_the_rest_of_a_minute() {
        let tries = Tries::default();
        let at = |second: i64| Timestamp::from_unix(1_700_000_000 + second);
        for _ in 0..MOST {
            assert_eq!(tries.wrong(at(0)), None);
        }
        assert_eq!(tries.wrong(at(1)), Some(59));
        assert_eq!(tries.wrong(at(59)), Some(1));
        assert_eq!(tries.wrong(at(60)), None, "a new minute");
        for _ in 1..MOST {
            assert_eq!(tries.wrong(at(61)), None);
        }
        assert_eq!(tries.wrong(at(61)), Some(59));
        assert_eq!(tries.wrong(at(-100)), None, "the clock was set back");
    }
}
