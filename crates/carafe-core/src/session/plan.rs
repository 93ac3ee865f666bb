//! Determines the store operation for a decision. The second pure function, for server-side
//! sessions.
//!
//! Each request runs at most one operation, except if one session replaces another.

use super::Commit;

/// The facts that determine the operation, in addition to the [`Commit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one column of the truth table"
)]
pub(crate) struct StoredFacts {
    /// The request's ID refers to a record.
    pub(crate) stored: bool,
    /// The request's ID was retired recently.
    pub(crate) retired: bool,
    /// The dictionary or the metadata was changed.
    pub(crate) changed: bool,
    /// `log_out` was called.
    pub(crate) ended: bool,
    /// The user of the record was removed from the dictionary.
    pub(crate) user_left: bool,
    /// `log_in` was called.
    pub(crate) logged_in: bool,
    /// `begin_login` was called.
    pub(crate) began_login: bool,
    /// `renew` was called.
    pub(crate) renewed: bool,
    /// The ID is due for a timed renewal.
    pub(crate) renewal_due: bool,
}

/// A store operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// No operation.
    Nothing,
    /// No operation, because the request's ID was retired.
    ///
    /// A session created now could replace a newer one in the browser, and the request has not seen
    /// the session that it would empty or renew. A log-in, and the beginning of one, create a
    /// session nevertheless, because they need nothing of the old one.
    Refuse,
    /// Store a new record under a new ID.
    Create,
    /// Merge the changes.
    Patch,
    /// Record the use.
    Touch,
    /// Merge the changes and move to a new ID. The old ID is an alias until the new ID is used.
    Renew,
    /// Merge the changes and move to a new ID. The old ID is retired.
    Rotate,
    /// Like [`Verb::Rotate`], for a log-in. Creates a new session if the old one is gone.
    LogIn,
    /// Delete the record after a log-out.
    Delete,
    /// Delete the record because the request has emptied the session.
    Empty,
    /// Delete the record and create a new one under a new ID: a log-out followed by writes.
    Replace,
    /// Like [`Verb::Replace`] if the record exists: the user was removed from the dictionary.
    Depart,
}

impl Verb {
    /// Returns whether the operation stores the request's changes.
    pub(super) const fn writes(self) -> bool {
        match self {
            Self::Nothing | Self::Refuse | Self::Touch | Self::Delete | Self::Empty => false,
            Self::Create
            | Self::Patch
            | Self::Renew
            | Self::Rotate
            | Self::LogIn
            | Self::Replace
            | Self::Depart => true,
        }
    }
}

/// Returns the operation for a decision.
#[must_use]
pub(crate) const fn verb(commit: Commit, facts: StoredFacts) -> Verb {
    match (commit, facts.stored) {
        (Commit::Remove, false) if facts.retired && !facts.ended => Verb::Refuse,
        (Commit::Nothing, _) | (Commit::Remove, false) => Verb::Nothing,
        (Commit::Remove, true) if facts.ended => Verb::Delete,
        (Commit::Remove, true) => Verb::Empty,
        (Commit::Write | Commit::Reissue, false) => {
            if facts.retired && !facts.logged_in && !facts.began_login {
                Verb::Refuse
            } else {
                Verb::Create
            }
        }
        (Commit::Write | Commit::Reissue, true) => {
            if facts.ended {
                Verb::Replace
            } else if facts.user_left {
                Verb::Depart
            } else if facts.logged_in {
                Verb::LogIn
            } else if facts.renewed {
                Verb::Rotate
            } else if facts.renewal_due {
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

    /// Parses facts: stored, retired (x), changed, ended, user left (u), logged in, renewed, due,
    /// began a log-in (b).
    fn facts(letters: &str) -> StoredFacts {
        let has = |letter| letters.contains(letter);
        StoredFacts {
            stored: has('s'),
            retired: has('x'),
            changed: has('c'),
            ended: has('e'),
            user_left: has('u'),
            logged_in: has('l'),
            renewed: has('r'),
            renewal_due: has('d'),
            began_login: has('b'),
        }
    }

    #[test]
    fn the_truth_table() {
        for (commit, letters, expected) in [
            (Commit::Nothing, "", Verb::Nothing),
            (Commit::Nothing, "sxceulrd", Verb::Nothing),
            (Commit::Write, "c", Verb::Create),
            (Commit::Write, "cl", Verb::Create),
            (Commit::Write, "ce", Verb::Create),
            (Commit::Write, "cx", Verb::Refuse),
            (Commit::Write, "cxr", Verb::Refuse),
            (Commit::Write, "cxl", Verb::Create),
            (Commit::Write, "cxb", Verb::Create),
            (Commit::Write, "cxrb", Verb::Create),
            (Commit::Write, "scb", Verb::Patch),
            (Commit::Remove, "xb", Verb::Refuse),
            (Commit::Write, "s", Verb::Touch),
            (Commit::Write, "sc", Verb::Patch),
            (Commit::Write, "sd", Verb::Renew),
            (Commit::Write, "scd", Verb::Renew),
            (Commit::Write, "scr", Verb::Rotate),
            (Commit::Write, "scrd", Verb::Rotate),
            (Commit::Write, "scl", Verb::LogIn),
            (Commit::Write, "sclrd", Verb::LogIn),
            (Commit::Write, "scu", Verb::Depart),
            (Commit::Write, "sce", Verb::Replace),
            (Commit::Write, "sceulrd", Verb::Replace),
            (Commit::Remove, "", Verb::Nothing),
            (Commit::Remove, "x", Verb::Refuse),
            (Commit::Remove, "xe", Verb::Nothing),
            (Commit::Remove, "s", Verb::Empty),
            (Commit::Remove, "sculrd", Verb::Empty),
            (Commit::Remove, "se", Verb::Delete),
            (Commit::Remove, "sceulrd", Verb::Delete),
        ] {
            assert_eq!(
                verb(commit, facts(letters)),
                expected,
                "{commit:?} {letters}"
            );
        }
    }
}
