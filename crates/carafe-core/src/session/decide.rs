//! The decision at the end of a request, as a pure function: what was loaded, what the handler did, the
//! rules and the response's status give one [`Decision`]. The table in the tests is all there is to know.

/// What happened in a request, as far as the decision needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one column of the truth table"
)]
pub struct Facts {
    /// The session was looked at or changed.
    pub accessed: bool,
    /// The session was changed, be it to the same value.
    pub modified: bool,
    /// It has no keys now.
    pub empty: bool,
    /// Flask's `session.permanent`.
    pub permanent: bool,
    /// `log_out` was called.
    pub ended: bool,
    /// The request's cookie was verified, through a fallback key.
    pub through_fallback: bool,
    /// The request's cookie was verified, so long ago that its time should be renewed if used.
    pub due: bool,
    /// The request had a session cookie, one of ours to remove, and it was refused.
    pub rejected: bool,
    /// The response's status is 500 or above.
    pub server_error: bool,
    /// `commit` was called: save also with a server error.
    pub insisted: bool,
}

/// The rules that a configuration sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// When a cookie gets a new time without a change.
    pub refresh: Refresh,
    /// Whether a response of status 500 or above saves changes, as Flask's do.
    pub save_on_server_error: bool,
    /// Whether a cookie that was refused is removed from the browser.
    pub remove_rejected: bool,
}

/// When a session's cookie is sent again although nothing in it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Never: the lifetime counts from the last change.
    Never,
    /// On every response to a request with a permanent session, used or not, as Flask's
    /// `SESSION_REFRESH_EACH_REQUEST` does. Costs a verification on every request with a cookie.
    PermanentAlways,
    /// When the session was used and a twentieth of its lifetime has passed: the lifetime counts from
    /// the last use.
    WhenUsed,
}

/// What to do with the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Leave the browser's cookie as it is.
    Nothing,
    /// Write the session under the current key and the current time.
    Write,
    /// Write what was loaded under the current key and its own time: only the key changes.
    Reissue,
    /// Remove the cookie.
    Remove,
}

/// The whole decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to do with the session.
    pub commit: Commit,
    /// Whether the response depends on the cookie: `Vary: Cookie` (CVE-2023-30861, CVE-2026-27205).
    pub vary: bool,
}

/// Decides what a request does to its session.
///
/// ```
/// use carafe_core::session::{Commit, Facts, Policy, Refresh, decide};
///
/// let policy = Policy { refresh: Refresh::WhenUsed, save_on_server_error: false, remove_rejected: true };
/// let read = Facts { accessed: true, ..Facts::default() };
/// assert_eq!(decide(read, policy).commit, Commit::Nothing);
/// let changed = Facts { modified: true, ..read };
/// assert_eq!(decide(changed, policy).commit, Commit::Write);
/// ```
#[must_use]
pub const fn decide(facts: Facts, policy: Policy) -> Decision {
    let commit = commit(facts, policy);
    let vary = facts.accessed || facts.modified || !matches!(commit, Commit::Nothing);
    Decision { commit, vary }
}

const fn commit(facts: Facts, policy: Policy) -> Commit {
    let saves = !facts.server_error || policy.save_on_server_error || facts.insisted;
    if facts.ended && (facts.empty || !saves) {
        return Commit::Remove; // A log-out always goes through (CVE-2021-34428).
    }
    if !saves {
        return Commit::Nothing;
    }
    if facts.empty {
        let removed = facts.modified || (facts.rejected && policy.remove_rejected);
        return if removed {
            Commit::Remove
        } else {
            Commit::Nothing
        };
    }
    if facts.modified || refreshes(facts, policy) {
        return Commit::Write;
    }
    if facts.through_fallback && facts.accessed {
        Commit::Reissue
    } else {
        Commit::Nothing
    }
}

const fn refreshes(facts: Facts, policy: Policy) -> bool {
    match policy.refresh {
        Refresh::Never => false,
        Refresh::PermanentAlways => facts.permanent,
        Refresh::WhenUsed => facts.accessed && facts.due,
    }
}

#[cfg(test)]
mod tests {
    use super::{Commit::*, *};

    const SAFE: Policy = Policy {
        refresh: Refresh::WhenUsed,
        save_on_server_error: false,
        remove_rejected: true,
    };
    const FLASK: Policy = Policy {
        refresh: Refresh::PermanentAlways,
        save_on_server_error: true,
        remove_rejected: false,
    };
    const NO_REFRESH: Policy = Policy {
        refresh: Refresh::Never,
        ..FLASK
    };

    /// Facts from a line of letters: accessed, modified, empty, permanent, ended (X), fallback, due,
    /// rejected, server error (5), insisted.
    fn facts(letters: &str) -> Facts {
        let has = |letter| letters.contains(letter);
        Facts {
            accessed: has('a'),
            modified: has('m'),
            empty: has('e'),
            permanent: has('p'),
            ended: has('X'),
            through_fallback: has('f'),
            due: has('d'),
            rejected: has('r'),
            server_error: has('5'),
            insisted: has('i'),
        }
    }

    #[test]
    fn the_truth_table() {
        for (situation, letters, safe, flask, no_refresh) in [
            ("untouched, no session", "e", Nothing, Nothing, Nothing),
            ("untouched, a session", "", Nothing, Nothing, Nothing),
            (
                "untouched, a permanent session",
                "p",
                Nothing,
                Write,
                Nothing,
            ),
            (
                "untouched, a permanent session that is due",
                "pd",
                Nothing,
                Write,
                Nothing,
            ),
            ("read, no session", "ae", Nothing, Nothing, Nothing),
            ("read", "a", Nothing, Nothing, Nothing),
            ("read when due", "ad", Write, Nothing, Nothing),
            ("read a permanent session", "ap", Nothing, Write, Nothing),
            (
                "read a permanent session when due",
                "apd",
                Write,
                Write,
                Nothing,
            ),
            ("changed", "am", Write, Write, Write),
            ("changed a permanent session", "amp", Write, Write, Write),
            ("emptied", "ame", Remove, Remove, Remove),
            (
                "read through a fallback key",
                "af",
                Reissue,
                Reissue,
                Reissue,
            ),
            (
                "read through a fallback key when due",
                "afd",
                Write,
                Reissue,
                Reissue,
            ),
            ("changed through a fallback key", "amf", Write, Write, Write),
            (
                "untouched through a fallback key",
                "f",
                Nothing,
                Nothing,
                Nothing,
            ),
            ("rejected and read", "aer", Remove, Nothing, Nothing),
            ("rejected and written", "amr", Write, Write, Write),
            ("changed, server error", "am5", Nothing, Write, Write),
            (
                "changed, server error, commit called",
                "am5i",
                Write,
                Write,
                Write,
            ),
            ("emptied, server error", "ame5", Nothing, Remove, Remove),
            (
                "read when due, server error",
                "ad5",
                Nothing,
                Nothing,
                Nothing,
            ),
            ("logged out", "ameX", Remove, Remove, Remove),
            ("logged out, server error", "ameX5", Remove, Remove, Remove),
            ("logged out, then written", "amX", Write, Write, Write),
            (
                "logged out, then written, server error",
                "amX5",
                Remove,
                Write,
                Write,
            ),
            (
                "rejected and read, server error",
                "aer5",
                Nothing,
                Nothing,
                Nothing,
            ),
        ] {
            let facts = facts(letters);
            assert_eq!(decide(facts, SAFE).commit, safe, "safe: {situation}");
            assert_eq!(decide(facts, FLASK).commit, flask, "flask: {situation}");
            assert_eq!(
                decide(facts, NO_REFRESH).commit,
                no_refresh,
                "no refresh: {situation}"
            );
        }
    }

    /// All 1,024 situations under all 12 policies keep the rules that must never break.
    #[test]
    fn rules_that_hold_in_every_situation() {
        let letters = ['a', 'm', 'e', 'p', 'X', 'f', 'd', 'r', '5', 'i'];
        let refreshes = [Refresh::Never, Refresh::PermanentAlways, Refresh::WhenUsed];
        for bits in 0..1_u32 << letters.len() {
            let chosen: String = letters
                .iter()
                .enumerate()
                .filter(|(n, _)| bits >> n & 1 == 1)
                .map(|(_, c)| c)
                .collect();
            let facts = facts(&chosen);
            for policy_bits in 0..12 {
                let policy = Policy {
                    refresh: refreshes[policy_bits / 4],
                    save_on_server_error: policy_bits & 1 == 1,
                    remove_rejected: policy_bits & 2 == 2,
                };
                let Decision { commit, vary } = decide(facts, policy);
                assert!(
                    vary || commit == Nothing,
                    "a cookie goes out without Vary: {chosen}"
                );
                assert!(
                    vary || !facts.accessed,
                    "an access goes out without Vary: {chosen}"
                );
                assert!(
                    !facts.empty || !matches!(commit, Write | Reissue),
                    "an empty session is written: {chosen}"
                );
                if facts.ended && facts.modified {
                    assert!(
                        matches!(commit, Write | Remove),
                        "a log-out is lost: {chosen}"
                    );
                }
                if facts.server_error && !policy.save_on_server_error && !facts.insisted {
                    assert_ne!(commit, Write, "a failed request is saved: {chosen}");
                }
                if !facts.accessed && !facts.modified && !facts.ended && !facts.rejected {
                    let refresh = policy.refresh == Refresh::PermanentAlways && facts.permanent;
                    assert!(
                        refresh || commit == Nothing,
                        "an untouched session costs: {chosen}"
                    );
                }
            }
        }
    }
}
