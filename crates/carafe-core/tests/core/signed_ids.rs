//! Session IDs that are signed in their cookies, and IDs that are keys in the store.
//!
//! A forged ID is rejected without a call of the store (SID-4), and an ID signed by a fallback key
//! is signed anew. IDs are keys in the layouts of other frameworks.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
    session::{Rejection, ServerSide, SessionConfig, SessionManager},
    store::{
        Capabilities, ErasedStore, KeyScheme, MemoryStore, StoreKey,
        conformance::{Spy, Verb},
    },
    token::{
        SessionId, TokenError,
        signed::{Signer, SignerSettings},
    },
};
use futures_executor::block_on;

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

/// Returns a spy that reports `layout` as its capabilities.
fn spy(layout: Capabilities) -> Arc<Spy<MemoryStore>> {
    Arc::new(Spy::new(MemoryStore::new()).with_layout(layout))
}

fn key(text: &str) -> SecretKey {
    SecretKey::short(text).expect("long enough")
}

fn manager(store: &Arc<Spy<MemoryStore>>, keys: Option<&KeyRing>) -> Arc<SessionManager> {
    let store: Arc<dyn ErasedStore> = Arc::clone(store) as _;
    let mut side = ServerSide::shared(store);
    if let Some(keys) = keys {
        side = side.with_signed_ids(Signer::new(keys, SignerSettings::flask_session()));
    }
    Arc::new(SessionManager::new(side, SessionConfig::flask()).expect("a good configuration"))
}

/// Returns the `Cookie` header after a request that sets `n`.
fn written(manager: &Arc<SessionManager>) -> String {
    let slot = manager.begin();
    block_on(async {
        let session = manager.open(&slot, [], NOW).await.expect("open works");
        session.insert("n", &1).expect("it is open");
        let effects = manager
            .commit(&slot, [], 200, NOW)
            .await
            .expect("commit works");
        let header = effects.set_cookie.expect("a new session has a cookie");
        header.split(';').next().expect("a pair").to_owned()
    })
}

/// Returns the `n` that a request reads, the reason of a rejection, and the new cookie.
fn read(
    manager: &Arc<SessionManager>,
    cookie: &str,
) -> (Option<u64>, Option<Rejection>, Option<String>) {
    let slot = manager.begin();
    block_on(async {
        let session = manager.open(&slot, [cookie.as_bytes()], NOW).await;
        let session = session.expect("open works");
        let n = session.get("n").expect("a number");
        let rejection = session.rejection();
        let effects = manager
            .commit(&slot, [], 200, NOW)
            .await
            .expect("commit works");
        (n, rejection, effects.set_cookie)
    })
}

/// Returns an ID that differs in its first character.
fn another(id: &str) -> String {
    let rest = id.strip_prefix("session=").expect("its name");
    let first = if rest.starts_with('B') { 'C' } else { 'B' };
    format!("session={first}{}", &rest[1..])
}

#[test]
fn a_forged_id_never_reaches_the_store() {
    let store = spy(Capabilities::CARAFE);
    let keys = KeyRing::new(key("the key of this application"));
    let signed = manager(&store, Some(&keys));
    let cookie = written(&signed);
    assert_eq!(read(&signed, &cookie), (Some(1), None, None));
    assert_eq!(store.count(Verb::Load), 1);

    let (id, signature) = cookie.split_once('.').expect("it is signed");
    let other = KeyRing::new(key("the key of somebody else"));
    let theirs = Signer::new(&other, SignerSettings::flask_session());
    let fixed = theirs.sign(id.strip_prefix("session=").expect("its name"));
    for (forged, reason) in [
        (id.to_owned(), "no signature"),
        (format!("{id}."), "an empty one"),
        (format!("{id}.{}", "A".repeat(27)), "a guess"),
        (cookie.replacen(id, &another(id), 1), "another id"),
        (format!("session={fixed}"), "another key"),
        (format!("{cookie}."), "something behind it"),
        (format!("{id}..{signature}"), "another dot"),
        ("session=\u{fc}.\u{fc}".to_owned(), "no ASCII"),
    ] {
        let (n, rejection, _) = read(&signed, &forged);
        assert_eq!(n, None, "{reason}");
        assert!(
            matches!(rejection, Some(Rejection::Token(_))),
            "{reason}: {rejection:?}"
        );
    }
    let (_, rejection, _) = read(&signed, &format!("{id}.{}", "A".repeat(27)));
    assert_eq!(rejection, Some(Rejection::Token(TokenError::BadSignature)));
    assert_eq!(
        store.count(Verb::Load),
        1,
        "only the genuine one was looked up"
    );
}

#[test]
fn what_is_signed_and_no_id_does_not_reach_the_store_either() {
    let store = spy(Capabilities::CARAFE);
    let keys = KeyRing::new(key("the key of this application"));
    let signer = Signer::new(&keys, SignerSettings::flask_session());
    let cookie = format!("session={}", signer.sign("../../etc/passwd"));
    let (_, rejection, _) = read(&manager(&store, Some(&keys)), &cookie);
    assert_eq!(
        (rejection, store.count(Verb::Load)),
        (Some(Rejection::UnknownId), 0)
    );
}

#[test]
fn an_id_of_a_fallback_is_signed_anew_when_it_is_read() {
    let store = spy(Capabilities::CARAFE);
    let old = KeyRing::new(key("the key of last year"));
    let cookie = written(&manager(&store, Some(&old)));
    let both = KeyRing::new(key("the key of this year"));
    let both = both
        .with_fallback(key("the key of last year"))
        .expect("another key");
    let signed = manager(&store, Some(&both));
    let (n, _, header) = read(&signed, &cookie);
    let header = header.expect("the cookie is sent again");
    let renewed = header.split(';').next().expect("a pair");
    let id = |cookie: &str| cookie.split_once('.').map(|(id, _)| id.to_owned());
    assert_eq!((n, id(renewed)), (Some(1), id(&cookie)));
    assert_ne!(renewed, cookie);
    assert_eq!(read(&signed, renewed), (Some(1), None, None));
    let new = KeyRing::new(key("the key of this year"));
    assert_eq!(read(&manager(&store, Some(&new)), renewed).0, Some(1));
}

#[test]
fn a_store_of_plain_names_gets_the_id_and_any_other_its_hash() {
    for naming in [KeyScheme::Hashed, KeyScheme::RawId] {
        let store = spy(Capabilities {
            key_scheme: naming,
            ..Capabilities::CARAFE
        });
        let manager = manager(&store, None);
        let cookie = written(&manager);
        let id = SessionId::parse(&cookie.as_bytes()["session=".len()..]).expect("an id");
        let calls = store.calls().into_iter();
        let filed = calls.filter(|call| call.verb == Verb::Create);
        assert!(
            filed
                .map(|call| call.key)
                .eq([Some(id.store_key_as(naming))])
        );
        assert_eq!(read(&manager, &cookie).0, Some(1));
    }
    let id = SessionId::parse(&[b'A'; 43]).expect("an id");
    assert_eq!(
        id.store_key_as(KeyScheme::RawId),
        StoreKey::from_bytes([0; 32])
    );
    assert_eq!(id.store_key_as(KeyScheme::Hashed), id.store_key());
    assert!(!format!("{:?}", id.store_key_as(KeyScheme::RawId)).contains("00000000"));
}
