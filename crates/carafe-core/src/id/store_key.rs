//! The key of a session in a store.

use std::{
    borrow::Cow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use sha2::{Digest, Sha256};

use crate::{base64, error::NoRandomness};

/// The key of a session in a store: the SHA-256 of the ID in the browser's cookie.
///
/// A leaked database contains no usable ID (CVE-2019-16782). Under
/// [`KeyScheme::RawId`](super::KeyScheme::RawId), the key is the ID itself.
///
/// `Debug` shows only four bytes of a hash of the key, so a key may appear in a log:
///
/// ```
/// use carafe_core::store::StoreKey;
///
/// let key = StoreKey::of_id("an id");
/// assert_eq!(format!("{key:?}").len(), "StoreKey(00000000…)".len());
/// ```
#[derive(Clone, Copy)]
pub struct StoreKey {
    bytes: [u8; 32],
    // Inline to keep the key `Copy`. Behind a feature, to keep keys small without it.
    #[cfg(feature = "flask-session")]
    foreign: ForeignId,
}

impl StoreKey {
    /// Returns the key of the ID with this text.
    ///
    /// ```
    /// use carafe_core::{store::StoreKey, token::SessionId};
    ///
    /// let id = SessionId::random()?;
    /// assert_eq!(StoreKey::of_id(id.as_str()), id.store_key());
    ///
    /// // As `printf %s abc | sha256sum` prints it.
    /// let key = StoreKey::of_id("abc");
    /// assert_eq!(key.as_bytes()[..4], [0xba, 0x78, 0x16, 0xbf]);
    /// # Ok::<(), carafe_core::error::NoRandomness>(())
    /// ```
    #[must_use]
    pub fn of_id(id: &str) -> Self {
        Self::of_bytes(id.as_bytes())
    }

    pub(crate) fn of_bytes(id: &[u8]) -> Self {
        Self::from_bytes(Sha256::digest(id).into())
    }

    /// Returns the key of an ID in a format that Carafe does not create.
    ///
    /// For IDs that are not the base64url text of 32 bytes, under
    /// [`KeyScheme::RawId`](super::KeyScheme::RawId). Returns `None` if the ID is not a valid
    /// [`ForeignId`].
    #[cfg(feature = "flask-session")]
    pub(crate) fn of_foreign_id(id: &[u8]) -> Option<Self> {
        Some(Self {
            foreign: ForeignId::new(id)?,
            ..Self::of_bytes(id)
        })
    }

    /// Returns the key with these bytes, which were read from a store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self {
            bytes,
            #[cfg(feature = "flask-session")]
            foreign: ForeignId::NONE,
        }
    }

    /// Returns a random position in the key space, from which a store can sample its records.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self::from_bytes(bytes))
    }

    /// Returns the 32 bytes under which a store keeps the record.
    ///
    /// Under [`KeyScheme::RawId`](super::KeyScheme::RawId), stores keep the record under
    /// [`StoreKey::plain_id`]. The bytes are then the ID if Carafe created it, and the SHA-256 of
    /// the ID otherwise.
    ///
    /// ```
    /// use carafe_core::store::StoreKey;
    ///
    /// let key = StoreKey::of_id("an id");
    /// let column = key.as_bytes().to_vec(); // such as a `BYTEA` of 32 bytes
    /// assert_eq!(StoreKey::from_bytes(column.try_into().unwrap()), key);
    /// ```
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Returns the text of the ID.
    ///
    /// Only for a key under [`KeyScheme::RawId`](super::KeyScheme::RawId).
    ///
    /// ```
    /// use carafe_core::{store::KeyScheme, token::SessionId};
    ///
    /// let id = SessionId::random()?;
    /// let key = id.store_key_as(KeyScheme::RawId);
    /// assert_eq!(format!("session:{}", key.plain_id()), format!("session:{}", id.as_str()));
    /// # Ok::<(), carafe_core::error::NoRandomness>(())
    /// ```
    #[must_use]
    pub fn plain_id(&self) -> Cow<'_, str> {
        match self.foreign_id() {
            Some(id) => Cow::Borrowed(id),
            None => Cow::Owned(base64::encode_url(&self.bytes)),
        }
    }

    /// Returns the ID, if Carafe did not create it.
    ///
    /// Only under [`KeyScheme::RawId`](super::KeyScheme::RawId).
    #[cfg(feature = "flask-session")]
    pub(crate) fn foreign_id(&self) -> Option<&str> {
        self.foreign.text()
    }

    #[cfg(not(feature = "flask-session"))]
    #[expect(
        clippy::unused_self,
        reason = "reads the key if the feature is enabled"
    )]
    pub(crate) const fn foreign_id(&self) -> Option<&str> {
        None
    }
}

impl PartialEq for StoreKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for StoreKey {}

impl PartialOrd for StoreKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for StoreKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.bytes.cmp(&other.bytes);
        order.then_with(|| self.foreign_id().cmp(&other.foreign_id()))
    }
}

impl Hash for StoreKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

/// A session ID that Flask-Session created in another format.
///
/// Flask-Session does this with another `SESSION_ID_LENGTH`, and before version 0.6, with UUIDs.
/// The ID has 1 to [`ForeignId::LONGEST`] characters of the base64url alphabet. No other text
/// becomes part of a command to a store.
#[cfg(feature = "flask-session")]
#[derive(Clone, Copy)]
struct ForeignId {
    length: u8,
    text: [u8; Self::LONGEST],
}

#[cfg(feature = "flask-session")]
impl ForeignId {
    /// Maximum length of an ID, so that it fits into the 255 characters of Flask-Session's table
    /// column.
    ///
    /// The longest common prefix fits as well. The ID can encode 143 random bytes.
    const LONGEST: usize = 191;
    const NONE: Self = Self {
        length: 0,
        text: [0; Self::LONGEST],
    };

    fn new(id: &[u8]) -> Option<Self> {
        let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let mut foreign = Self::NONE;
        let place = foreign.text.get_mut(..id.len())?;
        if id.is_empty() || !id.iter().all(is_safe) {
            return None;
        }
        place.copy_from_slice(id);
        foreign.length = u8::try_from(id.len()).ok()?;
        Some(foreign)
    }

    fn text(&self) -> Option<&str> {
        let text = self.text.get(..usize::from(self.length))?;
        str::from_utf8(text).ok().filter(|text| !text.is_empty())
    }
}

impl fmt::Debug for StoreKey {
    /// Writes four bytes of the key's hash, because the key may be an ID.
    ///
    /// Four bytes are enough to distinguish keys in a log, and useless to an attacker.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(self.bytes).into();
        write!(f, "StoreKey({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}
