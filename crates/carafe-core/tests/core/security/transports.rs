//! Tokens in headers: events, secrecy, and the selection of a transport by a handler.

use carafe_core::session::{
    ClientSide, RequestHead, SessionConfig, SessionError, Transport, TransportKind,
};
use carafe_test_fixtures::logs;
use futures_executor::block_on;

use super::browser::{NOON, cookie_of, manager, ring};

struct Head<'h>(&'h [(&'h str, String)]);

impl RequestHead for Head<'_> {
    fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let ours = self.0.iter().filter(move |(known, _)| *known == name);
        ours.map(|(_, value)| value.as_bytes())
    }
}

fn config() -> SessionConfig {
    SessionConfig::development()
        .with_transports([Transport::cookie(), Transport::bearer("x-session-token")])
}

#[test]
fn a_refused_token_is_one_event_without_any_byte_of_it() {
    let manager = manager(ClientSide::signed(ring()), config());
    let cookie = cookie_of(&manager, NOON, |session| {
        session.insert("card", "4111-marker").unwrap();
    });
    for (authorization, level, reason) in [
        ("Bearer other", "WARN", "several-transports"),
        ("Bearer ?", "WARN", "several-transports"),
    ] {
        let headers = [("authorization", authorization.to_owned())];
        let lines = logs::lines_of(|| {
            let slot = manager.begin();
            slot.note_token(&Head(&headers));
            let session = block_on(manager.open(&slot, [cookie.as_bytes()], NOON)).unwrap();
            assert!(session.is_empty());
            assert_eq!(session.rejection().unwrap().code(), reason);
            session.insert("own", &1).unwrap();
            let changes = block_on(manager.commit(&slot, [], 200, NOON)).unwrap();
            assert_eq!(changes.set_cookie, None, "the cookie is left alone");
            let token = changes.token.unwrap();
            assert!(!format!("{token:?}").contains(&token.value));
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0].level.as_str(), level);
        assert!(lines[0].text.contains(&format!("reason=\"{reason}\"")));
        let (_, value) = cookie.split_once('=').unwrap();
        assert!(!lines[0].text.contains(value) && !lines[0].text.contains("other"));
    }
    let malformed = [("authorization", "Bearer ?".to_owned())];
    let lines = logs::lines_of(|| {
        let slot = manager.begin();
        slot.note_token(&Head(&malformed));
        let session = block_on(manager.open(&slot, [], NOON)).unwrap();
        assert_eq!(session.rejection().unwrap().code(), "malformed-bearer");
        block_on(manager.commit(&slot, [], 200, NOON)).unwrap();
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0].level.as_str(), "INFO");
}

#[test]
fn a_token_is_not_shown_and_is_no_cookies() {
    let manager = manager(ClientSide::signed(ring()), config());
    let slot = manager.begin();
    let session = block_on(manager.open(&slot, [], NOON)).unwrap();
    session.insert("n", &1).unwrap();
    assert!(session.token().unwrap().is_none(), "a cookie by default");
    session.set_transport(TransportKind::Bearer).unwrap();
    let token = session.token().unwrap().unwrap();
    assert_eq!(format!("{token:?}"), "SessionToken(…)");
    // The first selection takes effect.
    let refused = session.set_transport(TransportKind::Cookie);
    assert!(matches!(refused, Err(SessionError::Transport)));
    let changes = block_on(manager.commit(&slot, [], 200, NOON)).unwrap();
    let header = changes.token.unwrap();
    assert_eq!(
        (&*header.name, changes.set_cookie),
        ("x-session-token", None)
    );
}
