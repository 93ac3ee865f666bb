//! Where sessions come from.

use carafe_core::{
    clock::Timestamp,
    store::{BoxFuture, Cursor, Inventory, Record, SessionStore, StoreError, StoreKey},
};

use super::step::is_same;

/// A store that can be walked through, whatever it names its sessions by.
pub(crate) trait Source {
    /// The store, for what is done to single sessions, by its own names.
    fn store(&self) -> &dyn SessionStore;

    /// Whether a session may be found through the id that it had before. Such a session must not be moved by it.
    fn has_aliases(&self) -> bool;

    /// Some of its sessions, as [`Inventory::walk`].
    fn walk<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Stretch, StoreError>>;

    /// About how many live sessions there are, for the bar.
    fn total<'a>(&'a self, now: Timestamp) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Its own name for the session that we file under `key`; `None` if that cannot be told.
    fn name_of(&self, key: &StoreKey) -> Option<StoreKey>;

    /// Whether what it gives as `here` is what the target has as `there`.
    fn is_same(&self, here: &Record, there: &Record) -> bool {
        is_same(here, there)
    }
}

/// Some sessions on the walk.
pub(crate) struct Stretch {
    pub(crate) found: Vec<Found>,
    pub(crate) next: Option<Cursor>,
}

/// A session on the walk.
pub(crate) struct Found {
    /// The source's name for it.
    pub(crate) name: StoreKey,
    /// Ours: the SHA-256 of its id.
    pub(crate) key: StoreKey,
    pub(crate) record: Result<Record, StoreError>,
}

/// A store in Carafe's own layout.
pub(crate) struct OurSource<'s>(pub(crate) &'s dyn Inventory);

impl Source for OurSource<'_> {
    fn store(&self) -> &dyn SessionStore {
        self.0
    }

    fn has_aliases(&self) -> bool {
        true
    }

    fn walk<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Stretch, StoreError>> {
        Box::pin(async move {
            let batch = self.0.walk(after, limit).await?;
            let found = batch.records.into_iter().map(|(key, record)| Found {
                name: key,
                key,
                record,
            });
            Ok(Stretch {
                found: found.collect(),
                next: batch.next,
            })
        })
    }

    fn total<'a>(&'a self, now: Timestamp) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.0.sample(1, now).await?.total) })
    }

    fn name_of(&self, key: &StoreKey) -> Option<StoreKey> {
        Some(*key)
    }
}
