//! SID: properties of session IDs that do not depend on a store.

use std::{collections::HashSet, sync::Arc};

use carafe_core::{
    session::{CommitError, ServerSide, SessionConfig, SessionManager},
    store::{
        MemoryStore, StoreKey,
        conformance::{Spy, Verb},
    },
    token::SessionId,
};

use super::browser::{NOON, answered, pair, request};

fn ids(count: usize) -> impl Iterator<Item = SessionId> {
    (0..count).map(|_| SessionId::random().unwrap())
}

/// Statistical tests of the IDs.
///
/// The only source of randomness is `getrandom`, as `cry_4` asserts from the source code. The
/// output has unbiased bits (six standard deviations), uniform bytes and no repeated ID.
#[test]
fn a_million_ids_show_no_structure() {
    const COUNT: usize = 1_000_000;
    // Frequency of each byte value at each position.
    let mut found = vec![[0_u32; 256]; 32];
    let mut seen = HashSet::with_capacity(COUNT);
    for id in ids(COUNT) {
        let raw = decode(id.as_str());
        found
            .iter_mut()
            .zip(raw)
            .for_each(|(place, byte)| place[usize::from(byte)] += 1);
        assert!(seen.insert(raw), "an id came twice");
    }
    for place in &found {
        for bit in 0..8 {
            let set = (0..256).filter(|byte| byte >> bit & 1 == 1);
            let ones: u32 = set.map(|byte| place[byte]).sum();
            assert!(ones.abs_diff(500_000) < 3_000, "{ones} of a million");
        }
    }
    let most = (0..256)
        .map(|byte| found.iter().map(|place| place[byte]).sum::<u32>())
        .max();
    let entropy = -(f64::from(most.unwrap()) / (32.0 * 1e6)).log2();
    assert!(entropy >= 7.9, "{entropy} bits a byte");
}

/// IDs contain no time, counter or node: consecutive IDs have nothing in common.
#[test]
fn ids_of_one_moment_share_no_prefix_and_no_suffix() {
    let ids: Vec<_> = ids(100_000).collect();
    for pair in ids.windows(2) {
        let [a, b] = [pair[0].as_str(), pair[1].as_str()];
        assert!(
            a[..6] != b[..6] && a[37..] != b[37..],
            "two neighbours look alike"
        );
    }
}

/// A malformed ID never reaches the store, regardless of its bytes.
#[test]
fn a_malformed_id_never_reaches_the_store() {
    let store = Arc::new(Spy::new(MemoryStore::new()));
    let manager = manager(store.clone());
    let random = |number: usize| {
        let hash = StoreKey::of_id(&number.to_string());
        let length = number % 80;
        hash.as_bytes()
            .iter()
            .cycle()
            .take(length)
            .copied()
            .collect::<Vec<_>>()
    };
    let fixed = ["../x", "\0", "a\r\nb: c", "%00", "\"", &"A".repeat(1 << 20)];
    let values = (0..100_000)
        .map(random)
        .chain(fixed.map(|text| text.as_bytes().to_vec()));
    for value in values.filter(|value| std::str::from_utf8(value).is_err() || value.len() != 43) {
        let line = [b"session=", &value[..]].concat();
        request(&manager, &[&line], NOON, |session| {
            assert!(session.is_empty());
        })
        .unwrap();
    }
    assert_eq!(store.count(Verb::Load), 0);
    let id = SessionId::random().unwrap();
    let line = format!("session={}", id.as_str());
    request(&manager, &[line.as_bytes()], NOON, |_| ()).unwrap();
    assert_eq!(
        store.count(Verb::Load),
        1,
        "the spy sees what comes through"
    );
}

/// If the store already has an ID, another one is drawn.
///
/// A store that reports a collision every time is broken, and no session is created in it.
#[test]
fn a_collision_draws_another_id() {
    let store = Arc::new(Spy::new(MemoryStore::new()));
    let manager = manager(store.clone());
    let write = |session: &carafe_core::session::Session| session.insert("n", &1).unwrap();
    store.takes(2);
    let effects = request(&manager, &[], NOON, write).unwrap();
    assert_eq!(store.inner().len(), 1);
    let line = pair(&effects);
    request(&manager, &[line.as_bytes()], NOON, |session| {
        assert_eq!(session.get("n").unwrap(), Some(1));
    })
    .unwrap();
    let calls = store.calls().into_iter();
    let tried = calls.filter(|call| call.verb == Verb::Create);
    let tried: HashSet<_> = tried.map(|call| call.key).collect();
    assert_eq!(tried.len(), 3, "three different ids");
    store.takes(usize::MAX);
    let failed = answered(&manager, &[], NOON, 200, write);
    assert!(matches!(
        failed,
        Err(CommitError::Store {
            set_cookie: None,
            ..
        })
    ));
}

/// After a migration from Flask-Session, which has IDs of other forms.
#[cfg(feature = "flask-session")]
#[test]
fn ids_of_flask_session_lead_to_a_session_in_our_layout_where_that_is_asked_for() {
    use carafe_core::{session::Rejection, store::SessionStore};
    use futures_executor::block_on;

    const UUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let session_manager =
        |side: ServerSide| Arc::new(SessionManager::new(side, SessionConfig::default()).unwrap());
    let store = Arc::new(MemoryStore::new());
    let made = session_manager(ServerSide::shared(store.clone()));
    let line = pair(&answered(&made, &[], NOON, 200, |s| s.insert("n", &7).unwrap()).unwrap());
    let id = SessionId::parse(line.split_once('=').unwrap().1.as_bytes()).unwrap();
    let record = block_on(store.load(&id.store_key(), NOON))
        .unwrap()
        .into_record()
        .unwrap();
    block_on(store.create(&StoreKey::of_id(UUID), &record, NOON)).unwrap();
    let line = format!("{}={UUID}", made.cookie().name());
    let seen = |side: ServerSide| {
        let slot = session_manager(side).begin();
        let session = block_on(slot.manager().open(&slot, [line.as_bytes()], NOON)).unwrap();
        (session.get::<u8>("n").unwrap(), session.rejection())
    };
    let side = ServerSide::shared(store.clone());
    assert_eq!(seen(side.clone()), (None, Some(Rejection::UnknownId)));
    assert_eq!(seen(side.with_flask_session_ids()), (Some(7), None));
}

/// The default name reveals only that a session exists.
#[test]
fn the_default_cookie_name_is_neutral() {
    let name = |config| {
        let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config).unwrap();
        manager.cookie().name().to_owned()
    };
    assert_eq!(name(SessionConfig::default()), "__Host-Http-session");
    assert_eq!(name(SessionConfig::flask()), "session");
}

/// Decodes 43 characters of base64url into 32 bytes, independently of the decoder under test.
fn decode(text: &str) -> [u8; 32] {
    let (mut raw, mut next, mut bits, mut held) = ([0; 32], 0, 0_u32, 0_u32);
    for character in text.bytes() {
        let digit = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'-' => 62,
            _ => 63,
        };
        (held, bits) = (held << 6 | u32::from(digit), bits + 6);
        if bits >= 8 {
            bits -= 8;
            raw[next] = (held >> bits) as u8;
            held &= (1 << bits) - 1;
            next += 1;
        }
    }
    raw
}

fn manager(store: Arc<Spy<MemoryStore>>) -> Arc<SessionManager> {
    let side = ServerSide::shared(store);
    Arc::new(SessionManager::new(side, SessionConfig::development()).unwrap())
}
