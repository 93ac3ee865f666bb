//! The generation in a session's record, and the decision about a presented generation.

use std::time::Duration;

use carafe_core::{clock::Timestamp, session::SessionData, store::StoreError};

/// The key of the record's dictionary.
pub(super) const KEY: &str = "_refresh";

/// The latest generation of a session, and its time of issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) generation: u64,
    pub(super) since: Timestamp,
}

/// The decision about a presented generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The current token: advance to the next generation.
    Advance(State),
    /// The previous token within the grace period: return the current token again.
    Repeat,
    /// A token that was redeemed before.
    Reuse,
    /// A token of a generation that the record has not reached.
    Ahead,
}

impl State {
    pub(super) fn first(now: Timestamp) -> Self {
        Self {
            generation: 0,
            since: now,
        }
    }

    /// Returns the state and its exact text, for a compare-and-set.
    ///
    /// Returns `None` for a session without refresh tokens.
    pub(super) fn of(data: &SessionData) -> Result<Option<(Self, String)>, StoreError> {
        let Some(text) = data.text_of(KEY) else {
            return Ok(None);
        };
        let (generation, since) = serde_json::from_str(text)
            .map_err(|_| StoreError::corrupt("the state of a refresh token cannot be read"))?;
        let state = Self {
            generation,
            since: Timestamp::from_unix(since),
        };
        Ok(Some((state, text.to_owned())))
    }

    pub(super) fn text(self) -> String {
        format!("[{},{}]", self.generation, self.since.unix())
    }

    /// Decides about a token of generation `presented`.
    pub(super) fn decide(self, presented: u64, grace: Duration, now: Timestamp) -> Decision {
        let grace = i64::try_from(grace.as_secs()).unwrap_or(i64::MAX);
        match () {
            () if presented > self.generation => Decision::Ahead,
            () if presented == self.generation => match presented.checked_add(1) {
                Some(generation) => Decision::Advance(Self {
                    generation,
                    since: now,
                }),
                None => Decision::Ahead,
            },
            () if presented + 1 == self.generation && now.seconds_since(self.since) <= grace => {
                Decision::Repeat
            }
            () => Decision::Reuse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generation_has_one_meaning() {
        let since = Timestamp::from_unix(1_000);
        let state = State {
            generation: 5,
            since,
        };
        let grace = Duration::from_secs(10);
        let at = |seconds| since.saturating_add(seconds);
        let next = |seconds| {
            Decision::Advance(State {
                generation: 6,
                since: at(seconds),
            })
        };
        for (presented, seconds, expected) in [
            (5, 0, next(0)),
            (5, 1_000_000, next(1_000_000)),
            (4, 0, Decision::Repeat),
            (4, 10, Decision::Repeat),
            (4, -3, Decision::Repeat),
            (4, 11, Decision::Reuse),
            (3, 0, Decision::Reuse),
            (0, 5, Decision::Reuse),
            (6, 0, Decision::Ahead),
            (u64::MAX, 0, Decision::Ahead),
        ] {
            assert_eq!(
                state.decide(presented, grace, at(seconds)),
                expected,
                "{presented} {seconds}"
            );
        }
        let last = State {
            generation: u64::MAX,
            since,
        };
        assert_eq!(last.decide(u64::MAX, grace, since), Decision::Ahead);
        assert_eq!(state.decide(4, Duration::ZERO, at(1)), Decision::Reuse);
    }
}
