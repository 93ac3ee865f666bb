//! The progress of a revocation of many sessions.

use std::sync::{Mutex, MutexGuard, PoisonError};

use carafe_core::clock::Timestamp;

/// The confirmation text for the revocation of all sessions.
pub(super) const WORDS: &str = "revoke all sessions";

/// Seconds for which the outcome is shown.
const SHOWN: i64 = 600;

/// The revocation that runs or ran last.
#[derive(Default)]
pub(super) struct EndAll {
    // A plain lock, never held across an await.
    state: Mutex<Progress>,
}

/// The sessions to revoke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// All sessions.
    All,
    /// All sessions of this user.
    User(String),
}

/// The progress of a revocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Progress {
    #[default]
    Nothing,
    Running {
        target: Target,
        ended: u64,
    },
    Done {
        target: Target,
        ended: u64,
        at: Timestamp,
    },
    Failed {
        ended: u64,
        why: String,
        at: Timestamp,
    },
}

impl Target {
    /// The user, or `None` for all users.
    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::User(user) => Some(user),
        }
    }
}

impl EndAll {
    /// Returns the progress to show at `now`.
    pub(super) fn progress(&self, now: Timestamp) -> Progress {
        let state = self.state().clone();
        match state {
            Progress::Done { at, .. } | Progress::Failed { at, .. }
                if now.seconds_since(at) > SHOWN =>
            {
                Progress::Nothing
            }
            state => state,
        }
    }

    /// Starts a revocation. Returns `false` while another one runs.
    pub(super) fn begin(&self, target: &Target) -> bool {
        let mut state = self.state();
        if matches!(*state, Progress::Running { .. }) {
            return false;
        }
        *state = Progress::Running {
            target: target.clone(),
            ended: 0,
        };
        true
    }

    pub(super) fn set(&self, progress: Progress) {
        *self.state() = progress;
    }

    fn state(&self) -> MutexGuard<'_, Progress> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
