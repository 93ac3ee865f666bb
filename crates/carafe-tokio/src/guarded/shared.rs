//! One guarded call: is there room, does the circuit let it through, is there an answer in time.

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

use carafe_core::store::{
    SessionStore, StoreError, StoreKey,
    guard::{Bulkhead, Circuit, Recent, Report, Standing, Ticket, Tombstones, is_failure, jitter},
};
use tokio::time::timeout;

use super::{GuardOptions, GuardStatus, journal::Journal, log_outs::LogOuts, status::Counters};

/// What the guard and its task share.
pub(super) struct Shared<S: ?Sized> {
    pub(super) options: GuardOptions,
    pub(super) counters: Counters,
    /// A plain mutex: held for a few instructions at the start and the end of a call, never across an await.
    circuit: Mutex<Circuit>,
    crowd: Bulkhead,
    /// A plain mutex, as `circuit`; taken only while there are log-outs to tell.
    log_outs: Mutex<LogOuts>,
    /// How many log-outs are held, so that the usual call looks at a number and takes no lock. Written under
    /// `log_outs`; released there and acquired here, so that who ended a session sees it refused.
    held: AtomicUsize,
    pub(super) journal: Option<Journal>,
    /// A plain mutex, as `circuit`.
    pub(super) recent: Option<Mutex<Recent>>,
    pub(super) store: Arc<S>,
}

impl<S: SessionStore + ?Sized> Shared<S> {
    pub(super) fn new(store: Arc<S>, options: GuardOptions, journal: Option<Journal>) -> Self {
        Self {
            counters: Counters::default(),
            circuit: Mutex::new(Circuit::new(options.circuit, now())),
            crowd: Bulkhead::new(options.calls_at_once),
            log_outs: Mutex::new(LogOuts::new(Tombstones::new(options.log_outs))),
            held: AtomicUsize::new(0),
            journal,
            recent: options
                .stale_reads
                .map(|rules| Mutex::new(Recent::new(rules, now()))),
            options,
            store,
        }
    }

    /// A call that visitors wait for: it counts for the circuit.
    pub(super) async fn call<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let _place = self.enter()?;
        self.admitted(deadline, work).await
    }

    /// [`Shared::call`] for who has found room.
    pub(super) async fn admitted<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let ticket = self.circuit().admit(now());
        let pass = Pass::new(self, ticket.ok_or_else(|| self.refused_by_circuit())?);
        let result = self.in_time(deadline, work).await;
        pass.report(&result);
        result
    }

    /// A call that comes by itself after pauses of its own, so that it asks neither for room nor the circuit,
    /// which learns how it went.
    pub(super) async fn retry<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let pass = Pass::new(self, self.circuit().admit_retry());
        let result = self.in_time(deadline, work).await;
        pass.report(&result);
        result
    }

    /// An operator's call, which may be much for the store: it is refused while the circuit is open, and
    /// does not open it for visitors.
    pub(super) async fn aside<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if !self.circuit().is_closed() {
            return Err(self.refused_by_circuit());
        }
        self.in_time(deadline, work).await
    }

    async fn in_time<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.counters.calls.add_one();
        let result = timeout(deadline, unpanicked(work))
            .await
            .unwrap_or_else(|_| {
                self.counters.cut_off.add_one();
                Err(StoreError::Timeout(deadline))
            });
        match &result {
            Err(error) if is_failure(error) => self.counters.failures.add_one(),
            Err(StoreError::Corrupt(_)) => self.counters.corrupt.add_one(),
            _ => {}
        }
        result
    }

    pub(super) fn enter(&self) -> Result<Place<'_>, StoreError> {
        if self.crowd.enter() {
            return Ok(Place(&self.crowd));
        }
        self.counters.refused_by_crowd.add_one();
        Err(StoreError::unavailable("too many calls are under way"))
    }

    fn refused_by_circuit(&self) -> StoreError {
        self.counters.refused_by_circuit.add_one();
        StoreError::unavailable("it has failed too often and is left alone for a moment")
    }

    fn report(&self, ticket: Ticket, report: Report) {
        let mut circuit = self.circuit();
        if !circuit.report(ticket, report, now(), jitter()) {
            return;
        }
        if circuit.is_closed() {
            tracing::info!("the session store answers again");
        } else {
            self.counters.opened.add_one();
            tracing::error!("the session store fails: requests that need it get a 503 at once");
        }
    }

    pub(super) fn circuit(&self) -> MutexGuard<'_, Circuit> {
        // Its methods change it in steps that cannot panic.
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the log-outs, and notes how many are left.
    pub(super) fn with_log_outs<T>(&self, work: impl FnOnce(&mut LogOuts) -> T) -> T {
        let mut log_outs = self.log_outs.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut log_outs);
        self.held.store(log_outs.stones.len(), Ordering::Release);
        result
    }

    /// How many log-outs the store may not know of.
    pub(super) fn log_outs_waiting(&self) -> usize {
        self.held.load(Ordering::Acquire)
    }

    /// Whether the session under `key` has ended on this node.
    pub(super) fn has_ended(&self, key: &StoreKey) -> bool {
        self.log_outs_waiting() > 0 && self.with_log_outs(|log_outs| log_outs.stones.has_ended(key))
    }

    /// Whether an order for more than one key has ended this session on this node.
    pub(super) fn ends<'a>(&self, session: impl Into<Standing<'a>>) -> bool {
        self.log_outs_waiting() > 0 && self.with_log_outs(|log_outs| log_outs.stones.ends(session))
    }

    pub(super) fn status(&self) -> GuardStatus {
        let ready = self.circuit().is_closed();
        self.counters.status(ready, self.log_outs_waiting())
    }
}

/// A panic inside a store as its failure. Drivers have them where a server's bytes are not what they expect, and
/// whoever asked for a session would lose the connection instead of getting a 503.
async fn unpanicked<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let mut work = pin!(work);
    poll_fn(|context| {
        // What the panic has left half done is dropped and not looked at again.
        let poll = || work.as_mut().poll(context);
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|_| {
            Poll::Ready(Err(StoreError::unavailable("the store's code panicked")))
        })
    })
    .await
}

/// Tokio's clock, which tests stop and turn.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A place among the calls under way; dropping it leaves.
pub(super) struct Place<'c>(&'c Bulkhead);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// A call that the circuit has let through; dropped without a report, nobody knows how it went.
struct Pass<'s, S: SessionStore + ?Sized> {
    shared: &'s Shared<S>,
    ticket: Option<Ticket>,
}

impl<'s, S: SessionStore + ?Sized> Pass<'s, S> {
    fn new(shared: &'s Shared<S>, ticket: Ticket) -> Self {
        let ticket = Some(ticket);
        Self { shared, ticket }
    }

    fn report<T>(mut self, result: &Result<T, StoreError>) {
        let report = match result {
            Err(error) if is_failure(error) => Report::Bad,
            _ => Report::Good,
        };
        self.hand_in(report);
    }

    fn hand_in(&mut self, report: Report) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.report(ticket, report);
        }
    }
}

impl<S: SessionStore + ?Sized> Drop for Pass<'_, S> {
    fn drop(&mut self) {
        self.hand_in(Report::Unknown);
    }
}
