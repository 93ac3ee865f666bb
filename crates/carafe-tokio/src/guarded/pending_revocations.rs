//! Revocations that the store has not received. This node rejects the sessions immediately, and the
//! store receives the revocations as soon as it answers.
//!
//! They are delivered in the order of their requests. While the store fails, one is tried after
//! each delay, whatever their number. Once the store answers, they are delivered in batches. A
//! later revocation of the same target replaces the earlier one. The collection contains keys,
//! never session IDs, and is in memory only: a node that exits before delivery loses it, unless it
//! has a [`Journal`](super::journal::Journal).

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use carafe_core::{
    clock::Timestamp,
    store::{Selection, StoreKey},
};

use super::pending_revocation::{PendingRevocation, RevocationTarget, SessionIdentity};
use crate::backoff::Backoff;

/// Maximum number of revocations in one batch.
const BATCH: usize = 16;
/// Maximum length of a user name, in bytes, which bounds the memory of the collection.
const MAX_USER_BYTES: usize = 1_024;

/// The number of revocations that a [`Guarded`](crate::Guarded) store remembers, and the delays
/// between attempts to deliver them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RevocationRules {
    capacity: usize,
    backoff: Backoff,
}

impl RevocationRules {
    /// Sets how many revocations are remembered. Further ones are rejected. A revocation takes less
    /// than 200 bytes plus twice the length of the user's name, which must not exceed 1,024 bytes.
    /// Default: 10,000.
    pub const fn with_capacity(mut self, revocations: usize) -> Self {
        self.capacity = revocations;
        self
    }

    /// Sets the delays between attempts. Default: 100 ms, doubling up to 1 s.
    pub const fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }
}

impl Default for RevocationRules {
    fn default() -> Self {
        Self {
            capacity: 10_000,
            backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(1)),
        }
    }
}

/// The state machine. Callers pass the time.
#[derive(Debug)]
pub(super) struct PendingRevocations {
    rules: RevocationRules,
    entries: HashMap<RevocationTarget, Entry>,
    /// The selections of the entries for users, by user: an index for
    /// [`PendingRevocations::revokes`].
    by_user: HashMap<Arc<str>, Vec<Selection>>,
    /// The entries that wait for delivery, in order. The others are being delivered.
    queue: VecDeque<RevocationTarget>,
    undelivered: usize,
    failures: u32,
    /// No attempt before this time.
    retry_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Timestamp,
    queued: bool,
    /// Whether a delivery has failed.
    undelivered: bool,
}

/// The next step of the delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Deliver these, and report each: [`PendingRevocations::ack`],
    /// [`PendingRevocations::ack_in_part`] or [`PendingRevocations::nack`].
    Deliver(Vec<PendingRevocation>),
    /// Wait until this time.
    Wait(Instant),
    /// The queue is empty.
    Idle,
}

impl PendingRevocations {
    pub(super) fn new(rules: RevocationRules) -> Self {
        Self {
            rules,
            entries: HashMap::new(),
            by_user: HashMap::new(),
            queue: VecDeque::new(),
            undelivered: 0,
            failures: 0,
            retry_at: None,
        }
    }

    /// Adds a revocation that is being delivered. Returns whether the capacity allowed it. If so,
    /// [`PendingRevocations::ack`] or [`PendingRevocations::nack`] must follow.
    #[must_use]
    pub(super) fn add(&mut self, revocation: &PendingRevocation) -> bool {
        if let Some(entry) = self.entries.get_mut(&revocation.target) {
            entry.at = entry.at.max(revocation.at);
            return true;
        }
        let is_bounded = match &revocation.target {
            RevocationTarget::User(user, _) => user.len() <= MAX_USER_BYTES,
            _ => true,
        };
        let fits = is_bounded && self.entries.len() < self.rules.capacity;
        if fits {
            self.insert(revocation);
        }
        fits
    }

    /// Adds a revocation from a journal to the queue, even beyond the capacity.
    pub(super) fn restore(&mut self, revocation: &PendingRevocation) {
        match self.entries.get_mut(&revocation.target) {
            Some(entry) => entry.at = entry.at.max(revocation.at),
            None => self.insert(revocation),
        }
        self.enqueue(&revocation.target);
    }

    fn insert(&mut self, revocation: &PendingRevocation) {
        if let RevocationTarget::User(user, selection) = &revocation.target {
            let selections = self.by_user.entry(Arc::clone(user)).or_default();
            selections.push(*selection);
        }
        let entry = Entry {
            at: revocation.at,
            queued: false,
            undelivered: false,
        };
        self.entries.insert(revocation.target.clone(), entry);
    }

    /// Queues an entry, and marks it as undelivered.
    fn enqueue(&mut self, target: &RevocationTarget) {
        let Some(entry) = self.entries.get_mut(target) else {
            return;
        };
        if !std::mem::replace(&mut entry.undelivered, true) {
            self.undelivered += 1;
        }
        if !std::mem::replace(&mut entry.queued, true) {
            self.queue.push_back(target.clone());
        }
    }

    /// Removes a revocation that the store has received. A later revocation of the same target
    /// stays.
    pub(super) fn ack(&mut self, revocation: &PendingRevocation) {
        (self.failures, self.retry_at) = (0, None);
        let Some(entry) = self.entries.get(&revocation.target).copied() else {
            return;
        };
        if entry.at > revocation.at {
            return;
        }
        self.entries.remove(&revocation.target);
        self.undelivered -= usize::from(entry.undelivered);
        // Another caller delivered the same target while this entry was in the queue.
        if entry.queued {
            self.queue.retain(|queued| *queued != revocation.target);
        }
        if let RevocationTarget::User(user, selection) = &revocation.target
            && let Some(selections) = self.by_user.get_mut(user)
        {
            selections.retain(|one| one != selection);
            if selections.is_empty() {
                self.by_user.remove(user);
            }
        }
    }

    /// Queues a revocation again after the store has deleted a part of its sessions. All other
    /// queued entries come first.
    pub(super) fn ack_in_part(&mut self, revocation: &PendingRevocation) {
        (self.failures, self.retry_at) = (0, None);
        self.enqueue(&revocation.target);
    }

    /// Queues a revocation again after a failed delivery, and delays the next attempt. `jitter` is
    /// passed to [`Backoff::delay`].
    pub(super) fn nack(&mut self, revocation: &PendingRevocation, now: Instant, jitter: u32) {
        if !self.entries.contains_key(&revocation.target) {
            return;
        }
        self.enqueue(&revocation.target);
        // Failures during one delay count once.
        if self.retry_at.is_none_or(|at| at <= now) {
            self.failures = self.failures.saturating_add(1);
            self.retry_at = Some(now + self.rules.backoff.delay(self.failures, jitter));
        }
    }

    /// Returns the next step. [`Step::Deliver`] takes its revocations out of the queue.
    pub(super) fn next_step(&mut self, now: Instant) -> Step {
        if self.queue.is_empty() {
            return Step::Idle;
        }
        if let Some(at) = self.retry_at.filter(|&at| now < at) {
            return Step::Wait(at);
        }
        let count = if self.failures == 0 { BATCH } else { 1 };
        let count = count.min(self.queue.len());
        let mut batch = Vec::with_capacity(count);
        for target in self.queue.drain(..count) {
            if let Some(entry) = self.entries.get_mut(&target) {
                entry.queued = false;
                batch.push(PendingRevocation {
                    target,
                    at: entry.at,
                });
            }
        }
        Step::Deliver(batch)
    }

    /// Cancels the current delay.
    pub(super) fn skip_backoff(&mut self) {
        self.retry_at = None;
    }

    /// Returns whether the session under `key` is revoked by its key.
    pub(super) fn revokes_key(&self, key: &StoreKey) -> bool {
        self.entries.contains_key(&RevocationTarget::Key(*key))
    }

    /// Returns whether a revocation by public ID, by user or of all sessions applies to this
    /// session: [`PendingRevocation::revokes`].
    pub(super) fn revokes<'a>(&self, session: impl Into<SessionIdentity<'a>>) -> bool {
        let session = session.into();
        let by = |target: RevocationTarget| {
            let at = self.entries.get(&target).map(|entry| entry.at);
            at.is_some_and(|at| PendingRevocation { target, at }.revokes(session))
        };
        let by_user = session.user().is_some_and(|user| {
            let entry = self.by_user.get_key_value(user);
            entry.is_some_and(|(user, selections)| {
                let mut targets = selections
                    .iter()
                    .map(|&selection| RevocationTarget::User(Arc::clone(user), selection));
                targets.any(by)
            })
        });
        by_user || by(RevocationTarget::All) || by(RevocationTarget::PublicId(session.public_id()))
    }

    /// Returns the number of revocations that the store may not have received.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the revocations with at least one failed delivery.
    pub(super) fn undelivered(&self) -> impl Iterator<Item = PendingRevocation> + '_ {
        let undelivered = self.entries.iter().filter(|(_, entry)| entry.undelivered);
        undelivered.map(|(target, entry)| PendingRevocation {
            target: target.clone(),
            at: entry.at,
        })
    }

    /// Returns the number of revocations with at least one failed delivery.
    pub(super) const fn undelivered_count(&self) -> usize {
        self.undelivered
    }
}

#[cfg(test)]
mod tests;
