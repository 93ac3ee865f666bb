//! Revocation of all sessions, or of very many sessions of a user, in a task of its own. It works
//! in steps, so that the store serves other requests between two steps.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use carafe_core::{clock::Timestamp, store::StoreError};

use crate::{Console, Operator, audit, context::Context};

/// Sessions per step, where the oldest of all are revoked.
const STEP: usize = 1_000;
/// Sessions per step of a user, where each is revoked by its public ID.
const STEP_OF_USER: usize = 200;
/// The time that a request waits for the end before its page shows the progress.
const PATIENCE: Duration = Duration::from_secs(2);
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
    /// The user, if it is not all users.
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
    fn begin(&self, target: &Target) -> bool {
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

    fn set(&self, progress: Progress) {
        *self.state() = progress;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a revocation and waits up to [`PATIENCE`] for its end. Returns `false` while another one
/// runs.
pub(super) async fn start(context: &Context, target: Target) -> bool {
    if !context.end_all.begin(&target) {
        return false;
    }
    audit::revocation_started(&context.operator, &target);
    let (worker, operator) = (Arc::clone(context.console()), context.operator.clone());
    // A task of its own: a client that disconnects must not cancel it.
    let work = tokio::spawn(async move { run(&worker, &operator, target).await });
    let _ = tokio::time::timeout(PATIENCE, work).await;
    true
}

async fn run(console: &Console, operator: &Operator, target: Target) {
    let (mut ended, until) = (0, Timestamp::now());
    let outcome = loop {
        let is_done = match step(console, &target, until).await {
            Ok((count, is_done)) => {
                ended += count;
                is_done
            }
            Err(error) => {
                audit::revocation_failed(operator, &target, Some(ended));
                let (why, at) = (console.store.error_text(&error), Timestamp::now());
                break Progress::Failed { ended, why, at };
            }
        };
        if is_done {
            audit::sessions_revoked(operator, &target, ended);
            let at = Timestamp::now();
            break Progress::Done { target, ended, at };
        }
        let target = target.clone();
        console.end_all.set(Progress::Running { target, ended });
    };
    console.statistics.forget().await;
    console.end_all.set(outcome);
}

/// Revokes some sessions. Returns their number, and whether none is left.
async fn step(
    console: &Console,
    target: &Target,
    until: Timestamp,
) -> Result<(u64, bool), StoreError> {
    let (store, now) = (&console.store, Timestamp::now());
    let ended = match target {
        Target::All => store.delete_created_before(until, STEP, now).await?,
        Target::User(user) => store.delete_some_of_user(user, STEP_OF_USER, now).await?,
    };
    Ok((ended, ended == 0))
}
