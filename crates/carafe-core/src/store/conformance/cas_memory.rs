//! A database in memory with compare-and-swap of single keys.

use std::{
    collections::HashMap,
    future::poll_fn,
    sync::{Mutex, PoisonError},
    task::Poll,
};

use crate::{
    clock::Timestamp,
    store::{CompareAndSwap, StoreError, StoreKey},
};

/// A [`CompareAndSwap`] in memory with operations that are each pending once.
///
/// The operations of concurrent callers therefore interleave, as with a server. For tests of
/// [`CasStore`](crate::store::CasStore).
///
/// ```
/// use carafe_core::store::{CasStore, SessionStore, conformance::CasMemory};
///
/// let store = CasStore::new(CasMemory::default());
/// assert!(store.powers().users().is_none());
/// ```
#[derive(Debug, Default)]
pub struct CasMemory {
    /// A plain mutex: held for one operation, never across an await.
    values: Mutex<Values>,
}

#[derive(Debug, Default)]
struct Values {
    of_keys: HashMap<StoreKey, (Vec<u8>, u64)>,
    last_version: u64,
}

impl CasMemory {
    /// Replaces the value of `key` if its version is `expected`.
    async fn swap(&self, key: &StoreKey, expected: Option<&u64>, value: Option<&[u8]>) -> bool {
        pending_once().await;
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let found = values.of_keys.get(key).map(|(_, version)| version);
        if found != expected {
            return false;
        }
        values.last_version += 1;
        let version = values.last_version;
        match value {
            Some(value) => drop(values.of_keys.insert(*key, (value.to_vec(), version))),
            None => drop(values.of_keys.remove(key)),
        }
        true
    }
}

impl CompareAndSwap for CasMemory {
    type Version = u64;

    async fn read(&self, key: &StoreKey) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        pending_once().await;
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(values.of_keys.get(key).cloned())
    }

    async fn insert(&self, key: &StoreKey, value: &[u8], _: Timestamp) -> Result<bool, StoreError> {
        Ok(self.swap(key, None, Some(value)).await)
    }

    async fn replace(
        &self,
        key: &StoreKey,
        version: &u64,
        value: &[u8],
        _: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.swap(key, Some(version), Some(value)).await)
    }

    async fn remove(&self, key: &StoreKey, version: &u64) -> Result<bool, StoreError> {
        Ok(self.swap(key, Some(version), None).await)
    }
}

/// Lets other tasks run once.
async fn pending_once() {
    let mut is_second = false;
    poll_fn(|context| match std::mem::replace(&mut is_second, true) {
        true => Poll::Ready(()),
        false => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}
