//! The delivery of revocations to the store, by the caller or by a task.
//!
//! A revocation is added before the store is called, so that dropping the call does not lose it,
//! and is removed after the store has confirmed it. A revocation that fails is in the journal, if
//! there is one, before its caller gets the error. The task only runs while there are undelivered
//! revocations.

use std::{sync::Arc, time::Duration};

use carafe_core::{
    clock::Timestamp,
    store::{ErasedSessionListing, ErasedStore, ErasedUserSessions, SessionMeta, StoreError},
};
use tokio::{runtime::Handle, sync::Notify, task::JoinHandle, time};

use super::{
    journal::Journal,
    pending_revocation::{PendingRevocation, RevocationTarget},
    pending_revocations::Step,
    shared::{Shared, now},
};
use crate::backoff::jitter;

/// Number of sessions that one call deletes when all sessions are revoked.
const PAGE: usize = 1_000;
/// Number of sessions of a user that one call lists.
pub(super) const USER_STEP: usize = 500;

impl<S: ErasedStore + ?Sized> Shared<S> {
    /// Revokes sessions on this node, and in the store through `work`, a call of a request.
    pub(super) async fn log_out<T>(
        self: &Arc<Self>,
        target: RevocationTarget,
        at: Timestamp,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let delivery = Delivery::new(self, target, at);
        let result = self.call(self.options.to_write(), work).await;
        delivery.finish(result).await
    }

    /// [`Shared::log_out`] through an operator's call: [`Shared::admin_call`].
    pub(super) async fn log_out_aside<T>(
        self: &Arc<Self>,
        target: RevocationTarget,
        at: Timestamp,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let delivery = Delivery::new(self, target, at);
        let result = self.admin_call(self.options.to_write(), work).await;
        delivery.finish(result).await
    }

    /// Adds the revocations of a previous process, and starts their delivery.
    pub(super) fn restore(self: &Arc<Self>, restored: &[PendingRevocation]) {
        self.with_revocations(|revocations| {
            for revocation in restored {
                revocations.pending.restore(revocation);
            }
        });
        if !restored.is_empty() {
            self.start_delivery();
        }
    }

    /// Appends a revocation to the journal, if there is one, on a thread that may block. The write
    /// continues if the handle is dropped.
    fn spawn_append(self: &Arc<Self>, revocation: &PendingRevocation) -> Option<JoinHandle<()>> {
        self.journal.as_ref()?;
        let runtime = Handle::try_current().ok()?;
        let (shared, revocation) = (Arc::clone(self), revocation.clone());
        Some(runtime.spawn_blocking(move || {
            let appended = shared.journal.as_ref().map_or(Ok(()), |journal| {
                journal.append(&revocation, || shared.undelivered())
            });
            if let Err(error) = appended {
                shared.journal_failed(&error);
            }
        }))
    }

    /// Appends a revocation to the journal, if there is one, within the deadline of a write.
    async fn append(self: &Arc<Self>, revocation: &PendingRevocation) {
        if let Some(append) = self.spawn_append(revocation)
            && time::timeout(self.options.to_write(), append)
                .await
                .is_err()
        {
            self.journal_failed(&"the write takes too long");
        }
    }

    fn journal_failed(&self, error: &dyn std::fmt::Display) {
        self.counters.revocations_not_journaled.add_one();
        tracing::error!(%error, "a pending revocation is not in the journal");
    }

    /// Empties the journal if all revocations are delivered.
    fn spawn_clear(self: &Arc<Self>) -> Option<JoinHandle<()>> {
        let is_dirty = self.journal.as_ref().is_some_and(Journal::is_dirty);
        let undelivered =
            || self.with_revocations(|revocations| revocations.pending.undelivered_count());
        if !is_dirty || undelivered() > 0 {
            return None;
        }
        let (runtime, shared) = (Handle::try_current().ok()?, Arc::clone(self));
        Some(runtime.spawn_blocking(move || {
            let cleared = shared.journal.as_ref().map_or(Ok(()), |journal| {
                journal.clear_if_delivered(|| shared.undelivered())
            });
            if let Err(error) = cleared {
                // The next process delivers the entries again, which is idempotent.
                tracing::warn!(%error, "the journal of revocations cannot be emptied");
            }
        }))
    }

    fn undelivered(&self) -> Vec<PendingRevocation> {
        self.with_revocations(|revocations| revocations.pending.undelivered().collect())
    }

    /// Starts the task unless it is running. Without a runtime nothing is delivered, and
    /// [`Shared::abort_delivery`] logs the lost revocations.
    fn start_delivery(self: &Arc<Self>) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        self.with_revocations(|revocations| {
            if !revocations.has_running_task() {
                tracing::warn!("a revocation did not reach the session store and will be retried");
                let wake = Arc::clone(&revocations.wake);
                revocations.task = Some(runtime.spawn(run_delivery(Arc::clone(self), wake)));
            }
        });
    }

    /// Returns the next step of the task. If the task is idle, it is removed under the same lock,
    /// so that the next revocation starts a new one.
    fn next_step(&self) -> Step {
        self.with_revocations(|revocations| {
            let step = revocations.pending.next_step(now());
            if step == Step::Idle {
                revocations.task = None;
            }
            step
        })
    }

    async fn deliver(&self, revocation: &PendingRevocation) {
        let progress = self.send(revocation).await;
        self.with_revocations(|revocations| match &progress {
            Ok(Progress::Complete) => revocations.pending.ack(revocation),
            Ok(Progress::Partial) => revocations.pending.ack_in_part(revocation),
            Err(_) => revocations.pending.nack(revocation, now(), jitter()),
        });
        if matches!(progress, Ok(Progress::Complete)) {
            self.counters.revocations_delivered.add_one();
        }
    }

    async fn send(&self, revocation: &PendingRevocation) -> Result<Progress, StoreError> {
        let (deadline, now) = (self.options.to_write(), Timestamp::now());
        let progress = match &revocation.target {
            RevocationTarget::Key(key) => {
                let delete = self.store.delete(key, now);
                let deleted = self.retry(deadline, delete).await;
                deleted.map(|_| Progress::Complete)
            }
            RevocationTarget::PublicId(public_id) => {
                let delete = self.inventory()?.delete_by_public_id(*public_id, now);
                let deleted = self.retry(deadline, delete).await;
                deleted.map(|_| Progress::Complete)
            }
            RevocationTarget::User(user, _) => self.send_for_user(user, revocation).await,
            RevocationTarget::All => {
                let listing = self.inventory()?;
                let delete = listing.delete_created_before(revocation.at, PAGE, now);
                let deleted = self.retry(deadline, delete).await;
                deleted.map(Progress::after)
            }
        };
        match progress {
            // Only a journal of another store or version contains such a revocation.
            Err(error) if is_permanent(&error) => Ok(Progress::Complete),
            progress => progress,
        }
    }

    /// Deletes the revoked sessions of a user by their public IDs, so that newer sessions stay.
    async fn send_for_user(
        &self,
        user: &str,
        revocation: &PendingRevocation,
    ) -> Result<Progress, StoreError> {
        let (users, now, mut after) = (self.users()?, Timestamp::now(), None);
        loop {
            let list = users.list_by_user(user, after, USER_STEP, now);
            let listed = self.retry(self.options.to_read(), list).await?;
            let mut deleted = 0;
            for selection in revocation.deletions(&listed) {
                let delete = users.delete_by_user(user, selection, listed.len(), now);
                deleted += self.retry(self.options.to_write(), delete).await?;
            }
            after = listed.last().map(SessionMeta::position);
            if deleted > 0 || listed.len() < USER_STEP {
                return Ok(Progress::after(deleted));
            }
        }
    }

    pub(super) fn users(&self) -> Result<&dyn ErasedUserSessions, StoreError> {
        self.store.powers().users().ok_or(StoreError::Unsupported)
    }

    pub(super) fn inventory(&self) -> Result<&dyn ErasedSessionListing, StoreError> {
        self.store.powers().listing().ok_or(StoreError::Unsupported)
    }

    /// Delivers for at most `grace`, without delays. Returns the number of undelivered revocations.
    pub(super) async fn finish_delivery(&self, grace: Duration) -> usize {
        let task = self.with_revocations(|revocations| {
            revocations.pending.skip_backoff();
            revocations.wake.notify_one();
            revocations.task.take()
        });
        if let Some(mut task) = task
            && time::timeout(grace, &mut task).await.is_err()
        {
            task.abort();
            // After the task is dropped, another process can lock the journal.
            let _ = task.await;
        }
        self.pending_revocations()
    }

    /// Stops the task, and logs what is undelivered.
    pub(super) fn abort_delivery(&self) {
        let task = self.with_revocations(|revocations| revocations.task.take());
        if let Some(task) = task {
            task.abort();
        }
        match self.pending_revocations() {
            0 => {}
            undelivered if self.journal.is_some() => tracing::warn!(
                undelivered,
                "revocations did not reach the session store and stay in the journal"
            ),
            undelivered => tracing::error!(
                undelivered,
                "revocations did not reach the session store and are lost"
            ),
        }
    }
}

async fn run_delivery<S: ErasedStore + ?Sized>(shared: Arc<Shared<S>>, wake: Arc<Notify>) {
    loop {
        match shared.next_step() {
            Step::Deliver(batch) => {
                for revocation in &batch {
                    shared.deliver(revocation).await;
                }
            }
            // The next step is recomputed both after the delay and after a wake-up.
            Step::Wait(until) => drop(time::timeout_at(until.into(), wake.notified()).await),
            Step::Idle => {
                if let Some(clear) = shared.spawn_clear() {
                    // `spawn_clear` logs an error.
                    let _ = clear.await;
                }
                return;
            }
        }
    }
}

/// The part of a revocation that the store has applied.
enum Progress {
    Complete,
    /// More sessions may have to be deleted.
    Partial,
}

impl Progress {
    /// Returns the progress after a call that deleted this number of sessions. Only a call that
    /// deletes none shows that none is left.
    const fn after(deleted: u64) -> Self {
        match deleted {
            0 => Self::Complete,
            _ => Self::Partial,
        }
    }
}

/// Returns whether a retry would fail in the same way: the store lacks the operation, or no session
/// can have this user.
const fn is_permanent(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Unsupported | StoreError::Unstorable(_) | StoreError::TooLarge { .. }
    )
}

/// A revocation with a caller that waits for the store. If dropped before the store has confirmed
/// the revocation, the task delivers it.
struct Delivery<'s, S: ErasedStore + ?Sized> {
    shared: &'s Arc<Shared<S>>,
    revocation: PendingRevocation,
    state: DeliveryState,
}

enum DeliveryState {
    /// Added to the pending revocations.
    Pending,
    /// The capacity of the pending revocations is exhausted.
    Rejected,
    Done,
}

impl<'s, S: ErasedStore + ?Sized> Delivery<'s, S> {
    fn new(shared: &'s Arc<Shared<S>>, target: RevocationTarget, at: Timestamp) -> Self {
        let revocation = PendingRevocation { target, at };
        let added = shared.with_revocations(|revocations| revocations.pending.add(&revocation));
        let state = match added {
            true => DeliveryState::Pending,
            false => DeliveryState::Rejected,
        };
        Self {
            shared,
            revocation,
            state,
        }
    }

    async fn finish<T>(mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.as_ref().map_or_else(is_permanent, |_| true) {
            self.state = DeliveryState::Done;
            self.shared
                .with_revocations(|revocations| revocations.pending.ack(&self.revocation));
            drop(self.shared.spawn_clear());
        } else if matches!(self.state, DeliveryState::Pending) {
            self.state = DeliveryState::Done;
            self.retry_later();
            self.shared.append(&self.revocation).await;
        }
        result
    }

    fn retry_later(&self) {
        self.shared.with_revocations(|revocations| {
            revocations.pending.nack(&self.revocation, now(), jitter());
        });
        self.shared.start_delivery();
    }
}

impl<S: ErasedStore + ?Sized> Drop for Delivery<'_, S> {
    fn drop(&mut self) {
        match self.state {
            DeliveryState::Done => {}
            DeliveryState::Pending => {
                self.retry_later();
                drop(self.shared.spawn_append(&self.revocation));
            }
            DeliveryState::Rejected => {
                self.shared.counters.revocations_rejected.add_one();
                tracing::error!(
                    "a revocation did not reach the session store, and too many are pending to keep it"
                );
            }
        }
    }
}
