mod flashes;
mod whole;

use futures_executor::block_on;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::*;
use crate::{
    clock::Timestamp,
    key::SecretKey,
    session::{ClientSide, ServerSide, SessionConfig, SessionManager, Slot},
    store::MemoryStore,
    token::signed::{SignedFormat, SignedSessions},
};

const NOON: Timestamp = Timestamp::from_unix(1_700_000_000);

fn key() -> SecretKey {
    SecretKey::dangerous_weak("k").unwrap()
}

/// Returns a session from a browser's cookie with this payload.
fn with(payload: &str) -> (Slot, Session) {
    let cookie = SignedSessions::new(&key().into(), &SignedFormat::flask()).seal(payload, NOON);
    let side = ClientSide::signed(key());
    let manager = Arc::new(SessionManager::new(side, SessionConfig::flask()).unwrap());
    let slot = manager.begin();
    let line = format!("session={cookie}");
    let session = block_on(manager.open(&slot, [line.as_bytes()], NOON)).unwrap();
    (slot, session)
}

fn commit(slot: &Slot) -> Option<String> {
    let effects = block_on(slot.manager().commit(slot, [], 200, NOON)).unwrap();
    effects.set_cookie
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Numbers {
    n: u8,
}

/// A call, and whether it counts as an access and as a change.
type Case = (&'static str, fn(&Session), bool, bool);

/// Flask 3.1.3: every call is an access, and every mutation is a change, even to an equal value.
///
/// `pop` and `setdefault` are changes only if they change something.
const CALLS: &[Case] = &[
    ("nothing", |_| (), false, false),
    ("get", |s| _ = s.get::<u8>("n").unwrap(), true, false),
    (
        "get what is not there",
        |s| _ = s.get::<u8>("x").unwrap(),
        true,
        false,
    ),
    (
        "get another type",
        |s| _ = s.get::<String>("n").unwrap_err(),
        true,
        false,
    ),
    ("get_value", |s| _ = s.get_value("n").unwrap(), true, false),
    ("json_text", |s| _ = s.json_text("n"), true, false),
    ("contains_key", |s| _ = s.contains_key("n"), true, false),
    (
        "contains_key of what is not there",
        |s| _ = s.contains_key("x"),
        true,
        false,
    ),
    ("keys", |s| _ = s.keys(), true, false),
    ("each_key", |s| s.each_key(|_| {}), true, false),
    ("len", |s| _ = s.len(), true, false),
    ("is_empty", |s| _ = s.is_empty(), true, false),
    ("is_permanent", |s| _ = s.is_permanent(), true, false),
    ("user", |s| _ = s.user(), true, false),
    ("rejection", |s| _ = s.rejection(), true, false),
    ("insert", |s| s.insert("x", &1).unwrap(), true, true),
    (
        "insert of an equal value",
        |s| s.insert("n", &7).unwrap(),
        true,
        true,
    ),
    (
        "insert of what cannot be stored",
        |s| _ = s.insert("x", &Unstorable).unwrap_err(),
        false,
        false,
    ),
    ("remove", |s| assert!(s.remove("n").unwrap()), true, true),
    (
        "remove of what is not there",
        |s| assert!(!s.remove("x").unwrap()),
        true,
        false,
    ),
    (
        "take",
        |s| assert_eq!(s.take("n").unwrap(), Some(7)),
        true,
        true,
    ),
    (
        "take of what is not there",
        |s| assert_eq!(s.take::<u8>("x").unwrap(), None),
        true,
        false,
    ),
    (
        "take of another type",
        |s| _ = s.take::<String>("n").unwrap_err(),
        true,
        false,
    ),
    (
        "update",
        |s| _ = s.update("n", |n: Option<u8>| n.unwrap_or(0)).unwrap(),
        true,
        true,
    ),
    (
        "update of another type",
        |s| {
            _ = s
                .update("n", |n: Option<String>| n.unwrap_or_default())
                .unwrap_err();
        },
        true,
        false,
    ),
    (
        "get_all",
        |s| _ = s.get_all::<Numbers>().unwrap(),
        true,
        false,
    ),
    (
        "get_all of another type",
        |s| _ = s.get_all::<BTreeMap<String, String>>().unwrap_err(),
        true,
        false,
    ),
    (
        "update_all",
        |s| _ = s.update_all(|all: &mut Numbers| all.n += 1).unwrap(),
        true,
        true,
    ),
    (
        "update_all that changes nothing",
        |s| _ = s.update_all(|all: &mut Numbers| all.n += 0).unwrap(),
        true,
        false,
    ),
    ("clear", |s| s.clear().unwrap(), true, true),
    (
        "set_permanent",
        |s| s.set_permanent(false).unwrap(),
        true,
        true,
    ),
    ("renew", |s| s.renew().unwrap(), true, true),
    ("authenticated", |s| _ = s.authenticated(), true, false),
    (
        "is_recently_authenticated",
        |s| _ = s.is_recently_authenticated(Duration::from_secs(60)),
        true,
        false,
    ),
    ("handle", |s| _ = s.public_id(), true, false),
    (
        "set_device",
        |s| s.set_device("a phone").unwrap(),
        true,
        true,
    ),
    ("log_in", |s| s.log_in("42").unwrap(), true, true),
    ("log_out", |s| s.log_out().unwrap(), true, true),
    ("flash", |s| s.flash("info", "saved").unwrap(), true, true),
    (
        "take_flashes without any",
        |s| assert!(s.take_flashes().unwrap().is_empty()),
        true,
        false,
    ),
    ("clone", |s| _ = s.clone(), false, false),
    ("Debug", |s| _ = format!("{s:?}"), false, false),
];

struct Unstorable;

impl Serialize for Unstorable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no"))
    }
}

#[test]
fn each_call_counts_as_flask_counts_it() {
    for (name, call, accessed, modified) in CALLS {
        let (slot, session) = with(r#"{"n":7}"#);
        call(&session);
        let state = slot.0.view().unwrap();
        assert_eq!(
            (state.is_accessed(), state.is_changed()),
            (*accessed, *modified),
            "{name}"
        );
    }
}

#[test]
fn a_call_that_fails_leaves_the_session_as_it_was() {
    for (name, call, _, modified) in CALLS {
        let (_, session) = with(r#"{"n":7}"#);
        call(&session);
        if !modified {
            assert_eq!(session.get("n").unwrap(), Some(7), "{name}");
            assert_eq!(session.keys(), ["n"], "{name}");
        }
    }
}

#[test]
fn after_the_head_was_sent_every_write_is_an_error_and_every_read_is_fine() {
    let (slot, session) = with(r#"{"n":7,"_flashes":[{" t":["message","hi"]}]}"#);
    commit(&slot);
    let writes: [(&str, Result<(), SessionError>); 11] = [
        ("insert", session.insert("x", &1)),
        ("remove", session.remove("n").map(drop)),
        ("take", session.take::<u8>("n").map(drop)),
        (
            "update",
            session
                .update("n", |n: Option<u8>| n.unwrap_or(0))
                .map(drop),
        ),
        ("clear", session.clear()),
        ("set_permanent", session.set_permanent(true)),
        ("renew", session.renew()),
        ("log_in", session.log_in("42")),
        ("log_out", session.log_out()),
        ("flash", session.flash("info", "saved")),
        ("take_flashes", session.take_flashes().map(drop)),
    ];
    for (name, result) in writes {
        assert!(
            matches!(result, Err(SessionError::AlreadySent)),
            "{name}: {result:?}"
        );
    }
    assert_eq!(session.get("n").unwrap(), Some(7));
    assert_eq!(session.keys(), ["n", "_flashes"]);
}

#[test]
fn a_session_that_is_opened_after_the_head_was_sent_reads_and_does_not_write() {
    let (_, session) = with(r#"{"n":7}"#);
    let manager = Arc::clone(&session.0.manager);
    let line = SignedSessions::new(&key().into(), &SignedFormat::flask()).seal(r#"{"n":7}"#, NOON);
    let line = format!("session={line}");
    let slot = manager.begin();
    // Flask's preset reads the cookie of every request. Without the preset, nothing is read.
    assert_eq!(commit(&slot), None);
    let late = block_on(manager.open(&slot, [line.as_bytes()], NOON)).unwrap();
    assert!(matches!(
        late.insert("n", &8),
        Err(SessionError::AlreadySent)
    ));

    let side = ClientSide::signed(key());
    let config = SessionConfig::flask().with_refresh(crate::session::Refresh::Never);
    let manager = Arc::new(SessionManager::new(side, config).unwrap());
    let slot = manager.begin();
    assert_eq!(commit(&slot), None);
    assert!(!slot.is_open());
    for _ in 0..2 {
        let late = block_on(manager.open(&slot, [line.as_bytes()], NOON)).unwrap();
        assert_eq!(late.get("n").unwrap(), Some(7));
        assert!(matches!(
            late.insert("n", &8),
            Err(SessionError::AlreadySent)
        ));
    }
}

#[test]
fn a_session_remembers_what_was_written_and_keeps_the_order_of_python() {
    let (slot, session) = with(r#"{"b":1,"a":2}"#);
    session.insert("c", &3).unwrap();
    session.insert("b", "new").unwrap();
    session.remove("a").unwrap();
    session.insert("a", &[1, 2]).unwrap();
    assert_eq!(session.keys(), ["b", "a", "c"]);
    assert_eq!(session.json_text("a").as_deref(), Some("[1,2]"));
    assert_eq!(session.get::<String>("b").unwrap().as_deref(), Some("new"));
    assert!(commit(&slot).is_some());
}

#[test]
fn clear_forgets_permanence_and_what_was_written_before_it() {
    let (slot, session) = with(r#"{"_permanent":true,"n":7}"#);
    session.insert("x", &1).unwrap();
    session.clear().unwrap();
    assert!(session.is_empty() && !session.is_permanent());
    session.insert("n", &8).unwrap();
    assert_eq!(session.keys(), ["n"]);
    assert!(!commit(&slot).unwrap().contains("Expires"));
}

/// As in Flask, any truthy value under the key counts, regardless of its type.
#[test]
fn permanent_is_what_python_finds_true() {
    for (payload, permanent) in [
        (r#"{"_permanent":true}"#, true),
        (r#"{"_permanent":1}"#, true),
        (r#"{"_permanent":"no"}"#, true),
        (r#"{"_permanent":[0]}"#, true),
        (r#"{"_permanent":false}"#, false),
        (r#"{"_permanent":0}"#, false),
        (r#"{"_permanent":""}"#, false),
        (r#"{"_permanent":null}"#, false),
        ("{}", false),
    ] {
        assert_eq!(with(payload).1.is_permanent(), permanent, "{payload}");
    }
}

#[test]
fn log_in_binds_a_user_and_log_out_ends_everything() {
    let (_, session) = with(r#"{"cart":[1]}"#);
    session.log_in("42").unwrap();
    assert_eq!(session.user().as_deref(), Some("42"));
    assert!(session.contains_key("cart"));
    session.log_out().unwrap();
    assert_eq!((session.user(), session.len()), (None, 0));
}

/// Runs `work` on four threads with a clone of the session each.
fn on_threads(session: &Session, work: impl Fn(&Session, usize) + Sync) {
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (session, work) = (session.clone(), &work);
            scope.spawn(move || work(&session, number));
        }
    });
}

#[test]
fn nothing_is_lost_between_threads_of_one_request() {
    let (_, session) = with("{}");
    on_threads(&session, |session, thread| {
        for turn in 0..200 {
            session
                .update("n", |n: Option<u32>| n.unwrap_or(0) + 1)
                .unwrap();
            session
                .insert(&format!("{thread} {}", turn % 8), &turn)
                .unwrap();
            session
                .flash("message", &format!("{thread} {turn}"))
                .unwrap();
        }
    });
    assert_eq!(session.get("n").unwrap(), Some(800));
    assert_eq!(session.len(), 2 + 4 * 8);
    assert_eq!(session.take_flashes().unwrap().len(), 800);
}

/// A one-time value, such as a CSRF token, is taken only once.
#[test]
fn one_value_is_taken_once() {
    for _ in 0..200 {
        let (_, session) = with(r#"{"once":1}"#);
        let taken = std::sync::atomic::AtomicUsize::new(0);
        on_threads(&session, |session, _| {
            if session.take::<u8>("once").unwrap().is_some() {
                taken.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        });
        assert_eq!(taken.into_inner(), 1);
    }
}

/// A message flashed while others are taken is either taken or still in the session.
#[test]
fn no_flash_is_lost_to_a_taker() {
    for _ in 0..200 {
        let (_, session) = with("{}");
        session.flash("message", "first").unwrap();
        on_threads(&session, |session, thread| match thread {
            0 => drop(session.take_flashes().unwrap()),
            _ => session.flash("message", "more").unwrap(),
        });
        let taken = session.take_flashes().unwrap().len();
        let left: Vec<(String, String)> = session.get("_flashes").unwrap().unwrap_or_default();
        assert_eq!(taken + left.len(), 4);
    }
}

#[test]
fn who_looks_at_an_unchanged_session_waits_for_nobody() {
    let (slot, session) = with(r#"{"n":7}"#);
    let alone = slot.0.view().unwrap();
    assert_eq!(session.get("n").unwrap(), Some(7));
    assert!(alone.is_accessed());
}

#[test]
fn what_was_changed_is_still_seen_when_the_store_has_it_and_can_be_changed_again() {
    let side = ServerSide::new(MemoryStore::new());
    let manager = SessionManager::new(side, SessionConfig::default()).unwrap();
    let manager = Arc::new(manager.with_clock(|| NOON));
    let slot = manager.begin();
    let session = block_on(manager.open(&slot, [], NOON)).unwrap();
    session.insert("n", &7).unwrap();
    let set_cookie = commit(&slot).unwrap();
    assert_eq!(session.get("n").unwrap(), Some(7));
    assert!(session.remove("n").unwrap());
    session.insert("m", &8).unwrap();
    block_on(session.commit()).unwrap();
    let cookie = set_cookie.split(';').next().unwrap();
    let slot = manager.begin();
    let next = block_on(manager.open(&slot, [cookie.as_bytes()], NOON)).unwrap();
    let found = (next.get::<u8>("n").unwrap(), next.get("m").unwrap());
    assert_eq!(found, (None, Some(8)));
}

#[test]
fn a_change_after_the_head_that_needs_a_header_is_an_error() {
    let (slot, session) = with(r#"{"n":7}"#);
    commit(&slot);
    assert!(matches!(
        session.remove("n"),
        Err(SessionError::AlreadySent)
    ));
    let side = ServerSide::new(MemoryStore::new());
    let manager = Arc::new(SessionManager::new(side, SessionConfig::default()).unwrap());
    let slot = manager.begin();
    let session = block_on(manager.open(&slot, [], NOON)).unwrap();
    assert_eq!(commit(&slot), None, "there is no session");
    let late = session.insert("n", &7);
    assert!(matches!(late, Err(SessionError::AlreadySent)));
}
