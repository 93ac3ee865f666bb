//! A guarded call: concurrency limit, circuit and deadline, in this order.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use carafe_core::store::{ErasedStore, Record, StoreError, StoreKey};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::{
    GuardOptions, GuardStatus,
    circuit::{Circuit, Outcome, Ticket},
    failure::is_failure,
    journal::Journal,
    pending_revocation::SessionIdentity,
    revocations::Revocations,
    status::Counters,
};
use crate::backoff::jitter;

/// The state that a guard shares with its delivery task.
pub(super) struct Shared<S: ?Sized> {
    pub(super) options: GuardOptions,
    pub(super) counters: Counters,
    /// A plain mutex, locked only briefly at the start and the end of a call, never across an
    /// await.
    circuit: Mutex<Circuit>,
    /// One permit for each active call. No call waits for a permit.
    permits: Semaphore,
    /// A plain mutex, as `circuit`. Locked only while there are pending revocations.
    revocations: Mutex<Revocations>,
    /// The number of pending revocations, so that a call takes no lock if there are none. Stored
    /// with release ordering under `revocations` and loaded with acquire ordering, so that after a
    /// revocation its caller sees the session rejected.
    pending_count: AtomicUsize,
    pub(super) journal: Option<Journal>,
    pub(super) store: Arc<S>,
}

impl<S: ErasedStore + ?Sized> Shared<S> {
    pub(super) fn new(store: Arc<S>, options: GuardOptions, journal: Option<Journal>) -> Self {
        let limit = options.concurrency_limit;
        Self {
            counters: Counters::default(),
            circuit: Mutex::new(Circuit::new(options.circuit, now())),
            permits: Semaphore::new(limit.clamp(1, Semaphore::MAX_PERMITS)),
            revocations: Mutex::new(Revocations::new(options.revocations)),
            pending_count: AtomicUsize::new(0),
            journal,
            options,
            store,
        }
    }

    /// Runs a call of a request. Its outcome counts for the circuit.
    pub(super) async fn call<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let _permit = self.permit()?;
        let ticket = self.circuit().admit(now());
        let ticket = ticket.ok_or_else(|| self.rejected_by_circuit())?;
        self.reported(ticket, deadline, work).await
    }

    /// Runs a call of the delivery task, which has its own backoff. Neither the concurrency limit
    /// nor an open circuit rejects the call. Its outcome counts for the circuit.
    pub(super) async fn retry<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let ticket = self.circuit().admit_retry();
        self.reported(ticket, deadline, work).await
    }

    /// Runs a call of an operator, which can be expensive for the store. An open circuit rejects
    /// the call. Its outcome does not count for the circuit.
    pub(super) async fn admin_call<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if !self.circuit().is_closed() {
            return Err(self.rejected_by_circuit());
        }
        self.timed(deadline, work).await
    }

    async fn reported<T>(
        &self,
        ticket: Ticket,
        deadline: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let call = AdmittedCall::new(self, ticket);
        let result = self.timed(deadline, work).await;
        call.finish(&result);
        result
    }

    async fn timed<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.counters.calls.add_one();
        let result = timeout(deadline, catch_panic(work))
            .await
            .unwrap_or_else(|_| {
                self.counters.timeouts.add_one();
                Err(StoreError::Timeout(deadline))
            });
        match &result {
            Err(error) if is_failure(error) => self.counters.failures.add_one(),
            Err(StoreError::Corrupt(_)) => self.counters.corrupt.add_one(),
            _ => {}
        }
        result
    }

    fn permit(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        self.permits.try_acquire().map_err(|_| {
            self.counters.rejected_by_limit.add_one();
            StoreError::unavailable("too many calls are in progress")
        })
    }

    fn rejected_by_circuit(&self) -> StoreError {
        self.counters.rejected_by_circuit.add_one();
        StoreError::unavailable("the circuit is open after repeated failures")
    }

    fn report(&self, ticket: Ticket, outcome: Outcome) {
        let mut circuit = self.circuit();
        if !circuit.report(ticket, outcome, now(), jitter) {
            return;
        }
        if circuit.is_closed() {
            tracing::info!("the session store responds again");
        } else {
            self.counters.opened.add_one();
            tracing::error!("the session store fails: requests that need it get an immediate 503");
        }
    }

    pub(super) fn circuit(&self) -> MutexGuard<'_, Circuit> {
        // No method of the circuit panics in the middle of a change.
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` on the revocations, and updates their count.
    pub(super) fn with_revocations<T>(&self, work: impl FnOnce(&mut Revocations) -> T) -> T {
        let revocations = self.revocations.lock();
        let mut revocations = revocations.unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut revocations);
        self.pending_count
            .store(revocations.pending.len(), Ordering::Release);
        result
    }

    /// Returns the number of revocations that the store may not have received.
    pub(super) fn pending_revocations(&self) -> usize {
        self.pending_count.load(Ordering::Acquire)
    }

    /// Returns whether the session under `key` is revoked on this node.
    pub(super) fn has_ended(&self, key: &StoreKey) -> bool {
        self.pending_revocations() > 0
            && self.with_revocations(|revocations| revocations.pending.revokes_key(key))
    }

    /// Returns whether a revocation that is not by key applies to this session on this node.
    pub(super) fn ends<'a>(&self, session: impl Into<SessionIdentity<'a>>) -> bool {
        self.pending_revocations() > 0
            && self.with_revocations(|revocations| revocations.pending.revokes(session))
    }

    /// Returns whether [`Shared::ends`] holds, or whether the key that a timed renewal has replaced
    /// is revoked.
    pub(super) fn is_over(&self, record: &Record) -> bool {
        let renewal = record.meta.renewal.as_ref();
        self.ends(record)
            || renewal.is_some_and(|renewal| self.has_ended(&StoreKey::from_bytes(renewal.from)))
    }

    pub(super) fn status(&self) -> GuardStatus {
        let ready = self.circuit().is_closed();
        self.counters.status(ready, self.pending_revocations())
    }
}

/// Turns a panic of the store into [`StoreError::Unavailable`]. Drivers panic on replies that they
/// do not expect, and the client would lose its connection instead of getting a 503.
async fn catch_panic<T>(
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let mut work = pin!(work);
    poll_fn(|context| {
        // The future is dropped after a panic and is not polled again.
        let poll = || work.as_mut().poll(context);
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|_| {
            Poll::Ready(Err(StoreError::unavailable("the store's code panicked")))
        })
    })
    .await
}

/// Returns the time of tokio's clock, which tests can pause and advance.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A call that the circuit admitted. Dropping it reports an unknown outcome.
struct AdmittedCall<'s, S: ErasedStore + ?Sized> {
    shared: &'s Shared<S>,
    ticket: Option<Ticket>,
}

impl<'s, S: ErasedStore + ?Sized> AdmittedCall<'s, S> {
    fn new(shared: &'s Shared<S>, ticket: Ticket) -> Self {
        let ticket = Some(ticket);
        Self { shared, ticket }
    }

    fn finish<T>(mut self, result: &Result<T, StoreError>) {
        let outcome = match result {
            Err(error) if is_failure(error) => Outcome::Failure,
            _ => Outcome::Success,
        };
        self.report(outcome);
    }

    fn report(&mut self, outcome: Outcome) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.report(ticket, outcome);
        }
    }
}

impl<S: ErasedStore + ?Sized> Drop for AdmittedCall<'_, S> {
    fn drop(&mut self) {
        self.report(Outcome::Unknown);
    }
}

#[cfg(test)]
mod tests {
    use carafe_core::store::MemoryStore;

    use super::*;

    fn shared(limit: usize) -> Shared<MemoryStore> {
        let options = GuardOptions::default().with_concurrency_limit(limit);
        Shared::new(Arc::new(MemoryStore::new()), options, None)
    }

    fn permits<const N: usize>(shared: &Shared<MemoryStore>) -> [bool; N] {
        let permits: [_; N] = std::array::from_fn(|_| shared.permit());
        permits.each_ref().map(Result::is_ok)
    }

    #[test]
    fn no_more_calls_than_the_limit_get_a_permit_from_any_thread() {
        let shared = shared(3);
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        if let Ok(_permit) = shared.permit() {
                            let now_inside = inside.fetch_add(1, Ordering::Relaxed) + 1;
                            most.fetch_max(now_inside, Ordering::Relaxed);
                            inside.fetch_sub(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert!(most.load(Ordering::Relaxed) <= 3);
        assert_eq!(shared.permits.available_permits(), 3, "all are returned");
        assert_eq!(permits(&shared), [true, true, true, false]);
        assert_eq!(permits(&shared), [true, true, true, false], "reusable");
    }

    #[test]
    fn every_limit_leaves_at_least_one_permit() {
        assert_eq!(permits(&shared(0)), [true, false]);
        assert_eq!(permits(&shared(usize::MAX)), [true, true]);
    }
}
