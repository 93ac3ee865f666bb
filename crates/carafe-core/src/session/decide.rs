//! The decision on a request's session, as a pure function.
//!
//! The loaded session, the handler's actions, the policy and the response's status determine the
//! [`Decision`]. The truth table in the tests is the complete specification.

/// The facts about a request that the decision depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one column of the truth table"
)]
pub(crate) struct Facts {
    /// The session was read or changed.
    pub(crate) accessed: bool,
    /// The session was changed, possibly to an equal value.
    pub(crate) modified: bool,
    /// The session has no keys now.
    pub(crate) empty: bool,
    /// The handler has changed the session, so the cookie is removed if the session is empty.
    ///
    /// For server-side sessions: the handler has changed keys of a stored session, which has a
    /// cookie to remove, or has changed anything with a retired ID, which [`verb`](super::verb)
    /// rejects.
    pub(crate) emptied: bool,
    /// Flask's `session.permanent`.
    pub(crate) permanent: bool,
    /// `log_out` was called.
    pub(crate) ended: bool,
    /// The request's cookie was verified with a fallback key.
    pub(crate) through_fallback: bool,
    /// A use should be recorded.
    ///
    /// For client-side sessions: the cookie was issued long enough ago. For server-side sessions:
    /// the last recorded use is old enough, the ID is due for renewal, or the use of the request's
    /// ID advances a pending renewal.
    pub(crate) due: bool,
    /// The request's ID refers to a record in a store.
    pub(crate) stored: bool,
    /// The browser sent the request in the background and not for a navigation (Fetch Metadata).
    ///
    /// The response to a later request may arrive before the response to this request.
    pub(crate) background: bool,
    /// A commit during the request gave the session an ID that the browser does not have yet.
    pub(crate) unannounced: bool,
    /// The request's session cookie was rejected and is one that this application may remove.
    pub(crate) rejected: bool,
    /// The response's status is 500 or above.
    pub(crate) server_error: bool,
    /// `commit` was called, so changes are saved despite a server error.
    pub(crate) insisted: bool,
}

/// The rules that a configuration sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// When a cookie is refreshed without a change.
    pub(crate) refresh: Refresh,
    /// Whether a response with status 500 or above saves changes, as in Flask.
    pub(crate) save_on_server_error: bool,
    /// Whether a rejected cookie is removed from the browser.
    ///
    /// See [`SessionConfig::with_remove_rejected`](super::SessionConfig::with_remove_rejected).
    pub(crate) remove_rejected: bool,
}

/// When the cookie of an unchanged session is sent again.
///
/// ```
/// use carafe_core::{clock::Timestamp, key::SecretKey, session::*};
///
/// # futures_executor::block_on(async {
/// // Whether a page that only reads a session of a day ago writes its cookie again.
/// let refreshes = async |refresh| -> Result<bool, Box<dyn std::error::Error>> {
///     let side = ClientSide::signed(SecretKey::short("flask-spec-secret")?);
///     let config = SessionConfig::development().with_refresh(refresh);
///     let manager = std::sync::Arc::new(SessionManager::new(side, config)?);
///     let cookie = b"session=eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw";
///     let (slot, now) = (manager.begin(), Timestamp::from_unix(1_700_000_000 + 86_400));
///     manager.open(&slot, [&cookie[..]], now).await?.get::<u32>("user_id")?;
///     Ok(manager.commit(&slot, [], 200, now).await?.set_cookie.is_some())
/// };
/// assert!(!refreshes(Refresh::Never).await?);
/// assert!(refreshes(Refresh::WhenUsed).await?);
/// assert!(!refreshes(Refresh::PermanentAlways).await?, "the session is not permanent");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Never. The lifetime counts from the last change.
    Never,
    /// On every response to a request with a permanent session, used or not.
    ///
    /// Equivalent to Flask's `SESSION_REFRESH_EACH_REQUEST`. Costs a verification on every request
    /// with a cookie.
    PermanentAlways,
    /// When the session is used after a twentieth of its lifetime.
    ///
    /// The lifetime counts from the last use.
    ///
    /// For client-side sessions, background requests of a page (Fetch Metadata: a mode other than
    /// `navigate`) refresh nothing, because their late responses would replace a newer cookie.
    WhenUsed,
}

impl Policy {
    /// Returns whether a request that has not used its session needs a commit.
    ///
    /// A request that brings no token has no session to refresh.
    pub(crate) const fn commits_untouched(self, brings_token: bool) -> bool {
        brings_token && matches!(self.refresh, Refresh::PermanentAlways)
    }
}

/// The action on the session's cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    /// Leave the browser's cookie unchanged.
    Nothing,
    /// Write the session with the current key and the current time.
    Write,
    /// Write the loaded session with the current key and its original time, so that only the key
    /// changes.
    Reissue,
    /// Remove the cookie.
    Remove,
}

/// The complete decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// The action on the session's cookie.
    pub(crate) commit: Commit,
    /// Whether the response depends on the cookie: `Vary: Cookie` (CVE-2023-30861, CVE-2026-27205).
    pub(crate) vary: bool,
}

/// Returns the decision on a request's session.
#[must_use]
pub(crate) const fn decide(facts: Facts, policy: Policy) -> Decision {
    let commit = commit(facts, policy);
    let vary = facts.accessed || facts.modified || !matches!(commit, Commit::Nothing);
    Decision { commit, vary }
}

const fn commit(facts: Facts, policy: Policy) -> Commit {
    let saves = !facts.server_error || policy.save_on_server_error || facts.insisted;
    if facts.ended && (facts.empty || !saves) {
        return Commit::Remove; // A log-out always takes effect (CVE-2021-34428).
    }
    if !saves {
        return Commit::Nothing;
    }
    if facts.empty {
        let removed = facts.emptied || (facts.rejected && policy.remove_rejected);
        return if removed {
            Commit::Remove
        } else {
            Commit::Nothing
        };
    }
    if facts.modified || facts.unannounced || refreshes(facts, policy) {
        return Commit::Write;
    }
    if facts.through_fallback && facts.accessed {
        Commit::Reissue
    } else {
        Commit::Nothing
    }
}

const fn refreshes(facts: Facts, policy: Policy) -> bool {
    // The timeouts of a stored session apply under every refresh policy.
    let used = facts.accessed && facts.due;
    match policy.refresh {
        Refresh::Never => used && facts.stored,
        Refresh::PermanentAlways => facts.permanent || (used && facts.stored),
        Refresh::WhenUsed => used && (facts.stored || !facts.background),
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

    /// Parses facts from a line of letters.
    ///
    /// The letters: accessed, modified, empty, emptied (z), permanent, log-out (X), fallback, due,
    /// rejected, server error (5), insisted, stored, background, unannounced.
    fn facts(letters: &str) -> Facts {
        let has = |letter| letters.contains(letter);
        Facts {
            accessed: has('a'),
            modified: has('m'),
            empty: has('e'),
            emptied: has('z'),
            permanent: has('p'),
            ended: has('X'),
            through_fallback: has('f'),
            due: has('d'),
            rejected: has('r'),
            server_error: has('5'),
            insisted: has('i'),
            stored: has('s'),
            background: has('b'),
            unannounced: has('u'),
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
            (
                "read when due in the background",
                "adb",
                Nothing,
                Nothing,
                Nothing,
            ),
            ("read when due, in a store", "ads", Write, Write, Write),
            (
                "read when due in the background, in a store",
                "adsb",
                Write,
                Write,
                Write,
            ),
            ("read, in a store", "as", Nothing, Nothing, Nothing),
            (
                "untouched when due, in a store",
                "ds",
                Nothing,
                Nothing,
                Nothing,
            ),
            (
                "saved during the request under a new id",
                "au",
                Write,
                Write,
                Write,
            ),
            ("changed", "am", Write, Write, Write),
            ("changed a permanent session", "amp", Write, Write, Write),
            ("renewed, no session", "ame", Nothing, Nothing, Nothing),
            ("emptied", "amez", Remove, Remove, Remove),
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
            ("emptied, server error", "amez5", Nothing, Remove, Remove),
            (
                "read when due, server error",
                "ad5",
                Nothing,
                Nothing,
                Nothing,
            ),
            ("logged out", "amezX", Remove, Remove, Remove),
            ("logged out, server error", "amezX5", Remove, Remove, Remove),
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

    #[test]
    fn only_a_refresh_on_every_response_commits_a_session_that_was_not_used() {
        for (refresh, with_token) in [
            (Refresh::Never, false),
            (Refresh::WhenUsed, false),
            (Refresh::PermanentAlways, true),
        ] {
            let policy = Policy { refresh, ..SAFE };
            assert_eq!(policy.commits_untouched(true), with_token, "{refresh:?}");
            assert!(!policy.commits_untouched(false), "{refresh:?}");
        }
    }

    /// The invariants hold for all 16,384 combinations of facts under all 12 policies.
    #[test]
    fn rules_that_hold_in_every_situation() {
        let letters = [
            'a', 'm', 'e', 'p', 'X', 'f', 'd', 'r', '5', 'i', 's', 'b', 'u',
        ];
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
                if commit == Remove && !policy.remove_rejected {
                    assert!(
                        facts.emptied || facts.ended,
                        "removed without an act: {chosen}"
                    );
                }
                if facts.server_error && !policy.save_on_server_error && !facts.insisted {
                    assert_ne!(commit, Write, "a failed request is saved: {chosen}");
                }
                if !facts.accessed
                    && !facts.modified
                    && !facts.ended
                    && !facts.rejected
                    && !facts.unannounced
                {
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
