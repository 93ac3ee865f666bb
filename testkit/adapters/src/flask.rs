//! Flask's preset, compared with the behavior of Flask 3.1.3 at the end of a request.
//!
//! The table contains, for each situation, whether the response has a `Set-Cookie` and a `Vary:
//! Cookie` header.

use carafe_core::{
    clock::Timestamp,
    key::KeyRing,
    session::{ClientSide, Refresh, Session, SessionConfig},
    token::signed::{SignedFormat, SignedSessions},
};

use crate::{
    Adapter, Handler, Reply, Site, text,
    tokens::{KEY, OLD_KEY, flask, flask_cookie, flask_cookie_under, inside, key, safe, side},
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sent {
    Nothing,
    /// Without `Expires`.
    Session,
    /// With `Expires`.
    Permanent,
    Removal,
}

type Does = fn(&Session);

struct Situation {
    name: &'static str,
    /// The payload of the request's cookie; no cookie if empty.
    brought: &'static str,
    /// `None` does not extract the session.
    handler: Option<Does>,
    sent: Sent,
    vary: bool,
}

const fn on(
    name: &'static str,
    brought: &'static str,
    handler: Option<Does>,
    sent: Sent,
    vary: bool,
) -> Situation {
    Situation {
        name,
        brought,
        handler,
        sent,
        vary,
    }
}

const PLAIN: &str = r#"{"a":1}"#;
const PERMANENT: &str = r#"{"_permanent":true,"a":1}"#;

const TABLE: &[Situation] = &[
    on("untouched, no cookie", "", None, Sent::Nothing, false),
    on("untouched, a cookie", PLAIN, None, Sent::Nothing, false),
    on(
        "untouched, a bad cookie",
        "rubbish",
        None,
        Sent::Nothing,
        false,
    ),
    on(
        "taken, but not looked at",
        PLAIN,
        Some(|_| ()),
        Sent::Nothing,
        false,
    ),
    on(
        "read, no cookie",
        "",
        Some(|s| _ = s.len()),
        Sent::Nothing,
        true,
    ),
    on(
        "read",
        PLAIN,
        Some(|s| _ = s.get::<u8>("a")),
        Sent::Nothing,
        true,
    ),
    on(
        "read, a bad cookie",
        "rubbish",
        Some(|s| assert!(s.is_empty())),
        Sent::Nothing,
        true,
    ),
    on(
        "changed",
        PLAIN,
        Some(|s| s.insert("b", &1).unwrap()),
        Sent::Session,
        true,
    ),
    on(
        "changed, a bad cookie",
        "rubbish",
        Some(|s| s.insert("b", &1).unwrap()),
        Sent::Session,
        true,
    ),
    on(
        "an equal value is written",
        PLAIN,
        Some(|s| s.insert("a", &1).unwrap()),
        Sent::Session,
        true,
    ),
    on(
        "a missing key is popped",
        PLAIN,
        Some(|s| _ = s.remove("x").unwrap()),
        Sent::Nothing,
        true,
    ),
    on(
        "permanent, untouched",
        PERMANENT,
        None,
        Sent::Permanent,
        true,
    ),
    on(
        "permanent, read",
        PERMANENT,
        Some(|s| _ = s.len()),
        Sent::Permanent,
        true,
    ),
    on(
        "permanent, changed",
        PERMANENT,
        Some(|s| s.insert("b", &1).unwrap()),
        Sent::Permanent,
        true,
    ),
    on(
        "the last key is removed",
        PLAIN,
        Some(|s| _ = s.remove("a").unwrap()),
        Sent::Removal,
        true,
    ),
    on(
        "cleared",
        PLAIN,
        Some(|s| s.clear().unwrap()),
        Sent::Removal,
        true,
    ),
    on(
        "cleared, no cookie",
        "",
        Some(|s| s.clear().unwrap()),
        Sent::Removal,
        true,
    ),
    on(
        "modified = True on an empty session",
        "",
        Some(|s| s.renew().unwrap()),
        Sent::Removal,
        true,
    ),
    on(
        "permanent = True on an empty session",
        "",
        Some(|s| s.set_permanent(true).unwrap()),
        Sent::Permanent,
        true,
    ),
    on(
        "permanent = False on a permanent one",
        PERMANENT,
        Some(|s| s.set_permanent(false).unwrap()),
        Sent::Session,
        true,
    ),
];

/// Sends a request with the situation's cookie; returns the result as a row of the table.
fn row<A: Adapter>(site: Site, situation: &Situation, path: &str) -> (Sent, bool) {
    let site = match situation.handler {
        Some(handler) => site.takes("/", move |session| {
            handler(session);
            Ok(())
        }),
        None => site.with("/", Handler::Plain(Reply::default())),
    };
    let cookie = match situation.brought {
        "" => String::new(),
        "rubbish" => "session=rubbish".to_owned(),
        payload => format!("session={}", flask_cookie(payload, 60)),
    };
    let answer = A::serve(site).get(path, &cookie);
    let sent = match answer.set_cookies()[..] {
        [] => Sent::Nothing,
        [only] if only.contains("Max-Age=0") => Sent::Removal,
        [only] if only.contains("Expires=") => Sent::Permanent,
        [only] => {
            assert!(only.ends_with("; HttpOnly; Path=/"), "{only}");
            Sent::Session
        }
        ref more => panic!("{more:?}"),
    };
    (sent, answer.vary() == ["Cookie"])
}

pub fn the_end_of_a_request_is_flasks<A: Adapter>() {
    for situation in TABLE {
        let seen = row::<A>(flask(), situation, "/");
        assert_eq!(seen, (situation.sent, situation.vary), "{}", situation.name);
    }
}

/// `SESSION_REFRESH_EACH_REQUEST = False`.
pub fn without_refresh_a_permanent_session_is_sent_when_it_changes<A: Adapter>() {
    let config = || SessionConfig::flask().with_refresh(Refresh::Never);
    for situation in TABLE {
        let expected = match situation.name {
            "permanent, untouched" => (Sent::Nothing, false),
            "permanent, read" => (Sent::Nothing, true),
            _ => (situation.sent, situation.vary),
        };
        let seen = row::<A>(Site::of(side(), config()), situation, "/");
        assert_eq!(seen, expected, "{}", situation.name);
    }
}

/// Every response refreshes the cookie, including 404, 500 and static files.
pub fn a_permanent_session_is_refreshed_on_routes_that_do_not_exist<A: Adapter>() {
    let situation = on("permanent, 404", PERMANENT, None, Sent::Permanent, true);
    let seen = row::<A>(flask(), &situation, "/nowhere");
    assert_eq!(seen, (Sent::Permanent, true));
    let situation = on("plain, 404", PLAIN, None, Sent::Nothing, false);
    let seen = row::<A>(flask(), &situation, "/nowhere");
    assert_eq!(seen, (Sent::Nothing, false));
}

/// A deliberate difference: Flask does not re-sign a cookie that a fallback key signed.
///
/// The key changes, the timestamp is kept.
pub fn a_cookie_under_a_fallback_key_is_written_again_when_it_is_read<A: Adapter>() {
    let ring = KeyRing::new(key(KEY)).with_fallback(key(OLD_KEY)).unwrap();
    let site = Site::of(ClientSide::signed(ring), SessionConfig::flask())
        .takes("/read", |session| Ok(text(session.len().to_string())))
        .with("/untouched", Handler::Plain(Reply::default()));
    let server = A::serve(site);
    let old = flask_cookie_under(&key(OLD_KEY).into(), PLAIN, 3_600);
    let cookie = format!("session={old}");
    let answer = server.get("/untouched", &cookie);
    assert!(answer.set_cookies().is_empty() && answer.vary().is_empty());
    let answer = server.get("/read", &cookie);
    let (payload, issued) = inside(answer.cookie());
    assert_eq!(payload, PLAIN);
    assert_eq!(Timestamp::now().seconds_since(issued) / 10, 360);
    let again = server.get("/read", &format!("session={}", answer.cookie()));
    assert!(again.set_cookies().is_empty());
}

/// Flask's `save_session` also runs for error pages; the safe preset saves only a log-out there.
pub fn a_server_error_saves_in_flasks_preset_only<A: Adapter>() {
    let failing = |status: u16| {
        move |session: &Session| {
            session.insert("a", &1)?;
            Ok(status)
        }
    };
    for (site, saves) in [(flask(), true), (safe(), false)] {
        let insisting = |session: Session| async move {
            session.insert("a", &1)?;
            session.commit().await?;
            Ok(500)
        };
        let site = site
            .takes("/499", failing(499))
            .takes("/500", failing(500))
            .takes("/503", failing(503))
            .waits("/insisting", insisting)
            .takes("/leaving", |session| session.log_out().map(|()| 500));
        let server = A::serve(site);
        for (path, sends) in [
            ("/499", true),
            ("/500", saves),
            ("/503", saves),
            ("/insisting", true),
            ("/leaving", true),
        ] {
            let answer = server.get(path, "");
            assert_eq!(answer.set_cookies().len(), usize::from(sends), "{path}");
            assert_eq!(answer.vary(), ["Cookie"], "{path}");
        }
    }
}

/// The cookie equals Flask's byte for byte.
pub fn what_flask_would_write_we_write<A: Adapter>() {
    let site = flask().takes("/", |session| session.insert("user_id", &42));
    let answer = A::serve(site).get("/", "");
    let (payload, issued) = inside(answer.cookie());
    assert_eq!(payload, r#"{"user_id":42}"#);
    let keys = key(KEY).into();
    let again = SignedSessions::new(&keys, &SignedFormat::flask());
    assert_eq!(answer.cookie(), again.seal(&payload, issued));
}
