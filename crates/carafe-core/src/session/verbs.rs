//! A store's verbs: at once where the store has that power, otherwise after a wait.

use crate::{
    clock::Timestamp,
    session::Patch,
    store::{AtOnce, Created, Patched, Record, SessionStore, StoreError, StoreKey},
};

pub(super) struct Verbs<'s> {
    store: &'s dyn SessionStore,
    at_once: Option<&'s dyn AtOnce>,
}

impl<'s> Verbs<'s> {
    pub(super) fn of(store: &'s dyn SessionStore) -> Self {
        Self {
            at_once: store.at_once(),
            store,
        }
    }

    /// Whether no verb ever waits.
    pub(super) const fn are_at_once(&self) -> bool {
        self.at_once.is_some()
    }

    pub(super) async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        match self.at_once {
            Some(store) => store.create_at_once(key, record, now),
            None => self.store.create(key, record, now).await,
        }
    }

    /// Whether there was a record to change.
    pub(super) async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self.at_once {
            Some(store) => store.patch_at_once(key, base, patch, now),
            None => Ok(was_there(&self.store.patch(key, base, patch, now).await?)),
        }
    }

    /// Whether there was a record to move.
    pub(super) async fn rotate(
        &self,
        (from, to): (&StoreKey, &StoreKey),
        base: &Record,
        patch: &Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self.at_once {
            Some(store) => store.rotate_at_once((from, to), base, patch, alias_until, now),
            None => {
                let rotated = self.store.rotate(from, to, base, patch, alias_until, now);
                Ok(was_there(&rotated.await?))
            }
        }
    }

    pub(super) async fn touch(
        &self,
        key: &StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self.at_once {
            Some(store) => store.touch_at_once(key, expires, now),
            None => self.store.touch(key, expires, now).await,
        }
    }

    pub(super) async fn delete(&self, key: &StoreKey) -> Result<bool, StoreError> {
        match self.at_once {
            Some(store) => store.delete_at_once(key),
            None => self.store.delete(key).await,
        }
    }
}

const fn was_there(patched: &Patched) -> bool {
    matches!(patched, Patched::Applied(_))
}
