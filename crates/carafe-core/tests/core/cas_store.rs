//! A store over single keys: the store contract, the lifecycle of a session, and its calls.

use std::sync::{Arc, Mutex};

use carafe_core::{
    clock::Timestamp,
    session::{Access, Patch, SessionData, UpdateFn},
    store::{
        CasStore, CompareAndSwap, Patched, PublicId, Record, Rotation, SessionMeta, SessionStore,
        StoreError, StoreKey, conformance::CasMemory,
    },
};
use futures_executor::block_on;

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
const LATER: Timestamp = Timestamp::from_unix(1_700_003_600);
const KEY: StoreKey = StoreKey::from_bytes([7; 32]);

carafe_core::session_store_conformance!(futures_executor::block_on, async {
    CasStore::new(CasMemory::default())
});

carafe_core::session_life_conformance!(futures_executor::block_on, async {
    CasStore::new(CasMemory::default())
});

/// Notes the calls of a database.
#[derive(Default)]
struct Noting {
    database: CasMemory,
    calls: Mutex<Vec<&'static str>>,
}

impl Noting {
    fn note(&self, call: &'static str) {
        self.calls.lock().unwrap().push(call);
    }

    /// Returns the calls since the last time.
    fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

impl CompareAndSwap for Noting {
    type Version = u64;

    async fn read(&self, key: &StoreKey) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        self.note("read");
        self.database.read(key).await
    }

    async fn insert(
        &self,
        key: &StoreKey,
        value: &[u8],
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        self.note("insert");
        self.database.insert(key, value, expires).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        version: &u64,
        value: &[u8],
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        self.note("replace");
        self.database.replace(key, version, value, expires).await
    }

    async fn remove(&self, key: &StoreKey, version: &u64) -> Result<bool, StoreError> {
        self.note("remove");
        self.database.remove(key, version).await
    }
}

fn data(json: &str) -> SessionData {
    SessionData::parse(json.to_owned(), Record::STYLE).unwrap()
}

fn set(key: &str, text: &str) -> Patch {
    let mut patch = Patch::default();
    patch.set(key, text.to_owned());
    patch
}

/// Returns a patch that counts the number `n` of a record in which it is 1.
fn count() -> Patch {
    let again: UpdateFn = Arc::new(|text| {
        let number: u64 = text.unwrap_or_default().parse()?;
        Ok((number + 1).to_string())
    });
    let mut patch = Patch::default();
    patch.update("n", Some("1".to_owned()), "2".to_owned(), again);
    patch
}

fn applied(patched: Result<Patched, StoreError>) -> Record {
    match patched.unwrap() {
        Patched::Applied(record) => *record,
        Patched::Gone => panic!("the session is gone"),
    }
}

async fn loaded(store: &CasStore<Noting>, key: &StoreKey) -> Record {
    let state = store.load(key, NOW).await.unwrap();
    state.into_record().unwrap()
}

/// Returns a store with the session `json`, and the loaded session.
///
/// Boxed, because a version counts for the database at its address.
async fn with(json: &str) -> (Box<CasStore<Noting>>, Record) {
    let store = Box::new(CasStore::new(Noting::default()));
    let meta = SessionMeta::new(PublicId::from_bytes([7; 12]), NOW, LATER);
    let record = Record::new(meta, data(json));
    store.create(&KEY, &record, NOW).await.unwrap();
    let base = loaded(&store, &KEY).await;
    assert_eq!(store.database().calls(), ["insert", "read"]);
    (store, base)
}

#[test]
fn a_change_of_a_loaded_record_is_one_call() {
    block_on(async {
        let (store, base) = with(r#"{"n":1}"#).await;
        let patched = store.patch(&KEY, &base, &set("a", "2"), NOW).await;
        assert_eq!(store.database().calls(), ["replace"]);
        let patched = applied(patched);
        assert_eq!(patched.data.text_of("a"), Some("2"));
        assert_eq!(patched.meta.version, 1);

        // The outcome of a change has no version.
        let again = store.patch(&KEY, &patched, &set("a", "3"), NOW).await;
        applied(again);
        assert_eq!(store.database().calls(), ["read", "replace"]);
    });
}

#[test]
fn a_change_that_loses_a_race_reads_the_record_once_and_merges() {
    block_on(async {
        let (store, base) = with(r#"{"n":1}"#).await;
        for expected in [&["replace"][..], &["replace", "read", "replace"]] {
            let patched = store.patch(&KEY, &base, &count(), NOW).await;
            applied(patched);
            assert_eq!(store.database().calls(), expected);
        }
        assert_eq!(loaded(&store, &KEY).await.data.text_of("n"), Some("3"));
    });
}

#[test]
fn a_rotation_of_a_loaded_record_reads_only_what_it_has_written() {
    block_on(async {
        let (store, base) = with("{}").await;
        let (to, rotation, patch) = (StoreKey::of_id("b"), Rotation::Replacement, set("a", "1"));
        let rotated = store.rotate(&KEY, &to, &base, &patch, rotation, NOW);
        applied(rotated.await);
        let calls = ["insert", "replace", "read", "read", "replace", "replace"];
        assert_eq!(store.database().calls(), calls);
        assert_eq!(loaded(&store, &to).await.data.text_of("a"), Some("1"));
    });
}

#[test]
fn a_record_that_has_expired_since_it_was_loaded_is_read_again() {
    block_on(async {
        let (store, base) = with("{}").await;
        let later = LATER.saturating_add(60);
        let access = Access {
            at: NOW,
            expires: later,
            confirms: None,
        };
        assert!(store.touch(&KEY, &access).await.unwrap());
        assert_eq!(store.database().calls(), ["read", "replace"]);
        let patched = store.patch(&KEY, &base, &set("a", "1"), LATER).await;
        assert_eq!(applied(patched).meta.expires, later);
        assert_eq!(store.database().calls(), ["read", "replace"]);
    });
}

#[test]
fn the_version_of_another_store_or_key_is_not_used() {
    block_on(async {
        let (one, base) = with(r#"{"of":1}"#).await;
        let (two, _) = with(r#"{"of":2}"#).await;
        let patched = two.patch(&KEY, &base, &set("a", "1"), NOW).await;
        assert_eq!(two.database().calls(), ["read", "replace"]);
        assert_eq!(applied(patched).data.text_of("of"), Some("2"));

        let other = StoreKey::of_id("other");
        let gone = one.patch(&other, &base, &set("a", "1"), NOW).await;
        assert!(!gone.unwrap().is_applied());
        assert_eq!(one.database().calls(), ["read"]);
    });
}

#[test]
fn a_callers_change_of_a_loaded_record_is_not_stored() {
    block_on(async {
        let (store, mut base) = with(r#"{"n":1}"#).await;
        base.data = data(r#"{"n":9}"#);
        base.meta.device = Some("changed".to_owned());
        let patched = store.patch(&KEY, &base, &set("a", "2"), NOW).await;
        assert!(patched.unwrap().is_applied());
        let stored = loaded(&store, &KEY).await;
        assert_eq!(stored.data.text_of("n"), Some("1"));
        assert_eq!(stored.meta.device, None);
    });
}
