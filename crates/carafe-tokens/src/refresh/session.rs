//! The session of a token, by its public id.

use carafe_core::{
    clock::Timestamp,
    store::{ErasedStore, PublicId, StoreError, StoreKey},
};

/// Returns the key under which a store files the session of refresh tokens.
///
/// The key is a SHA-256 as of a session id. The hashed text is none, so no cookie leads here.
#[must_use]
pub fn session_key(session: PublicId) -> StoreKey {
    StoreKey::of_id(&format!("carafe refresh token session {session}"))
}

/// Returns whether a session lives, given the `sid` of a token.
///
/// Finds the sessions of refresh tokens with one load, and those of cookies through the store's
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

/// Revokes a session, given the `sid` of a token, and returns whether it existed.
///
/// Its refresh tokens are rejected from now on, its access tokens when they expire, which is within
/// their lifetime, or at once where they are introspected.
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
