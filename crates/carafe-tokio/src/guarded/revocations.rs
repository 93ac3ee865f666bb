//! The pending revocations of a guard, and the handle of the task that delivers them.

use std::sync::Arc;

use tokio::{sync::Notify, task::JoinHandle};

use super::pending_revocations::{PendingRevocations, RevocationRules};

/// The pending revocations of a store and the task that delivers them.
pub(super) struct Revocations {
    pub(super) pending: PendingRevocations,
    pub(super) task: Option<JoinHandle<()>>,
    /// Interrupts a delay of the task.
    pub(super) wake: Arc<Notify>,
}

impl Revocations {
    pub(super) fn new(rules: RevocationRules) -> Self {
        Self {
            pending: PendingRevocations::new(rules),
            task: None,
            wake: Arc::default(),
        }
    }

    pub(super) fn has_running_task(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }
}
