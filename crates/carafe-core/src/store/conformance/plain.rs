//! A store in another framework's layout, with capabilities as limited as Flask-Session's.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    clock::Timestamp,
    session::{Access, Patch},
    store::{
        BoxFuture, Capabilities, Created, KeyScheme, KeyState, Patched, Powers, Record, Rotation,
        SessionStore, StoreError, StoreKey,
    },
};

/// Sessions in memory under their IDs ([`KeyScheme::RawId`]).
///
/// Supports no pointers, markers or optional operations. For tests of code that wraps a store.
///
/// ```
/// use carafe_core::store::{KeyScheme, SessionStore, conformance::PlainStore};
///
/// assert_eq!(PlainStore::default().capabilities().key_scheme, KeyScheme::RawId);
/// ```
#[derive(Debug, Default)]
pub struct PlainStore {
    /// A plain mutex: held for a few instructions, never across an await.
    records: Mutex<HashMap<StoreKey, Record>>,
}

impl PlainStore {
    fn records(&self) -> MutexGuard<'_, HashMap<StoreKey, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(
        &self,
        from: &StoreKey,
        to: Option<&StoreKey>,
        now: Timestamp,
        change: impl FnOnce(&Record) -> Result<Option<Record>, StoreError>,
    ) -> Result<Option<Record>, StoreError> {
        let mut records = self.records();
        if to.is_some_and(|to| records.contains_key(to)) {
            return Err(StoreError::Conflict);
        }
        let live = records.get(from).filter(|record| !record.is_expired(now));
        let Some(changed) = live.map(change).transpose()?.flatten() else {
            return Ok(None);
        };
        records.remove(from);
        records.insert(*to.unwrap_or(from), changed.clone());
        Ok(Some(changed))
    }
}

fn patched(changed: Option<Record>) -> Patched {
    changed.map_or(Patched::Gone, |record| Patched::Applied(Box::new(record)))
}

impl SessionStore for PlainStore {
    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        _: Timestamp,
    ) -> Result<Created, StoreError> {
        let mut records = self.records();
        let created = match records.contains_key(key) {
            true => Created::Taken,
            false => {
                records.insert(*key, record.clone());
                Created::Created
            }
        };
        Ok(created)
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        let found = self.records().get(key).cloned();
        let live = found.filter(|record| !record.is_expired(now));
        Ok(live.into())
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let changed = self.change(key, None, now, |newest| {
            Ok(newest.merge(base, patch)?.map(|record| *record))
        });
        changed.map(patched)
    }

    async fn rotate(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        _: Rotation,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let changed = self.change(from, Some(to), now, |newest| {
            let rotated = newest.rotated(base, patch, from, Rotation::Replacement, now)?;
            Ok(rotated.map(|record| *record))
        });
        changed.map(patched)
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        let touched = self.change(key, None, access.at, |newest| {
            Ok(Some(
                newest.touched(access).unwrap_or_else(|| newest.clone()),
            ))
        });
        touched.map(|touched| touched.is_some())
    }

    async fn delete(&self, key: &StoreKey, _: Timestamp) -> Result<bool, StoreError> {
        let is_deleted = self.records().remove(key).is_some();
        Ok(is_deleted)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            key_scheme: KeyScheme::RawId,
            aliases: false,
            ..Capabilities::CARAFE
        }
    }

    fn powers(&self) -> Powers<'_> {
        Powers::new()
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        None
    }
}
