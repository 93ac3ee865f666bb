//! Log-outs that the store has missed, and the task that tells it of them.
//!
//! A delete is noted before the store is asked, so that one which is dropped half-way is not lost either, and
//! forgotten when the store has answered. The task runs only while there is something to tell.

use std::{sync::Arc, time::Duration};

use carafe_core::store::{
    SessionStore, StoreError, StoreKey,
    guard::{Step, Tombstones, jitter},
};
use tokio::{runtime::Handle, sync::Notify, task::JoinHandle, time};

use super::shared::{Shared, now};
use Is::{Noted, Refused, Told};

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
    /// Takes the session away, here at once and in the store if it can be told.
    pub(super) async fn log_out(self: &Arc<Self>, key: &StoreKey) -> Result<bool, StoreError> {
        let ending = Ending::new(self, key);
        let delete = self.store.delete(key);
        let result = self.call(self.options.to_write(), delete).await;
        if result.is_ok() {
            ending.told();
        }
        result
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

    async fn tell_of(&self, key: &StoreKey) {
        let deadline = self.options.to_write();
        let told = self.retry(deadline, self.store.delete(key)).await;
        self.with_log_outs(|log_outs| match told {
            Ok(_) => log_outs.stones.told(key),
            Err(_) => log_outs.stones.not_told(key, now(), jitter()),
        });
        if told.is_ok() {
            self.counters.log_outs_told.add_one();
        }
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
        }
        self.log_outs_waiting()
    }

    pub(super) fn abandon_log_outs(&self) {
        let task = self.with_log_outs(|log_outs| log_outs.task.take());
        if let Some(task) = task {
            task.abort();
        }
        let left = self.log_outs_waiting();
        if left > 0 {
            tracing::error!(
                left,
                "log-outs are forgotten that the session store was not told of"
            );
        }
    }
}

async fn tell<S: SessionStore + ?Sized>(shared: Arc<Shared<S>>, hurry: Arc<Notify>) {
    loop {
        match shared.next_step() {
            Step::Tell(keys) => {
                for key in &keys {
                    shared.tell_of(key).await;
                }
            }
            // Either is a reason to look again.
            Step::Wait(until) => drop(time::timeout_at(until.into(), hurry.notified()).await),
            Step::Nothing => return,
        }
    }
}

/// A session that is being ended. Unless the store was told, dropping this leaves the rest to the task.
struct Ending<'s, S: SessionStore + ?Sized> {
    shared: &'s Arc<Shared<S>>,
    key: StoreKey,
    is: Is,
}

enum Is {
    Noted,
    Refused,
    Told,
}

impl<'s, S: SessionStore + ?Sized> Ending<'s, S> {
    fn new(shared: &'s Arc<Shared<S>>, key: &StoreKey) -> Self {
        let noted = shared.with_log_outs(|log_outs| log_outs.stones.note(key));
        let (key, is) = (*key, if noted { Noted } else { Refused });
        Self { shared, key, is }
    }

    fn told(mut self) {
        self.is = Told;
        self.shared
            .with_log_outs(|log_outs| log_outs.stones.told(&self.key));
    }
}

impl<S: SessionStore + ?Sized> Drop for Ending<'_, S> {
    fn drop(&mut self) {
        match self.is {
            Told => {}
            Noted => {
                self.shared
                    .with_log_outs(|log_outs| log_outs.stones.not_told(&self.key, now(), jitter()));
                self.shared.tell_soon();
            }
            Refused => {
                self.shared.counters.log_outs_refused.add_one();
                tracing::error!("a log-out did not reach the session store, and too many wait");
            }
        }
    }
}
