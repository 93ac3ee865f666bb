//! Which store verb carries out a decision: the second half of the pure decision, for server-side
//! sessions. One verb a request at most, but for a new session that replaces one.

use super::Commit;

/// What the choice of a verb depends on besides the [`Commit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one column of the truth table"
)]
pub struct StoredFacts {
    /// The request's id led to a record.
    pub stored: bool,
    /// The dictionary or a fact beside it was changed.
    pub changed: bool,
    /// `log_out` was called, or the user was taken out of the dictionary.
    pub ended: bool,
    /// `log_in` was called: the old id must be dead at once.
    pub logged_in: bool,
    /// `renew` was called, or the id is due for renewal: the old id may live on for a moment.
    pub renewed: bool,
}

/// What a store is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Nothing.
    Nothing,
    /// File a new record under a new id.
    Create,
    /// Merge the changes.
    Patch,
    /// Note the use.
    Touch,
    /// Merge the changes and move to a new id; the old one still works for the grace time.
    Renew,
    /// Merge the changes and move to a new id; the old one is dead.
    LogIn,
    /// Take the record away.
    Delete,
    /// Take the record away and file a new one under a new id: a log-out, and then a new beginning.
    Replace,
}

/// The verb for a decision.
#[must_use]
pub const fn verb(commit: Commit, facts: StoredFacts) -> Verb {
    match (commit, facts.stored) {
        (Commit::Nothing, _) | (Commit::Remove, false) => Verb::Nothing,
        (Commit::Remove, true) => Verb::Delete,
        (Commit::Write | Commit::Reissue, false) => Verb::Create,
        (Commit::Write | Commit::Reissue, true) => {
            if facts.ended {
                Verb::Replace
            } else if facts.logged_in {
                Verb::LogIn
            } else if facts.renewed {
                Verb::Renew
            } else if facts.changed {
                Verb::Patch
            } else {
                Verb::Touch
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored, changed, ended, logged in, renewed.
    fn facts(letters: &str) -> StoredFacts {
        let has = |letter| letters.contains(letter);
        StoredFacts {
            stored: has('s'),
            changed: has('c'),
            ended: has('e'),
            logged_in: has('l'),
            renewed: has('r'),
        }
    }

    #[test]
    fn the_truth_table() {
        for (commit, letters, expected) in [
            (Commit::Nothing, "", Verb::Nothing),
            (Commit::Nothing, "scelr", Verb::Nothing),
            (Commit::Write, "c", Verb::Create),
            (Commit::Write, "cl", Verb::Create),
            (Commit::Write, "ce", Verb::Create),
            (Commit::Write, "s", Verb::Touch),
            (Commit::Write, "sc", Verb::Patch),
            (Commit::Write, "sr", Verb::Renew),
            (Commit::Write, "scr", Verb::Renew),
            (Commit::Write, "scl", Verb::LogIn),
            (Commit::Write, "sclr", Verb::LogIn),
            (Commit::Write, "sce", Verb::Replace),
            (Commit::Write, "scelr", Verb::Replace),
            (Commit::Remove, "", Verb::Nothing),
            (Commit::Remove, "s", Verb::Delete),
            (Commit::Remove, "scelr", Verb::Delete),
        ] {
            assert_eq!(
                verb(commit, facts(letters)),
                expected,
                "{commit:?} {letters}"
            );
        }
    }
}
