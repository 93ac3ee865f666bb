//! Keys, records and patches for the checks.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;

use crate::{
    clock::Timestamp,
    json,
    session::{Access, Patch, SessionData, UpdateError, UpdateFn},
    store::{
        BoxFuture, Created, ErasedStore, KeyState, Nonce, Patched, PublicId, Record, Rotation,
        SessionMeta, StoreKey,
    },
    token::SessionId,
};

/// The current time of the checks.
///
/// Far in the future, so that a store that reads its own clock fails: records live until 2100
/// unless a check says otherwise.
pub(super) const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);
pub(super) const LATER: Timestamp = Timestamp::from_unix(4_000_003_600);

pub(super) fn key() -> StoreKey {
    SessionId::random()
        .expect("the system has randomness")
        .store_key()
}

/// Returns a name that no other check uses.
pub(super) fn unique(name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let public_id = PublicId::random().expect("the system has randomness");
    format!(
        "{name}-{public_id}-{}",
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

pub(super) fn data(json: &str) -> SessionData {
    SessionData::parse(json.to_owned(), Record::STYLE).expect("the checks write good JSON")
}

pub(super) fn record(json: &str) -> Record {
    Record::new(
        SessionMeta::new(
            PublicId::random().expect("the system has randomness"),
            NOW,
            LATER,
        ),
        data(json),
    )
}

pub(super) fn set(key: &str, text: &str) -> Patch {
    let mut patch = Patch::default();
    patch.set(key, text.to_owned());
    patch
}

/// Returns a patch that increments the number under `key`, as a request that loaded `base` would.
pub(super) fn increment(key: &str, base: &Record) -> Patch {
    let again: UpdateFn = std::sync::Arc::new(plus_one);
    let before = base.data.text_of(key).map(str::to_owned);
    let after = plus_one(before.as_deref()).expect("the checks count with numbers");
    let mut patch = Patch::default();
    patch.update(key, before, after, again);
    patch
}

fn plus_one(text: Option<&str>) -> Result<String, UpdateError> {
    let count: u64 =
        json::from_text(text.unwrap_or("0"), true).expect("the checks count with numbers");
    Ok((count + 1).to_string())
}

pub(super) fn seen(at: Timestamp, expires: Timestamp) -> Patch {
    let mut patch = Patch::default();
    patch.facts.seen = Some(used(at, expires));
    patch
}

pub(super) const fn used(at: Timestamp, expires: Timestamp) -> Access {
    Access {
        at,
        expires,
        confirms: None,
    }
}

/// Returns a timed renewal.
pub(super) fn renewal() -> Rotation {
    Rotation::Renewal(Nonce::random().expect("the system has randomness"))
}

pub(super) fn log_in(user: &str) -> Patch {
    let mut patch = Patch::default();
    patch.facts.user = Some(user.to_owned());
    patch.facts.authenticated = Some(NOW);
    patch
}

/// Stores a record and returns its key and the stored record.
pub(super) async fn filed<S: ErasedStore + ?Sized>(store: &S, json: &str) -> (StoreKey, Record) {
    let (key, record) = (key(), record(json));
    create(store, &key, &record).await;
    (key, loaded(store, &key).await)
}

pub(super) async fn create<S: ErasedStore + ?Sized>(store: &S, key: &StoreKey, record: &Record) {
    assert_eq!(
        store.create(key, record, NOW).await.expect("create works"),
        Created::Created
    );
}

pub(super) async fn loaded<S: ErasedStore + ?Sized>(store: &S, key: &StoreKey) -> Record {
    store
        .load(key, NOW)
        .await
        .expect("load works")
        .into_record()
        .expect("the record is there")
}

pub(super) async fn is_absent<S: ErasedStore + ?Sized>(
    store: &S,
    key: &StoreKey,
    now: Timestamp,
) -> bool {
    let state = store.load(key, now).await.expect("load works");
    state.record().is_none()
}

/// Returns whether `key` was retired recently, in a layout that remembers retired keys.
pub(super) async fn is_retired<S: ErasedStore + ?Sized>(
    store: &S,
    key: &StoreKey,
    now: Timestamp,
) -> bool {
    match store.load(key, now).await.expect("load works") {
        KeyState::Retired => true,
        KeyState::Absent => !store.capabilities().aliases,
        KeyState::Current(_) | KeyState::Moved(_) => false,
    }
}

/// Rotates and returns the resulting record.
pub(super) async fn rotated<S: ErasedStore + ?Sized>(
    store: &S,
    (from, to): (&StoreKey, &StoreKey),
    base: &Record,
    patch: &Patch,
    rotation: Rotation,
) -> Record {
    let rotated = store.rotate(from, to, base, patch, rotation, NOW).await;
    applied(rotated.expect("rotate works"))
}

pub(super) fn applied(patched: Patched) -> Record {
    match patched {
        Patched::Applied(record) => *record,
        Patched::Gone => panic!("the record is there, and the patch says that it is gone"),
    }
}

pub(super) fn number(record: &Record, key: &str) -> u64 {
    let text = record.data.text_of(key).unwrap_or("0");
    json::from_text(text, true).expect("a number")
}

/// Runs all `tasks` concurrently.
pub(super) async fn all<T>(tasks: impl IntoIterator<Item = BoxFuture<'_, T>>) -> Vec<T> {
    join_all(tasks).await
}
