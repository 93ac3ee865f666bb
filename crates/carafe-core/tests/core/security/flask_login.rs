//! Sessions shared with Flask-Login: the keys written at log-in, and effective log-outs.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    cookie::CookiePolicy,
    session::{
        ClientSide, CommitError, Field, FlaskLogin, HeaderChanges, ResponseHead, ServerSide,
        Session, SessionBackend, SessionConfig, SessionManager,
    },
    store::{
        MemoryStore, StoreError,
        conformance::{Spy, Verb},
    },
};
use futures_executor::block_on;

use super::browser::{NOON, pair, ring};

const REMEMBERED: &str = "remember_token=alice|0123456789abcdef";
const REMOVAL: &str =
    "remember_token=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/";
const CHROME: &[u8] = b"Mozilla/5.0";

fn manager(side: impl Into<SessionBackend>, config: SessionConfig) -> Arc<SessionManager> {
    Arc::new(SessionManager::new(side, config).unwrap())
}

/// Returns managers of both backends, under `config`.
fn managers(config: &SessionConfig) -> [Arc<SessionManager>; 2] {
    [
        manager(ClientSide::signed(ring()), config.clone()),
        manager(ServerSide::new(MemoryStore::new()), config.clone()),
    ]
}

/// Sends a request from a client with or without a known address.
fn request(
    manager: &Arc<SessionManager>,
    cookie: &str,
    peer: Option<[u8; 4]>,
    status: u16,
    handler: impl FnOnce(&Session),
) -> Result<HeaderChanges, CommitError> {
    let (slot, lines) = (manager.begin(), [cookie.as_bytes()]);
    slot.note_client(None, peer.map(Into::into), Some(CHROME));
    handler(&block_on(manager.open(&slot, lines, NOON)).unwrap());
    block_on(manager.commit(&slot, lines, status, NOON))
}

fn log_in(session: &Session) {
    session.log_in("alice").unwrap();
}

fn log_out(session: &Session) {
    session.log_out().unwrap();
}

/// Returns the `Cookie` line of a user with "remember me".
fn logged_in(manager: &Arc<SessionManager>) -> String {
    let effects = request(manager, "", None, 200, log_in).unwrap();
    format!("{REMEMBERED}; {}", pair(&effects))
}

#[test]
fn a_log_out_removes_the_remember_me_cookie_that_the_browser_sent() {
    for manager in managers(&SessionConfig::flask()) {
        let removal = manager.cookie().removal();
        for status in [200, 500] {
            let line = logged_in(&manager);
            let effects = request(&manager, &line, None, status, log_out).unwrap();
            assert_eq!(effects.set_cookie.as_deref(), Some(removal));
            assert_eq!(effects.remember_cookie.as_deref(), Some(REMOVAL));
            assert!(effects.no_store && effects.vary_cookie);
        }
        // The same log-out without a session.
        let effects = request(&manager, REMEMBERED, None, 200, log_out).unwrap();
        assert_eq!(effects.remember_cookie.as_deref(), Some(REMOVAL));
        // The same log-out if another user logs in during the same request.
        let line = logged_in(&manager);
        let swap = |session: &Session| {
            session.log_out().unwrap();
            session.log_in("bob").unwrap();
        };
        let effects = request(&manager, &line, None, 200, swap).unwrap();
        assert_eq!(effects.remember_cookie.as_deref(), Some(REMOVAL));
        assert_ne!(effects.set_cookie.as_deref(), Some(removal));
    }
}

#[test]
fn nothing_else_touches_the_remember_me_cookie() {
    for manager in managers(&SessionConfig::flask()) {
        let line = logged_in(&manager);
        let calls: [fn(&Session); 4] = [
            |session| _ = session.user(),
            |session| session.insert("n", &1).unwrap(),
            |session| session.clear().unwrap(),
            log_in,
        ];
        for call in calls {
            let effects = request(&manager, &line, None, 200, call).unwrap();
            assert_eq!(effects.remember_cookie, None);
        }
        let without = line.split_once("; ").unwrap().1;
        let effects = request(&manager, without, None, 200, log_out).unwrap();
        assert_eq!(effects.remember_cookie, None);
    }
    let none = SessionConfig::flask().with_flask_login(None);
    for config in [SessionConfig::default(), SessionConfig::starlette(), none] {
        for manager in managers(&config) {
            let line = logged_in(&manager);
            let effects = request(&manager, &line, None, 200, log_out).unwrap();
            assert_eq!(effects.remember_cookie, None);
        }
    }
}

#[test]
fn the_remember_me_cookie_has_the_name_and_attributes_that_are_configured() {
    let remember = CookiePolicy::flask("keep")
        .domain("example.com")
        .path("/app");
    let login = FlaskLogin::new().with_remember_cookie(remember);
    for manager in managers(&SessionConfig::flask().with_flask_login(login)) {
        let line = logged_in(&manager).replace("remember_token", "keep");
        let effects = request(&manager, &line, None, 200, log_out).unwrap();
        assert_eq!(
            effects.remember_cookie.as_deref(),
            Some(
                "keep=; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/app"
            )
        );
    }
    let bad = FlaskLogin::new().with_remember_cookie(CookiePolicy::flask("a b"));
    let config = SessionConfig::flask().with_flask_login(bad);
    assert!(SessionManager::new(ClientSide::signed(ring()), config).is_err());
}

/// The header lines of a response.
#[derive(Default)]
struct Lines(Vec<String>);

impl ResponseHead for Lines {
    fn values(&self, field: Field) -> impl Iterator<Item = &[u8]> {
        let is_asked = field == Field::SetCookie;
        self.0
            .iter()
            .filter(move |_| is_asked)
            .map(String::as_bytes)
    }

    fn append(&mut self, field: Field, value: String) {
        if field == Field::SetCookie {
            self.0.push(value);
        }
    }

    fn replace(&mut self, _: Field, _: String) {}

    fn set_if_absent(&mut self, _: Field, _: &'static str) -> bool {
        false
    }

    fn contains(&self, _: &str) -> bool {
        false
    }

    fn set(&mut self, _: &str, _: String) {}

    fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool) {
        if field == Field::SetCookie {
            self.0.retain(|line| keep(line.as_bytes()));
        }
    }
}

#[test]
fn both_removals_are_sent_and_the_handlers_own_is_kept() {
    for manager in managers(&SessionConfig::flask()) {
        let removal = manager.cookie().removal().to_owned();
        for own in [
            None,
            Some("remember_token=; Max-Age=0; Path=/; Domain=example.com"),
        ] {
            let line = logged_in(&manager);
            let effects = request(&manager, &line, None, 200, log_out).unwrap();
            let mut head = Lines(own.map(str::to_owned).into_iter().collect());
            effects.apply(&mut head, "session");
            let expected = match own {
                None => [removal.as_str(), REMOVAL],
                Some(own) => [own, removal.as_str()],
            };
            let mut lines = head.0;
            lines.sort();
            let mut expected = expected.map(str::to_owned);
            expected.sort();
            assert_eq!(lines, expected);
        }
    }
}

#[test]
fn a_log_out_that_the_store_was_not_told_of_removes_both_cookies() {
    let store = Arc::new(Spy::new(MemoryStore::new()));
    let manager = manager(ServerSide::shared(store.clone()), SessionConfig::flask());
    let line = logged_in(&manager);
    store.before(|call| {
        Box::pin(async move {
            match call.verb {
                Verb::Delete => Err(StoreError::unavailable("connection refused")),
                _ => Ok(()),
            }
        })
    });
    let error = request(&manager, &line, None, 200, log_out).unwrap_err();
    let mut head = Lines::default();
    assert_eq!(error.answer(&mut head), 503);
    assert_eq!(head.0, [manager.cookie().removal(), REMOVAL]);
}

/// The result of Flask-Login 0.6.3's `_create_identifier` for `request`'s address and user agent.
const IDENTIFIER_OF_LOCALHOST: &str = "4b58f43e05616ba2eb7be4c7562bf7fa83800cb050c056542e579ea984440fb8f43632cd4831c0bfc235ad551c1fbeb6a35217a1b0ed9bd70527febbaacc2293";

#[test]
fn a_log_in_is_fresh_for_flask_login_and_bound_to_the_client() {
    let stale = |session: &Session| {
        session.insert("_fresh", &false).unwrap();
        session.insert("_id", "of another client").unwrap();
        session.insert("cart", &[1]).unwrap();
    };
    let noted = |manager: &Arc<SessionManager>, peer| {
        let line = pair(&request(manager, "", peer, 200, stale).unwrap());
        let line = pair(&request(manager, &line, peer, 200, log_in).unwrap());
        let mut seen = None;
        request(manager, &line, peer, 200, |session| {
            let fresh: Option<bool> = session.get("_fresh").unwrap();
            let id: Option<String> = session.get("_id").unwrap();
            assert_eq!(session.user().as_deref(), Some("alice"));
            assert!(session.contains_key("cart"));
            seen = Some((fresh, id));
        })
        .unwrap();
        seen.unwrap()
    };
    let localhost = Some([127, 0, 0, 1]);
    for manager in managers(&SessionConfig::flask()) {
        let bound = (Some(true), Some(IDENTIFIER_OF_LOCALHOST.to_owned()));
        assert_eq!(noted(&manager, localhost), bound);
        assert_eq!(
            noted(&manager, None),
            (Some(true), None),
            "no identifier is better than another's"
        );
    }
    let login = FlaskLogin::new().without_session_protection();
    for manager in managers(&SessionConfig::flask().with_flask_login(login)) {
        assert_eq!(noted(&manager, localhost), (Some(true), None));
    }
    for manager in managers(&SessionConfig::default()) {
        let untouched = (Some(false), Some("of another client".to_owned()));
        assert_eq!(noted(&manager, localhost), untouched);
    }
}

#[test]
fn the_first_known_client_counts_and_the_proxys_word_before_the_peers() {
    let manager = &managers(&SessionConfig::flask())[0];
    let identifier = |forwarded_for: Option<&[u8]>, again: bool| {
        let slot = manager.begin();
        slot.note_client(forwarded_for, Some([127, 0, 0, 1].into()), Some(CHROME));
        if again {
            slot.note_client(Some(b"192.0.2.1"), None, None);
        }
        let session = block_on(manager.open(&slot, [], Timestamp::from_unix(0))).unwrap();
        log_in(&session);
        session.get::<String>("_id").unwrap()
    };
    let direct = identifier(None, false);
    assert_eq!(direct, identifier(None, true));
    assert_eq!(direct, identifier(Some(b"127.0.0.1, 10.0.0.1"), false));
    assert_ne!(direct, identifier(Some(b"203.0.113.9"), false));
}
