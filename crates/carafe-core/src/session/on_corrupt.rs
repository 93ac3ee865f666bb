//! The handling of unreadable records.

use crate::{
    error::ErrorChain,
    store::{StoreError, StoreKey},
};

/// The response to a request with an unreadable record ([`StoreError::Corrupt`]).
///
/// The record is damaged, forged, or from a later version. In all cases the record is kept
/// unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCorrupt {
    /// Fails with a 503, so that no session is lost that a repair or a newer version could read.
    #[default]
    Refuse,
    /// Provides an empty session and logs an event.
    ///
    /// [`Session::rejection`](super::Session::rejection) returns
    /// [`Rejection::Unreadable`](super::Rejection::Unreadable).
    ///
    /// The cookie is kept until the first write, which creates a session under a new ID.
    Anonymous,
}

/// Logs an unreadable record as an error, because it indicates damage or an attack.
#[cold]
pub(super) fn log(key: &StoreKey, error: &StoreError) {
    let error = ErrorChain::of(error);
    tracing::error!(session = ?key, reason = "unreadable", "the visitor is treated as new: {error}");
}
