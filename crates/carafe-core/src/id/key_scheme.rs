//! How a store derives record keys from session ids.

/// The key that a store files a record under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScheme {
    /// The SHA-256 of the session id. A leaked database contains no usable id (CVE-2019-16782).
    Hashed,
    /// The session id itself: the [`StoreKey`](super::StoreKey) is its 32 bytes.
    ///
    /// Read access to the store is enough to impersonate any user. Only for the layouts of other
    /// implementations.
    RawId,
}
