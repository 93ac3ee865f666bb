//! Where sessions come from.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{BoxFuture, Cursor, ErasedStore, Record, SessionListing, StoreError, StoreKey},
};

use crate::{failure::Failure, stores::OpenStore};

/// A store that can be walked through, whatever it names its sessions by.
pub(crate) trait Source {
    /// The store, for what is done to single sessions, by its own names.
    fn store(&self) -> &dyn ErasedStore;

    /// Whether a session may be found through the id that it had before. Such a session must not be moved by it.
    fn has_aliases(&self) -> bool;

    /// Some of its sessions, as [`SessionListing::scan`].
    fn scan<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<ScanPage, StoreError>>;

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
pub(crate) struct ScanPage {
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
pub(crate) struct OurSource<'s> {
    store: &'s dyn ErasedStore,
    listing: &'s dyn SessionListing,
}

impl<'s> OurSource<'s> {
    /// Creates a source from a store that has a listing.
    pub(crate) fn of(store: &'s OpenStore) -> Result<Self, Failure> {
        Ok(Self {
            store: store.sessions(),
            listing: store.listing()?,
        })
    }
}

impl Source for OurSource<'_> {
    fn store(&self) -> &dyn ErasedStore {
        self.store
    }

    fn has_aliases(&self) -> bool {
        true
    }

    fn scan<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<ScanPage, StoreError>> {
        Box::pin(async move {
            let batch = self.listing.scan(after, limit).await?;
            let found = batch.records.into_iter().map(|(key, record)| Found {
                name: key,
                key,
                record,
            });
            Ok(ScanPage {
                found: found.collect(),
                next: batch.next,
            })
        })
    }

    fn total<'a>(&'a self, now: Timestamp) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.listing.sample(1, now).await?.total) })
    }

    fn name_of(&self, key: &StoreKey) -> Option<StoreKey> {
        Some(*key)
    }
}

/// Whether nothing tells the two apart.
pub(super) fn is_same(a: &Record, b: &Record) -> bool {
    let text = |record: &Record| Patch::default().render(&record.data, Record::STYLE);
    a.meta == b.meta && text(a) == text(b)
}
