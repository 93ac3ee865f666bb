//! The session of a token, by its public ID.

use carafe_core::{
    clock::Timestamp,
    store::{ErasedStore, PublicId, StoreError, StoreKey},
};

/// Returns the key under which the session of refresh tokens is stored.
///
/// The key is a SHA-256, as for a session ID. The hashed text is not a session ID, so no cookie
/// leads to this key.
#[must_use]
pub fn session_key(session: PublicId) -> StoreKey {
    StoreKey::of_id(&format!("carafe refresh token session {session}"))
}

/// Returns whether the session with this `sid` is alive.
///
/// Looks up sessions of refresh tokens with one load, and sessions of cookies through the store's
/// [`SessionListing`](carafe_core::store::SessionListing), if it has one.
///
/// # Errors
/// [`StoreError`].
pub async fn is_session_alive(
    store: &(impl ErasedStore + ?Sized),
    session: PublicId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let key = session_key(session);
    if store.load(&key, now).await?.record().is_some() {
        return Ok(true);
    }
    match store.powers().listing() {
        Some(listing) => Ok(listing.find(session, now).await?.is_some()),
        None => Ok(false),
    }
}

/// Revokes the session with this `sid`. Returns whether it existed.
///
/// From then on, its refresh tokens are rejected. Its access tokens are rejected when they expire,
/// or immediately where they are introspected.
///
/// # Errors
/// [`StoreError`].
pub async fn revoke_session(
    store: &(impl ErasedStore + ?Sized),
    session: PublicId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let key = session_key(session);
    if store.delete(&key, now).await? {
        return Ok(true);
    }
    match store.powers().listing() {
        Some(listing) => listing.delete_by_public_id(session, now).await,
        None => Ok(false),
    }
}
