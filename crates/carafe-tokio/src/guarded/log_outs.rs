//! Log-outs that the store has missed, and the task that tells it of them.
//!
//! An order is noted before the store is asked, so that one which is dropped half-way is not lost either, and
//! forgotten when the store has answered. One that failed is in the journal, if there is one, before its caller
//! hears of it. The task runs only while there is something to tell.

use std::{sync::Arc, time::Duration};

use carafe_core::{
    clock::Timestamp,
    store::{
        Inventory, SessionStore, StoreError, UserSessions,
        guard::{LogOut, Step, Tombstones, Whose, jitter},
    },
};
use tokio::{runtime::Handle, sync::Notify, task::JoinHandle, time};

use super::{
    journal::Journal,
    shared::{Shared, now},
};
use Is::{Noted, Refused};

/// How many sessions at a time where all are to end.
const STEP: usize = 1_000;

pub(super) struct LogOuts {
    pub(super) stones: Tombstones,
    task: Option<JoinHandle<()>>,
    /// Ends the task's pause.
    hurry: Arc<Notify>,
}

impl LogOuts {
    pub(super) fn new(stones: Tombstones) -> Self {
        Self {
            stones,
            task: None,
            hurry: Arc::default(),
        }
    }

    fn is_told_by_a_task(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }
}

impl<S: SessionStore + ?Sized> Shared<S> {
    /// Ends sessions, here at once and in the store if it can be told by `work`. Whoever the order is for is no
    /// operator: the circuit learns how it went.
    pub(super) async fn log_out<T>(
        self: &Arc<Self>,
        whose: Whose,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let ending = Ending::new(self, whose, Timestamp::now());
        let result = self.call(self.options.to_write(), work).await;
        ending.after(result).await
    }

    /// [`Shared::log_out`] for an operator, of what was there at `at`.
    pub(super) async fn log_out_aside<T>(
        self: &Arc<Self>,
        whose: Whose,
        at: Timestamp,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let ending = Ending::new(self, whose, at);
        let result = self.aside(self.options.to_write(), work).await;
        ending.after(result).await
    }

    /// Takes up what an earlier process has remembered, and begins to tell the store of it.
    pub(super) fn restore_log_outs(self: &Arc<Self>, orders: &[LogOut]) {
        self.with_log_outs(|log_outs| {
            orders
                .iter()
                .for_each(|order| log_outs.stones.restore(order));
        });
        if !orders.is_empty() {
            self.tell_soon();
        }
    }

    /// Puts an order into the journal, if there is one, in a thread that may block; nothing stops it half-way.
    fn write_down(self: &Arc<Self>, order: &LogOut) -> Option<JoinHandle<()>> {
        let runtime = Handle::try_current()
            .ok()
            .filter(|_| self.journal.is_some())?;
        let (shared, order) = (Arc::clone(self), order.clone());
        Some(runtime.spawn_blocking(move || {
            let journal = shared.journal.as_ref();
            let written =
                journal.map_or(Ok(()), |journal| journal.append(&order, || shared.missed()));
            if let Err(error) = written {
                shared.is_unwritten(&error);
            }
        }))
    }

    /// [`Shared::write_down`], waited for no longer than for a write to the store.
    async fn written_down(self: &Arc<Self>, order: &LogOut) {
        if let Some(written) = self.write_down(order)
            && time::timeout(self.options.to_write(), written)
                .await
                .is_err()
        {
            self.is_unwritten(&"it takes too long");
        }
    }

    fn is_unwritten(&self, error: &dyn std::fmt::Display) {
        self.counters.log_outs_unwritten.add_one();
        tracing::error!("a remembered log-out is not in the journal: {error}");
    }

    /// Empties the journal once the store knows of all that stands there.
    fn tidy(self: &Arc<Self>) -> Option<JoinHandle<()>> {
        let dirty = self.journal.as_ref().is_some_and(Journal::is_dirty);
        if !dirty || self.with_log_outs(|log_outs| log_outs.stones.missed_count()) > 0 {
            return None;
        }
        let (runtime, shared) = (Handle::try_current().ok()?, Arc::clone(self));
        Some(runtime.spawn_blocking(move || {
            let journal = shared.journal.as_ref();
            let tidied = journal.map_or(Ok(()), |journal| journal.tidy(|| shared.missed()));
            if let Err(error) = tidied {
                // What stays is told once more after the next start, which changes nothing.
                tracing::warn!("the journal of log-outs cannot be emptied: {error}");
            }
        }))
    }

    fn missed(&self) -> Vec<LogOut> {
        self.with_log_outs(|log_outs| log_outs.stones.missed().collect())
    }

    /// Starts the task unless it runs. Without a runtime nothing can be told; `abandon_log_outs` says so.
    fn tell_soon(self: &Arc<Self>) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        self.with_log_outs(|log_outs| {
            if !log_outs.is_told_by_a_task() {
                tracing::warn!("a log-out did not reach the session store, and will be told to it");
                let hurry = Arc::clone(&log_outs.hurry);
                log_outs.task = Some(runtime.spawn(tell(Arc::clone(self), hurry)));
            }
        });
    }

    /// What the task does next; at the end it gives its place away in the same breath, so that whoever comes
    /// next starts another.
    fn next_step(&self) -> Step {
        self.with_log_outs(|log_outs| {
            let step = log_outs.stones.step(now());
            if step == Step::Nothing {
                log_outs.task = None;
            }
            step
        })
    }

    async fn tell_of(&self, order: &LogOut) {
        let told = self.tell(order).await;
        // Before the order is no longer held: a load that saw the sessions may still be on its way.
        self.end_recent(order);
        self.with_log_outs(|log_outs| match &told {
            Ok(Told::Whole) => log_outs.stones.told(order),
            Ok(Told::InPart) => log_outs.stones.told_in_part(order),
            Err(_) => log_outs.stones.not_told(order, now(), jitter()),
        });
        if matches!(told, Ok(Told::Whole)) {
            self.counters.log_outs_told.add_one();
        }
    }

    async fn tell(&self, order: &LogOut) -> Result<Told, StoreError> {
        let to_write = self.options.to_write();
        let told = match &order.whose {
            Whose::Key(key) => {
                let delete = self.store.delete(key);
                self.retry(to_write, delete).await.map(|_| Told::Whole)
            }
            Whose::Handle(handle) => {
                let delete = self.inventory()?.delete_of_handle(*handle);
                self.retry(to_write, delete).await.map(|_| Told::Whole)
            }
            Whose::User(user, _) => self.tell_of_user(user, order).await,
            Whose::Everyone => {
                let delete = self.inventory()?.delete_begun(order.at, STEP);
                self.retry(to_write, delete).await.map(Told::unless_some)
            }
        };
        match told {
            // It never could: the store has lost a power that it had.
            Err(StoreError::Unsupported) => Ok(Told::Whole),
            told => told,
        }
    }

    /// By their names, so that whoever has logged in since the order stays.
    async fn tell_of_user(&self, user: &str, order: &LogOut) -> Result<Told, StoreError> {
        let users = self.users()?;
        let list = users.of_user(user, Timestamp::now());
        let listed = self.retry(self.options.to_read(), list).await?;
        let mut ended = 0;
        for which in order.left(&listed) {
            let delete = users.delete_of_user(user, which);
            ended += self.retry(self.options.to_write(), delete).await?;
        }
        Ok(Told::unless_some(ended))
    }

    pub(super) fn users(&self) -> Result<&dyn UserSessions, StoreError> {
        self.store.users().ok_or(StoreError::Unsupported)
    }

    pub(super) fn inventory(&self) -> Result<&dyn Inventory, StoreError> {
        self.store.inventory().ok_or(StoreError::Unsupported)
    }

    pub(super) async fn finish_log_outs(&self, grace: Duration) -> usize {
        let task = self.with_log_outs(|log_outs| {
            log_outs.stones.hurry();
            log_outs.hurry.notify_one();
            log_outs.task.take()
        });
        if let Some(mut task) = task
            && time::timeout(grace, &mut task).await.is_err()
        {
            task.abort();
            // It lets go of the journal.
            let _ = task.await;
        }
        self.log_outs_waiting()
    }

    pub(super) fn abandon_log_outs(&self) {
        let task = self.with_log_outs(|log_outs| log_outs.task.take());
        if let Some(task) = task {
            task.abort();
        }
        let left = self.log_outs_waiting();
        match left {
            0 => {}
            _ if self.journal.is_some() => {
                tracing::warn!(
                    left,
                    "the session store was not told of log-outs; the journal has them"
                );
            }
            _ => tracing::error!(
                left,
                "log-outs are forgotten that the session store was not told of"
            ),
        }
    }
}

async fn tell<S: SessionStore + ?Sized>(shared: Arc<Shared<S>>, hurry: Arc<Notify>) {
    loop {
        match shared.next_step() {
            Step::Tell(orders) => {
                for order in &orders {
                    shared.tell_of(order).await;
                }
            }
            // Either is a reason to look again.
            Step::Wait(until) => drop(time::timeout_at(until.into(), hurry.notified()).await),
            Step::Nothing => {
                if let Some(tidied) = shared.tidy() {
                    // Its error is in the log.
                    let _ = tidied.await;
                }
                return;
            }
        }
    }
}

/// What one step of telling has come to.
enum Told {
    Whole,
    /// There may be more.
    InPart,
}

impl Told {
    /// A step that still found some to end is not the last.
    const fn unless_some(ended: u64) -> Self {
        match ended {
            0 => Self::Whole,
            _ => Self::InPart,
        }
    }
}

/// Sessions that are being ended. Unless the store was told, dropping this leaves the rest to the task.
struct Ending<'s, S: SessionStore + ?Sized> {
    shared: &'s Arc<Shared<S>>,
    order: LogOut,
    is: Is,
}

enum Is {
    Noted,
    Refused,
    Done,
}

impl<'s, S: SessionStore + ?Sized> Ending<'s, S> {
    fn new(shared: &'s Arc<Shared<S>>, whose: Whose, at: Timestamp) -> Self {
        let order = LogOut { whose, at };
        let noted = shared.with_log_outs(|log_outs| log_outs.stones.note(&order));
        let is = if noted { Noted } else { Refused };
        Self { shared, order, is }
    }

    async fn after<T>(mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        // A store that cannot do it at all will not later.
        if matches!(result, Ok(_) | Err(StoreError::Unsupported)) {
            self.is = Is::Done;
            self.shared.end_recent(&self.order);
            self.shared
                .with_log_outs(|log_outs| log_outs.stones.told(&self.order));
            drop(self.shared.tidy());
        } else if matches!(self.is, Noted) {
            self.is = Is::Done;
            self.not_told();
            self.shared.written_down(&self.order).await;
        }
        result
    }

    fn not_told(&self) {
        self.shared
            .with_log_outs(|log_outs| log_outs.stones.not_told(&self.order, now(), jitter()));
        self.shared.tell_soon();
    }
}

impl<S: SessionStore + ?Sized> Drop for Ending<'_, S> {
    fn drop(&mut self) {
        match self.is {
            Is::Done => {}
            Noted => {
                self.not_told();
                drop(self.shared.write_down(&self.order));
            }
            Refused => {
                self.shared.counters.log_outs_refused.add_one();
                tracing::error!(
                    "a log-out did not reach the session store, and cannot be remembered"
                );
            }
        }
    }
}
