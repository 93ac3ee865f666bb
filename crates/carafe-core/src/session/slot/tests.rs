use futures_executor::block_on;

use super::*;
use crate::{
    MaybeReady,
    clock::Timestamp,
    session::{AtLimit, ServerSide, Session, SessionConfig, SessionError},
    store::MemoryStore,
};

const NOON: Timestamp = Timestamp::from_unix(1_700_000_000);

fn opened(manager: &Arc<SessionManager>, cookie: &str) -> (Slot, Session) {
    let slot = manager.begin();
    let session = block_on(manager.open(&slot, [cookie.as_bytes()], NOON));
    (slot, session.expect("the store works"))
}

fn committed(slot: &Slot) -> Option<String> {
    let effects = block_on(slot.manager().commit(slot, [], 200, NOON));
    effects.expect("the store works").set_cookie
}

fn assert_reads(session: &Session) {
    let numbers = ["a", "b", "c"].map(|key| session.get::<u8>(key).expect("it is a number"));
    assert_eq!(numbers, [Some(3), None, Some(4)]);
    assert_eq!(session.user().as_deref(), Some("bob"));
    assert_eq!(session.authenticated(), Some(NOON));
    // Includes Flask-Login's `_fresh`.
    assert_eq!(session.len(), 4);
}

#[test]
fn a_stored_session_is_read_on_while_and_after_it_is_committed() {
    let side = ServerSide::new(MemoryStore::new());
    let manager = SessionManager::new(side, SessionConfig::flask());
    let manager = manager.expect("browsers take the cookie");
    let manager = Arc::new(manager.with_clock(|| NOON));
    let (slot, session) = opened(&manager, "");
    session.insert("a", &1).expect("it is JSON");
    session.insert("b", &2).expect("it is JSON");
    let set = committed(&slot).expect("a new session sets a cookie");
    let cookie = set.split(';').next().expect("there is a first part");

    let (slot, session) = opened(&manager, cookie);
    session.insert("a", &3).expect("it is JSON");
    assert!(session.remove("b").expect("nothing was sent"));
    session.insert("c", &4).expect("it is JSON");
    session.log_in("bob").expect("nothing was sent");
    assert_reads(&session);
    let commit = manager.commit(&slot, [], 200, NOON);
    assert_reads(&session);
    assert!(
        block_on(commit)
            .expect("the store works")
            .set_cookie
            .is_some()
    );
    assert_reads(&session);
    session.insert("a", &5).expect("the store has the session");
    assert_eq!(session.get("a").expect("it is a number"), Some(5));
    block_on(session.commit()).expect("the store works");
    session.insert("a", &3).expect("the store has the session");
    block_on(session.commit()).expect("the store works");
    assert_reads(&session);
    // A new ID needs a header.
    for late in [session.log_in("eve"), session.renew()] {
        assert!(matches!(late, Err(SessionError::AlreadySent)), "{late:?}");
    }
    assert_reads(&session);
    block_on(session.commit()).expect("the store works");
}

#[test]
fn a_store_in_memory_makes_nobody_wait() {
    let manager = |side: ServerSide| {
        let manager = SessionManager::new(side, SessionConfig::default());
        Arc::new(manager.expect("browsers take the cookie"))
    };
    let is_at_once = |manager: &Arc<SessionManager>| {
        let (slot, session) = opened(manager, "");
        session.log_in("bob").expect("nothing was sent");
        matches!(manager.commit(&slot, [], 200, NOON), MaybeReady::Now(_))
    };
    let alone = ServerSide::new(MemoryStore::new());
    assert!(is_at_once(&manager(alone.clone())));
    // A per-user limit that refuses log-ins makes a commit await.
    let limited = alone.with_limit_per_user(5, AtLimit::Refuse);
    assert!(!is_at_once(&manager(limited)));
}

#[test]
fn an_abandoned_request_loses_its_changes_and_not_its_log_out() {
    let store = Arc::new(MemoryStore::new());
    let manager = SessionManager::new(ServerSide::shared(store.clone()), SessionConfig::flask());
    let manager = Arc::new(manager.expect("browsers take the cookie"));
    let (slot, session) = opened(&manager, "");
    session.log_in("bob").expect("nothing was sent");
    let set = committed(&slot).expect("a log-in sets a cookie");
    let cookie = set.split(';').next().expect("there is a first part");

    let (slot, session) = opened(&manager, cookie);
    session.insert("a", &1).expect("it is JSON");
    assert!(manager.abandon(&slot, || NOON).is_none());
    assert!(!opened(&manager, cookie).1.contains_key("a"));

    let (slot, session) = opened(&manager, cookie);
    session.log_out().expect("nothing was sent");
    let commit = manager.abandon(&slot, || NOON);
    let commit = commit.expect("there is a session to end");
    block_on(commit).expect("the store works");
    assert!(store.is_empty());
    assert!(manager.abandon(&slot, || NOON).is_none(), "it is over");

    let (slot, session) = opened(&manager, cookie);
    session.log_out().expect("there is none");
    assert!(manager.abandon(&slot, || NOON).is_none(), "there is none");
}
