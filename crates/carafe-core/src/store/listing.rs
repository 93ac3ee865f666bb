//! The listing of all sessions of a store: for operators and for migrations.

use super::{Position, PublicId, Record, SessionMeta, StoreError, StoreKey, erase::erased};
use crate::{base64, clock::Timestamp};

/// All sessions of a store, for operators and for migrations to another store.
///
/// Every call is bounded by its `limit`, uses an index and never iterates over all sessions, so
/// that a store with a million sessions can serve the call under load. A list may miss changes made
/// while it is read, and never shows a session that had expired when the call began.
///
/// ```
/// use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
/// use carafe_core::store::SessionListing;
/// use std::sync::Arc;
///
/// # futures_executor::block_on(async {
/// let store = Arc::new(MemoryStore::new());
/// let side = ServerSide::shared(store.clone());
/// let manager = Arc::new(SessionManager::new(side, SessionConfig::default())?);
/// for user in ["ada", "bob", "cem"] {
///     TestClient::signed_in(&manager, user).await?;
/// }
/// let now = manager.time();
/// let page = SessionListing::list(&*store, None, 2, now).await?;
/// let rest = SessionListing::list(&*store, Some(page[1].position()), 2, now).await?;
/// assert_eq!((page.len(), rest.len()), (2, 1));
///
/// let record = SessionListing::find(&*store, rest[0].public_id, now).await?;
/// assert_eq!(record.map(|record| record.meta), Some(rest[0].clone()));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
pub trait SessionListing: Send + Sync + 'static {
    /// Returns at most `limit` live sessions after the position `after`, newest ID first.
    ///
    /// Sessions with IDs issued in the same second have a fixed order. The list is shorter than
    /// `limit` only at its end.
    fn list(
        &self,
        after: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<SessionMeta>, StoreError>> + Send;

    /// Returns the live session with this public ID.
    fn find(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send;

    /// Removes the session with this public ID and leaves a marker.
    ///
    /// Returns whether the session existed.
    fn delete_by_public_id(
        &self,
        public_id: PublicId,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes at most `limit` sessions created at or before `until`.
    ///
    /// Returns the number of removed sessions.
    ///
    /// Each removed session leaves a marker. Once the call has returned 0, none of these sessions
    /// is accepted any more, even if one got a new ID in the meantime.
    fn delete_created_before(
        &self,
        until: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Returns at most `limit` live sessions selected at random, and the number of live sessions.
    fn sample(
        &self,
        limit: usize,
        now: Timestamp,
    ) -> impl Future<Output = Result<Sample, StoreError>> + Send;

    /// Returns about `limit` of all records after the cursor `after`, in the store's own order.
    ///
    /// The page includes expired records that were not swept, and may be empty although more
    /// records follow. A scan from `None` until `next` is `None` returns every record that existed
    /// throughout the scan at least once.
    fn scan(
        &self,
        after: Option<&Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<ScanPage, StoreError>> + Send;
}

erased! {
    /// The object-safe form of [`SessionListing`].
    trait ErasedSessionListing: SessionListing, never_waits: false;
    async {
        fn list(after: Option<Position>, limit: usize, now: Timestamp) -> Vec<SessionMeta>;
        fn find(public_id: PublicId, now: Timestamp) -> Option<Record>;
        fn delete_by_public_id(public_id: PublicId, now: Timestamp) -> bool;
        fn delete_created_before(until: Timestamp, limit: usize, now: Timestamp) -> u64;
        fn sample(limit: usize, now: Timestamp) -> Sample;
        fn scan(after: Option<&'a Cursor>, limit: usize) -> ScanPage;
    }
    sync {}
}

/// A random sample of the live sessions.
///
/// ```
/// use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
/// use carafe_core::store::SessionListing;
/// use std::sync::Arc;
///
/// # futures_executor::block_on(async {
/// let store = Arc::new(MemoryStore::new());
/// let side = ServerSide::shared(store.clone());
/// let manager = Arc::new(SessionManager::new(side, SessionConfig::default())?);
/// for _ in 0..10 {
///     TestClient::signed_in(&manager, "ada").await?;
/// }
/// let sample = SessionListing::sample(&*store, 100, manager.time()).await?;
/// assert_eq!((sample.sessions.len(), sample.total, sample.exact), (10, 10, true));
/// let few = SessionListing::sample(&*store, 3, manager.time()).await?;
/// assert!(few.sessions.len() <= 3 && few.total == 10);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Sample {
    /// The sessions, each at most once.
    pub sessions: Vec<SessionMeta>,
    /// The number of all live sessions.
    pub total: u64,
    /// Whether `sessions` contains all live sessions and `total` is their exact number.
    ///
    /// Otherwise `total` is an estimate, usually accurate to a few percent.
    pub exact: bool,
}

/// One page of a scan of all records.
///
/// A scan of a store of any kind, in the form that a migration has:
///
/// ```
/// use carafe_core::store::{ErasedStore, MemoryStore, StoreError};
///
/// async fn count(store: &dyn ErasedStore) -> Result<usize, StoreError> {
///     let listing = store.powers().listing().ok_or(StoreError::Unsupported)?;
///     let (mut after, mut count) = (None, 0);
///     loop {
///         let page = listing.scan(after.as_ref(), 1_000).await?;
///         count += page.records.len();
///         after = page.next;
///         if after.is_none() {
///             return Ok(count);
///         }
///     }
/// }
///
/// # futures_executor::block_on(async {
/// // The store in memory keeps half of each key and cannot return keys.
/// let counted = count(&MemoryStore::new()).await;
/// assert!(matches!(counted, Err(StoreError::Unsupported)));
/// # });
/// ```
#[derive(Debug)]
pub struct ScanPage {
    /// The record under each key, or an error for an unreadable record.
    pub records: Vec<(StoreKey, Result<Record, StoreError>)>,
    /// The cursor of the next page. `None` at the end.
    pub next: Option<Cursor>,
}

/// The position of a scan, as text in the store's own format.
///
/// A cursor stays valid when the scanning process restarts.
///
/// ```
/// use carafe_core::store::{Cursor, StoreKey};
///
/// let key = StoreKey::of_id("an id");
/// let saved = Cursor::behind(&key).as_str().to_owned(); // in a file, between two runs
/// assert_eq!(Cursor::new(saved).key()?, key);
///
/// assert_eq!(Cursor::behind_row(42).row()?, 42);
/// assert!(Cursor::behind_row(42).key().is_err(), "a cursor of another store");
/// # Ok::<(), carafe_core::store::StoreError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Creates a cursor from text that a store returned or that was saved in a file.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text: ASCII without spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the cursor after `key`, for stores that scan in the order of keys.
    #[must_use]
    pub fn behind(key: &StoreKey) -> Self {
        Self(base64::encode_url(key.as_bytes()))
    }

    /// Returns the cursor after this row number, for stores that scan in the order of row numbers.
    #[must_use]
    pub fn behind_row(number: i64) -> Self {
        Self(number.to_string())
    }

    /// Returns the number that was passed to [`Cursor::behind_row`].
    ///
    /// # Errors
    /// As [`Cursor::key`].
    pub fn row(&self) -> Result<i64, StoreError> {
        let number = self.0.parse();
        number.map_err(|_| StoreError::corrupt("this cursor is not one of this store"))
    }

    /// Returns the key that was passed to [`Cursor::behind`].
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the cursor belongs to another store.
    pub fn key(&self) -> Result<StoreKey, StoreError> {
        let mut bytes = [0; 32];
        if base64::decode_url_exact(self.0.as_bytes(), &mut bytes) {
            return Ok(StoreKey::from_bytes(bytes));
        }
        Err(StoreError::corrupt("this cursor is not one of this store"))
    }
}

/// Estimates the number of records from `found` consecutive keys between `start` and `last`.
///
/// Keys are hashes and therefore uniformly distributed over their range. For
/// [`SessionListing::sample`]: reads one range of an index, where counting would read all of it.
///
/// ```
/// use carafe_core::store::{StoreKey, estimate};
///
/// // 500 keys in a sixteenth of the key space.
/// let (start, mut last) = (StoreKey::from_bytes([0; 32]), [0; 32]);
/// last[0] = 0x10;
/// assert_eq!(estimate(&start, &StoreKey::from_bytes(last), 500), 8_000);
/// ```
#[must_use]
pub fn estimate(start: &StoreKey, last: &StoreKey, found: usize) -> u64 {
    let head = |key: &StoreKey| {
        let (first, _) = key.as_bytes().split_at(8);
        u64::from_be_bytes(first.try_into().unwrap_or_default())
    };
    // Wraps around if the range continued from the first key after the last one.
    let span = head(last).wrapping_sub(head(start)).max(1);
    let total = found as u128 * (1_u128 << 64) / u128::from(span);
    u64::try_from(total).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_is_right_to_a_few_percent_and_wraps_around() {
        let mut keys: Vec<_> = (0..100_000)
            .map(|n| StoreKey::of_id(&n.to_string()))
            .collect();
        keys.sort_unstable();
        for first in [0, 50_000, 97_000] {
            let found: Vec<_> = keys.iter().cycle().skip(first).take(4_096).collect();
            let [start, .., last] = &found[..] else {
                unreachable!("4,096 were taken")
            };
            let total = estimate(start, last, found.len());
            assert!((90_000..110_000).contains(&total), "{total} from {first}");
        }
    }

    #[test]
    fn a_cursor_of_another_store_is_refused() {
        let key = StoreKey::of_id("x");
        assert_eq!(Cursor::behind(&key).key().ok(), Some(key));
        assert!(Cursor::new("17").key().is_err());
        assert_eq!(Cursor::behind_row(-17).row().ok(), Some(-17));
        assert!(Cursor::behind(&key).row().is_err());
    }
}
