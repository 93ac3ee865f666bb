//! The sources of a migration.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{BoxFuture, Cursor, ErasedSessionListing, ErasedStore, Record, StoreError, StoreKey},
};

/// A store that can be scanned, in any layout.
pub trait Source: Send + Sync {
    /// Returns the store, for operations on single sessions under the source's own keys.
    fn store(&self) -> &dyn ErasedStore;

    /// Whether a session may be found through the id that it had before.
    ///
    /// Such a session must not be moved under that id.
    fn has_aliases(&self) -> bool;

    /// Returns a page of sessions, as [`ErasedSessionListing::scan`].
    fn scan<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<ScanPage, StoreError>>;

    /// Returns the approximate number of live sessions, for the progress bar.
    fn total<'a>(&'a self, now: Timestamp) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Returns the source's own key of the session that Carafe stores under `key`, or `None` if it
    /// cannot be computed.
    fn name_of(&self, key: &StoreKey) -> Option<StoreKey>;

    /// Returns whether `here`, a record of the source, equals `there`, a record of the target.
    fn is_same(&self, here: &Record, there: &Record) -> bool {
        is_same(here, there)
    }
}

/// A page of sessions.
pub struct ScanPage {
    /// The sessions.
    pub found: Vec<Found>,
    /// The position of the next page, or `None` at the end.
    pub next: Option<Cursor>,
}

/// A session of a page.
pub struct Found {
    /// The key in the source.
    pub name: StoreKey,
    /// Carafe's key: the SHA-256 of the session's ID.
    pub key: StoreKey,
    /// The record, or the reason why it cannot be read.
    pub record: Result<Record, StoreError>,
}

/// A store in Carafe's own layout.
pub struct OurSource<'s> {
    store: &'s dyn ErasedStore,
    listing: &'s dyn ErasedSessionListing,
}

impl<'s> OurSource<'s> {
    /// Creates a source from a store and its listing.
    #[must_use]
    pub const fn new(store: &'s dyn ErasedStore, listing: &'s dyn ErasedSessionListing) -> Self {
        Self { store, listing }
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

/// Returns whether two records are equal in all metadata and data.
pub(crate) fn is_same(a: &Record, b: &Record) -> bool {
    let text = |record: &Record| Patch::default().render(&record.data, Record::STYLE);
    a.meta == b.meta && text(a) == text(b)
}
