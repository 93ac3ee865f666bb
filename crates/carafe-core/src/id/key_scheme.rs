//! The derivation of a store's record keys from session IDs.

/// The key under which a store keeps a record.
///
/// ```
/// use carafe_core::{store::KeyScheme, token::SessionId};
///
/// let id = SessionId::random()?;
/// let hashed = id.store_key_as(KeyScheme::Hashed);
/// assert_ne!(hashed.plain_id(), id.as_str(), "the store cannot compute the ID");
/// let raw = id.store_key_as(KeyScheme::RawId);
/// assert_eq!(raw.plain_id(), id.as_str());
/// # Ok::<(), carafe_core::error::NoRandomness>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScheme {
    /// The SHA-256 of the session ID. A leaked database contains no usable ID (CVE-2019-16782).
    Hashed,
    /// The session ID itself: the [`StoreKey`](super::StoreKey) is its 32 bytes.
    ///
    /// Read access to the store is enough to impersonate any user. Only for the layouts of other
    /// implementations.
    RawId,
}
