//! Keys, records and patches.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    json,
    session::{Patch, Rerun, SessionData, SessionError},
    store::{Created, Handle, Patched, Record, SessionStore, StoreKey},
    token::SessionId,
};

pub(crate) const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);
pub(crate) const LATER: Timestamp = Timestamp::from_unix(4_000_003_600);

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

pub(crate) fn record(json: &str) -> Record {
    Record {
        data: SessionData::parse(json.to_owned(), Record::STYLE).expect("good JSON"),
        user: None,
        handle: Handle::random().expect("there is randomness"),
        device: None,
        created: NOW,
        renewed: NOW,
        last_seen: NOW,
        expires: LATER,
        authenticated: None,
        version: 0,
    }
}

pub(crate) async fn filed(store: &dyn SessionStore, record: &Record) -> StoreKey {
    let key = key();
    let created = store.create(&key, record, NOW).await.expect("create works");
    assert_eq!(created, Created::Created);
    key
}

pub(crate) async fn loaded(store: &dyn SessionStore, key: &StoreKey) -> Record {
    store
        .load(key, NOW)
        .await
        .expect("load works")
        .expect("it is there")
}

pub(crate) async fn is_absent(store: &dyn SessionStore, key: &StoreKey) -> bool {
    store.load(key, NOW).await.expect("load works").is_none()
}

pub(crate) fn set(key: &str, text: &str) -> Patch {
    let mut patch = Patch::default();
    patch.set(key, text.to_owned());
    patch
}

/// Adds one to the number under `n`.
pub(crate) fn increment(base: &Record) -> Patch {
    let again: Rerun = Arc::new(plus_one);
    let before = base.data.text_of("n").map(str::to_owned);
    let after = plus_one(before.as_deref()).expect("a number");
    let mut patch = Patch::default();
    patch.update("n", before, after, again);
    patch
}

fn plus_one(text: Option<&str>) -> Result<String, SessionError> {
    let count: u64 = json::from_text(text.unwrap_or("0"), true).expect("a number");
    Ok((count + 1).to_string())
}

pub(crate) fn applied(patched: Patched) -> Record {
    match patched {
        Patched::Applied(record) => *record,
        Patched::Gone => panic!("it is there"),
    }
}

/// Small random numbers from a seed that can be printed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
