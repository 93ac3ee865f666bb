//! Revokes all sessions, or very many sessions of a user, in a task of its own. The task works in
//! steps, so that the store serves other requests in between.

use std::{sync::Arc, time::Duration};

use carafe_core::{clock::Timestamp, store::StoreError};

use crate::{
    audit,
    context::Context,
    operator::Operator,
    revocation::{Progress, Target},
    state::Console,
};

/// Sessions per step if the oldest of all sessions are revoked.
const STEP: usize = 1_000;
/// Sessions per step if sessions of a user are revoked one by one by their public IDs.
const STEP_OF_USER: usize = 200;
/// Time that a request waits for completion before it responds with the progress.
const PATIENCE: Duration = Duration::from_secs(2);

/// Starts a revocation and waits up to [`PATIENCE`] for its completion. Returns `false` while
/// another one runs.
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
