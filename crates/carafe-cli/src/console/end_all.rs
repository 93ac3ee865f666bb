//! Ending all sessions, in steps and beside the pages: a million of them takes longer than a page waits.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use carafe_core::clock::Timestamp;

use super::Console;

/// Sessions in a step, so that visitors are served between two.
const STEP: usize = 1_000;
/// How long the page waits for the end before it shows the progress instead.
const PATIENCE: Duration = Duration::from_secs(2);
/// Seconds for which the outcome is shown.
const SHOWN: i64 = 600;

/// What is being ended.
#[derive(Default)]
pub(super) struct EndAll {
    // A plain lock, never held across an await.
    state: Mutex<Progress>,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Progress {
    #[default]
    Nothing,
    Running {
        ended: u64,
    },
    Done {
        ended: u64,
        at: Timestamp,
    },
    Failed {
        ended: u64,
        why: String,
        at: Timestamp,
    },
}

impl EndAll {
    /// What to show now.
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

    /// Whether this call may begin; not while another runs.
    fn begin(&self) -> bool {
        let mut state = self.state();
        if matches!(*state, Progress::Running { .. }) {
            return false;
        }
        *state = Progress::Running { ended: 0 };
        true
    }

    fn set(&self, progress: Progress) {
        *self.state() = progress;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins to end all sessions that began by now, and waits a little for the end. `false` if that is under way already.
pub(super) async fn start(console: &Arc<Console>) -> bool {
    if !console.end_all.begin() {
        return false;
    }
    let worker = Arc::clone(console);
    // A task of its own: a browser that goes away must not stop it half-way.
    let work = tokio::spawn(async move { run(&worker, Timestamp::now()).await });
    let _ = tokio::time::timeout(PATIENCE, work).await;
    true
}

async fn run(console: &Console, until: Timestamp) {
    let mut ended = 0;
    let outcome = loop {
        match console.store.delete_begun(until, STEP).await {
            Ok(0) => {
                let at = Timestamp::now();
                break Progress::Done { ended, at };
            }
            Ok(count) => ended += count,
            Err(error) => {
                let (why, at) = (console.store.says(&error), Timestamp::now());
                break Progress::Failed { ended, why, at };
            }
        }
        console.end_all.set(Progress::Running { ended });
    };
    console.statistics.forget().await;
    console.end_all.set(outcome);
}
