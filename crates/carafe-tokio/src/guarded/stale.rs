//! Reads while the store fails: what it answered a moment ago, if the options allow it.

use std::sync::{MutexGuard, PoisonError};

use carafe_core::{
    clock::Timestamp,
    store::{
        Patched, Record, SessionStore, StoreError, StoreKey,
        guard::{Asked, LogOut, Recent, is_failure},
    },
};

use super::shared::{Shared, now};

impl<S: SessionStore + ?Sized> Shared<S> {
    pub(super) fn recent(&self) -> Option<MutexGuard<'_, Recent>> {
        let recent = self.recent.as_ref()?;
        Some(recent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Before the store is asked for something that may be kept.
    pub(super) fn asks(&self) -> Option<Asked> {
        Some(self.recent()?.ask(now()))
    }

    /// Keeps what the store has answered under `key`, or forgets what it had.
    pub(super) fn keep(
        &self,
        key: &StoreKey,
        found: Option<&Record>,
        asked: Option<Asked>,
        at: Timestamp,
    ) {
        if let (Some(mut recent), Some(asked)) = (self.recent(), asked) {
            match found {
                Some(record) => recent.keep(key, record, asked, at),
                None => recent.forget(key),
            }
        }
    }

    pub(super) fn keep_patched(
        &self,
        key: &StoreKey,
        patched: &Result<Patched, StoreError>,
        asked: Option<Asked>,
        at: Timestamp,
    ) {
        match patched {
            Ok(Patched::Applied(record)) => self.keep(key, Some(record), asked, at),
            Ok(Patched::Gone) => self.keep(key, None, asked, at),
            Err(_) => {}
        }
    }

    /// What to answer in place of a load's `error`.
    pub(super) fn stale(
        &self,
        key: &StoreKey,
        error: StoreError,
        at: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let Some(mut recent) = self.recent() else {
            return Err(error);
        };
        if !is_failure(&error) {
            recent.forget(key);
            return Err(error);
        }
        let found = recent.stale(key, now(), at);
        drop(recent);
        let Some(record) = found.filter(|record| !self.has_ended(key) && !self.ends(record)) else {
            return Err(error);
        };
        self.counters.stale_reads.add_one();
        Ok(Some(record))
    }

    /// Whether a use that could not be noted is none of the visitor's trouble, who only reads.
    pub(super) fn may_miss_a_use(&self, key: &StoreKey, error: &StoreError, at: Timestamp) -> bool {
        let found = self
            .recent()
            .and_then(|recent| recent.stale(key, now(), at));
        is_failure(error) && found.is_some()
    }

    /// No session that `order` ends is answered any more.
    pub(super) fn end_recent(&self, order: &LogOut) {
        if let Some(mut recent) = self.recent() {
            recent.end(order);
        }
    }
}

/// The answer to a change of what is not from the store.
pub(super) fn refused_if_stale(base: &Record) -> Result<(), StoreError> {
    match base.is_stale() {
        true => Err(StoreError::unavailable(
            "the session was read while the store failed, and cannot be changed",
        )),
        false => Ok(()),
    }
}
