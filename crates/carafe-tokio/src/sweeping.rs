//! Removes what has expired: a little at a time, once an interval over all processes, whatever fails.
//!
//! Never the reason why a session is over: stores decide that by the time. It only gives room back.

use std::{sync::Arc, time::Duration};

use carafe_core::{
    clock::Timestamp,
    store::{
        ExpiredSweep, SessionStore, StoreError,
        guard::{Backoff, jitter},
    },
};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};

/// How long one call of the store may take; what sweeps may wait, but not for ever.
const DEADLINE: Duration = Duration::from_secs(10);

/// How often and how fast expired sessions are removed.
///
/// Each process starts a sweeper; before it sweeps it claims the interval in the store, so that one of them
/// does and the others wait. Should that one end, another takes over at the end of its interval. For a store
/// that forgets by itself, as Redis does, there is nothing to do, and it does nothing.
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

/// A sweeper that runs. Dropping it ends it at once, which leaves nothing half done.
#[derive(Debug)]
#[must_use = "dropping a sweeper ends it"]
pub struct Sweeper {
    task: JoinHandle<()>,
    stop: Arc<Notify>,
}

impl Sweeping {
    /// Sweeps once in `interval`, over all processes: a second at least.
    pub fn every(interval: Duration) -> Self {
        Self {
            every: interval.max(Duration::from_secs(1)),
            batch: 500,
            pause: Duration::from_millis(50),
            clock: Timestamp::now,
        }
    }

    /// How many records are removed in one step. 500 unless set, 1 at least.
    pub fn with_batch(self, records: usize) -> Self {
        Self {
            batch: records.max(1),
            ..self
        }
    }

    /// How long others have the store between two steps. 50 ms unless set.
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// Starts sweeping `store`, as a task of the current runtime of tokio.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn start(self, store: Arc<dyn SessionStore>) -> Sweeper {
        let stop = Arc::<Notify>::default();
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            if let Some(sweeper) = store.sweeper() {
                Rounds::new(self, sweeper, &stopped).run().await;
            }
        });
        Sweeper { task, stop }
    }
}

impl Sweeper {
    /// Ends it, after the step that is under way.
    pub async fn stop(mut self) {
        self.stop.notify_one();
        // An error: it has ended already.
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
    store: &'s dyn ExpiredSweep,
    stop: &'s Notify,
    /// Until when it is our turn.
    ours_until: Option<Timestamp>,
    /// In a row.
    failures: u32,
}

/// Somebody wants it to end.
struct Stopped;

impl<'s> Rounds<'s> {
    fn new(plan: Sweeping, store: &'s dyn ExpiredSweep, stop: &'s Notify) -> Self {
        Self {
            plan,
            store,
            stop,
            ours_until: None,
            failures: 0,
        }
    }

    async fn run(mut self) {
        // Processes that start together do not claim together.
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

    /// Sweeps until nothing is left, if it is our turn and for as long as it is.
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

    /// Until when it is our turn, if it is.
    async fn turn(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let now = (self.plan.clock)();
        if self.ours_until.is_none_or(|until| now >= until) {
            let seconds = i64::try_from(self.plan.every.as_secs()).unwrap_or(i64::MAX);
            let until = now.saturating_add(seconds);
            let claimed = in_time(self.store.claim(until, now)).await?;
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

    /// One event for failures in a row; how long to wait.
    fn has_failed(&mut self, error: &StoreError) -> Duration {
        if self.failures == 0 {
            tracing::warn!("expired sessions are not swept, and it is tried again: {error}");
        }
        self.failures = self.failures.saturating_add(1);
        let pauses = Backoff {
            first: Duration::from_secs(1),
            longest: self.plan.every.max(Duration::from_secs(2)),
        };
        pauses.after(self.failures, jitter())
    }
}

async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let answer = timeout(DEADLINE, call).await;
    answer.unwrap_or(Err(StoreError::Timeout(DEADLINE)))
}

#[cfg(test)]
mod tests;
