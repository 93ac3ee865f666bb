//! The derivation of a store's record keys from session IDs.

/// The key under which a store keeps a record.
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
