//! Keys, records and patches.

use carafe_core::{
    session::Patch,
    store::{Created, ErasedStore, KeyState, Record, Rotation, StoreKey},
    token::SessionId,
};
use carafe_test_fixtures::records;
pub(crate) use carafe_test_fixtures::records::{LATER, NOW, applied, record, renewal, set, used};

pub(crate) fn key() -> StoreKey {
    SessionId::random()
        .expect("there is randomness")
        .store_key()
}

pub(crate) fn hex(key: &StoreKey) -> String {
    key.as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(crate) async fn filed(store: &dyn ErasedStore, record: &Record) -> StoreKey {
    let key = key();
    let created = store.create(&key, record, NOW).await.expect("create works");
    assert_eq!(created, Created::Created);
    key
}

pub(crate) async fn loaded(store: &dyn ErasedStore, key: &StoreKey) -> Record {
    store
        .load(key, NOW)
        .await
        .expect("load works")
        .into_record()
        .expect("it is there")
}

pub(crate) async fn is_absent(store: &dyn ErasedStore, key: &StoreKey) -> bool {
    let state = store.load(key, NOW).await.expect("load works");
    state.record().is_none()
}

pub(crate) async fn is_retired(store: &dyn ErasedStore, key: &StoreKey) -> bool {
    let state = store.load(key, NOW).await.expect("load works");
    matches!(state, KeyState::Retired)
}

/// Returns a renewal or a replacement.
pub(crate) fn rotation(renews: bool) -> Rotation {
    match renews {
        true => renewal(),
        false => Rotation::Replacement,
    }
}

/// Adds one to the number under `n`.
pub(crate) fn increment(base: &Record) -> Patch {
    records::increment("n", base)
}

/// Pseudorandom numbers from a seed that can be printed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
