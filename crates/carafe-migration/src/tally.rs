//! The counts of a migration.

use carafe_core::store::StoreKey;
use serde::{Deserialize, Serialize};

use crate::step::Outcome;

/// Maximum number of skipped sessions that the report names with a reason. All are counted.
const NAMED: usize = 20;

/// The outcomes so far, for the state file and the report. Fields are only added.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Number of sessions read. A scan may return a session twice.
    pub seen: u64,
    /// Sessions that the target has now.
    pub moved: u64,
    /// Sessions of which the target had an older state.
    pub updated: u64,
    /// Sessions that the target had already.
    pub already_there: u64,
    /// Sessions of which the target has a newer state, which stays.
    pub newer_there: u64,
    /// Sessions that were revoked meanwhile.
    pub ended_meanwhile: u64,
    /// Expired sessions, which stay behind.
    pub expired: u64,
    /// Sessions with an earlier ID that may still be in use, left for the next pass.
    pub left_for_later: u64,
    /// Records that cannot be read, which stay behind.
    pub unreadable: u64,
    /// Sessions that one of the stores did not take.
    pub refused: u64,
    /// With `--move --verify`: sessions that the target returned with other contents.
    pub different: u64,
    /// The first sessions that were left in the source.
    pub troubles: Vec<Trouble>,
}

/// A session that was left in the source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trouble {
    /// The first 48 bits of the SHA-256 of the ID: enough to find the session, not to open it.
    pub key: String,
    /// Why it was left behind.
    pub reason: String,
}

impl Tally {
    pub(crate) fn note(&mut self, outcome: &Outcome) {
        self.seen += 1;
        *match outcome {
            Outcome::Arrived => &mut self.moved,
            Outcome::Updated => &mut self.updated,
            Outcome::WasThere | Outcome::ToBeSettled => &mut self.already_there,
            Outcome::NewerThere => &mut self.newer_there,
            Outcome::ComesBackDifferent => &mut self.different,
            Outcome::Ended => &mut self.ended_meanwhile,
            Outcome::Expired => &mut self.expired,
            Outcome::TooYoung => &mut self.left_for_later,
        } += 1;
    }

    /// Counts a record of the source that cannot be read. The record stays there.
    pub(crate) fn note_unreadable(&mut self, key: &StoreKey, reason: String) {
        self.seen += 1;
        self.unreadable += 1;
        self.name(key, reason);
    }

    /// Counts a session that one of the stores refuses.
    pub(crate) fn note_refused(&mut self, key: &StoreKey, reason: String) {
        self.seen += 1;
        self.refused += 1;
        self.name(key, reason);
    }

    /// Whether no session was left that should have moved.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unreadable + self.refused + self.different + self.left_for_later == 0
    }

    fn name(&mut self, key: &StoreKey, reason: String) {
        if self.troubles.len() < NAMED {
            self.troubles.push(Trouble {
                key: short(key),
                reason,
            });
        }
    }
}

/// Returns the first 48 bits as hexadecimal digits.
pub fn short(key: &StoreKey) -> String {
    let first = key.as_bytes().iter().take(6);
    first.map(|byte| format!("{byte:02x}")).collect()
}
