//! What becomes of a visitor whose record cannot be read.

use crate::store::{StoreError, StoreKey};

/// What a request gets whose session has a record that cannot be read ([`StoreError::Corrupt`]): damaged, forged, or of
/// a later version. In either case the record stays as it is, byte for byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCorrupt {
    /// The error: a 503. Nobody loses a session that a repair or a newer version can read.
    #[default]
    Refuse,
    /// An empty session, with [`Rejection::Unreadable`](super::Rejection::Unreadable) and an event in the log. The
    /// cookie stays until something is written, which begins a session under a new id.
    Anonymous,
}

/// A sign of damage or of an attack: whoever watches the logs should hear of it.
#[cold]
pub(super) fn log(key: &StoreKey, error: &StoreError) {
    tracing::error!(session = ?key, reason = "unreadable", "the visitor is treated as new: {error}");
}
