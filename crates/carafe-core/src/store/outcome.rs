//! The outcomes of a store's operations, and the selection of a user's sessions.

use super::Record;
use crate::id::PublicId;

/// A selection of a user's sessions.
///
/// ```
/// use carafe_core::store::{PublicId, Selection};
///
/// let (laptop, phone) = (PublicId::from_bytes([1; 12]), PublicId::from_bytes([2; 12]));
/// assert!(Selection::All.includes(phone));
/// assert!(Selection::Only(phone).includes(phone) && !Selection::Only(phone).includes(laptop));
/// assert!(Selection::AllBut(laptop).includes(phone), "log out everywhere else");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Selection {
    /// All sessions.
    All,
    /// The session with this public ID.
    Only(PublicId),
    /// All sessions except the one with this public ID: "log out everywhere else".
    AllBut(PublicId),
}

impl Selection {
    /// Returns whether the selection includes the session with `public_id`.
    #[must_use]
    pub fn includes(self, public_id: PublicId) -> bool {
        match self {
            Self::All => true,
            Self::Only(one) => public_id == one,
            Self::AllBut(one) => public_id != one,
        }
    }
}

/// The state of a key in a store.
///
/// Records are boxed, because a state is moved through several futures.
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_core::session::{Patch, SessionData};
/// use carafe_core::store::{
///     KeyState, MemoryStore, Nonce, PublicId, Record, Rotation, SessionMeta, SessionStore,
///     StoreKey,
/// };
///
/// # futures_executor::block_on(async {
/// let (store, now) = (MemoryStore::new(), Timestamp::from_unix(0));
/// let [first, second, third] = ["1", "2", "3"].map(StoreKey::of_id);
/// let meta = SessionMeta::new(PublicId::random()?, now, Timestamp::from_unix(60));
/// let (record, nothing) = (Record::new(meta, SessionData::default()), Patch::new());
/// store.create(&first, &record, now).await?;
///
/// // A timed renewal leaves a pointer, and a log-in leaves a marker.
/// let renewal = Rotation::Renewal(Nonce::random()?);
/// store.rotate(&first, &second, &record, &nothing, renewal, now).await?;
/// assert!(matches!(store.load(&first, now).await?, KeyState::Moved(_)));
/// assert!(matches!(store.load(&second, now).await?, KeyState::Current(_)));
/// store.rotate(&second, &third, &record, &nothing, Rotation::Replacement, now).await?;
/// assert!(matches!(store.load(&first, now).await?, KeyState::Retired));
/// assert!(matches!(store.load(&second, now).await?, KeyState::Retired));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub enum KeyState {
    /// No entry, or a record that has expired.
    Absent,
    /// A marker: the key was retired recently.
    ///
    /// A key is retired by a log-in, a log-out, [`Session::renew`](crate::session::Session::renew)
    /// or a revocation.
    Retired,
    /// The record of this key.
    Current(Box<Record>),
    /// The record that a timed renewal has moved to another key.
    Moved(Box<Record>),
}

impl KeyState {
    /// Returns the record, under whichever key.
    #[must_use]
    pub fn into_record(self) -> Option<Record> {
        match self {
            Self::Current(record) | Self::Moved(record) => Some(*record),
            Self::Absent | Self::Retired => None,
        }
    }

    /// Returns the record under any key.
    #[must_use]
    pub const fn record(&self) -> Option<&Record> {
        match self {
            Self::Current(record) | Self::Moved(record) => Some(record),
            Self::Absent | Self::Retired => None,
        }
    }
}

impl From<Option<Record>> for KeyState {
    /// Returns the state of a key in a layout without pointers and markers.
    fn from(record: Option<Record>) -> Self {
        record.map_or(Self::Absent, |record| Self::Current(Box::new(record)))
    }
}

/// The result of a `create`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The record was stored.
    Created,
    /// The key was in use. Nothing changed.
    Taken,
}

/// The result of a `patch` or a `rotate`.
#[derive(Clone, Debug)]
pub enum Patched {
    /// The record after the change.
    Applied(Box<Record>),
    /// The record is missing. Nothing changed.
    Gone,
}

impl Patched {
    /// Returns whether the change was applied.
    ///
    /// ```
    /// use carafe_core::store::Patched;
    ///
    /// assert!(!Patched::Gone.is_applied());
    /// ```
    #[must_use]
    pub const fn is_applied(&self) -> bool {
        matches!(self, Self::Applied(_))
    }
}
