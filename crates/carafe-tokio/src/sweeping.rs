//! Deletes expired sessions in small batches, once per interval over all processes.
//!
//! Sweeping is retried after errors.
//!
//! Stores decide by time whether a session is expired; sweeping only frees space.

use std::{sync::Arc, time::Duration};

use carafe_core::{
    clock::Timestamp,
    error::ErrorChain,
    store::{ErasedExpiredSweep, ErasedStore, StoreError},
};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};

use crate::backoff::{Backoff, jitter};

/// Deadline of a store call. Sweeps are not urgent, but must not wait forever.
const DEADLINE: Duration = Duration::from_secs(10);

/// The schedule by which expired sessions are deleted.
///
/// Each process starts a sweeper, which acquires a lease in the store before it sweeps, so that
/// only one process sweeps per interval. If that process exits, another one takes over after the
/// interval. For a store that expires sessions itself, such as Redis, the sweeper does nothing.
///
/// ```no_run
/// use std::{sync::Arc, time::Duration};
/// use carafe_core::{session::ServerSide, store::MemoryStore};
/// use carafe_tokio::Sweeping;
///
/// # async fn run() {
/// let store = Arc::new(MemoryStore::new());
/// let sweeper = Sweeping::every(Duration::from_secs(60)).start(store.clone());
/// let side = ServerSide::shared(store); // for the session layer
/// // … serve …
/// sweeper.stop().await;
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is swept before it is started"]
pub struct Sweeping {
    every: Duration,
    batch: usize,
    pause: Duration,
    clock: fn() -> Timestamp,
}

/// A running sweeper. Dropping it stops it immediately, without a partial change.
#[derive(Debug)]
#[must_use = "dropping a sweeper ends it"]
pub struct Sweeper {
    task: JoinHandle<()>,
    stop: Arc<Notify>,
}

impl Sweeping {
    /// Sweeps once per `interval` over all processes. The minimum is one second.
    pub fn every(interval: Duration) -> Self {
        Self {
            every: interval.max(Duration::from_secs(1)),
            batch: 500,
            pause: Duration::from_millis(50),
            clock: Timestamp::now,
        }
    }

    /// Sets the number of records deleted per batch. Default: 500; minimum: 1.
    pub fn with_batch(self, records: usize) -> Self {
        Self {
            batch: records.max(1),
            ..self
        }
    }

    /// Sets the pause between two batches. Default: 50 ms.
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// Starts sweeping `store` in a task on the current tokio runtime.
    ///
    /// # Panics
    ///
    /// Panics if called outside of a tokio runtime.
    pub fn start(self, store: Arc<dyn ErasedStore>) -> Sweeper {
        let stop = Arc::<Notify>::default();
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            if let Some(sweeper) = store.powers().sweeper() {
                Rounds::new(self, sweeper, &stopped).run().await;
            }
        });
        Sweeper { task, stop }
    }
}

impl Sweeper {
    /// Stops the sweeper after its current batch.
    pub async fn stop(mut self) {
        self.stop.notify_one();
        // An error means that the task has already finished.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Rounds<'s> {
    plan: Sweeping,
    store: &'s dyn ErasedExpiredSweep,
    stop: &'s Notify,
    /// The expiry of the lease, if this process holds it.
    ours_until: Option<Timestamp>,
    /// Number of consecutive failures.
    failures: u32,
}

/// The sweeper was stopped.
struct Stopped;

impl<'s> Rounds<'s> {
    fn new(plan: Sweeping, store: &'s dyn ErasedExpiredSweep, stop: &'s Notify) -> Self {
        Self {
            plan,
            store,
            stop,
            ours_until: None,
            failures: 0,
        }
    }

    async fn run(mut self) {
        // Random offset, so that processes that start together do not contend for the lease.
        let share = f64::from(jitter()) / f64::from(u32::MAX);
        let mut next = Instant::now() + self.plan.every.mul_f64(share);
        loop {
            if self.wait_until(next).await.is_err() {
                return;
            }
            match self.round().await {
                Ok(Err(Stopped)) => return,
                Ok(Ok(())) => {
                    self.has_worked();
                    next = (next + self.plan.every).max(Instant::now());
                }
                Err(error) => next = Instant::now() + self.has_failed(&error),
            }
        }
    }

    /// Sweeps until no expired record is left or the lease expires. Does nothing without a lease.
    async fn round(&mut self) -> Result<Result<(), Stopped>, StoreError> {
        let Some(until) = self.turn().await? else {
            return Ok(Ok(()));
        };
        loop {
            let now = (self.plan.clock)();
            if now >= until || in_time(self.store.sweep(self.plan.batch, now)).await? == 0 {
                return Ok(Ok(()));
            }
            self.has_worked();
            if self
                .wait_until(Instant::now() + self.plan.pause)
                .await
                .is_err()
            {
                return Ok(Err(Stopped));
            }
        }
    }

    /// Returns the expiry of this process' lease, acquiring it if necessary.
    async fn turn(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let now = (self.plan.clock)();
        if self.ours_until.is_none_or(|until| now >= until) {
            let seconds = i64::try_from(self.plan.every.as_secs()).unwrap_or(i64::MAX);
            let until = now.saturating_add(seconds);
            let claimed = in_time(self.store.acquire_sweep_lease(until, now)).await?;
            self.ours_until = claimed.then_some(until);
        }
        Ok(self.ours_until)
    }

    async fn wait_until(&self, at: Instant) -> Result<(), Stopped> {
        match timeout_at(at, self.stop.notified()).await {
            Ok(()) => Err(Stopped),
            Err(_) => Ok(()),
        }
    }

    fn has_worked(&mut self) {
        if std::mem::take(&mut self.failures) > 0 {
            tracing::info!("expired sessions are swept again");
        }
    }

    /// Logs the first of consecutive failures. Returns the delay before the next attempt.
    fn has_failed(&mut self, error: &StoreError) -> Duration {
        if self.failures == 0 {
            let error = ErrorChain::of(error);
            tracing::warn!("expired sessions cannot be swept, and the sweep is retried: {error}");
        }
        self.failures = self.failures.saturating_add(1);
        let max = self.plan.every.max(Duration::from_secs(2));
        Backoff::new(Duration::from_secs(1), max).delay(self.failures, jitter())
    }
}

async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let answer = timeout(DEADLINE, call).await;
    answer.unwrap_or(Err(StoreError::Timeout(DEADLINE)))
}

#[cfg(test)]
mod tests;
