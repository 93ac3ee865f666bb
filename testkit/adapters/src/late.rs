//! Requests that are overtaken by another.
//!
//! The tests check their responses, and that none of them changes the browser's cookie.

use std::sync::Arc;

use carafe_core::{
    session::{ServerSide, Session, SessionConfig, SessionError},
    store::{MemoryStore, Selection},
};

use crate::{
    Adapter, Reply, Server, Site,
    client::Answer,
    gate::Gate,
    site::At,
    stored::{pair, stores},
    text,
};

type Handler = fn(&Session) -> Result<(), SessionError>;

/// The requests that revoke a user's session or renew its id.
const ENDS: [&str; 4] = ["/login", "/renew", "/logout", "/revoke"];

/// Changes that a visitor would miss.
const CHANGES: [(&str, Handler); 4] = [
    ("/insert", |session| session.insert("late", &1)),
    ("/update", |session| {
        let count = |n: Option<u64>| n.unwrap_or(0) + 1;
        session.update("late", count).map(drop)
    }),
    ("/flash", |session| session.flash("late", "hello")),
    ("/renewal", Session::renew),
];

/// Returns a site with handlers that wait at `gate` after they have read or changed the session.
fn site(side: ServerSide, config: SessionConfig, gate: &Gate) -> Site {
    let site = Site::of(side, config);
    let manager = site.manager.clone().unwrap();
    let mut site = site
        .takes("/begin", |session| {
            session.log_in("bob")?;
            session.insert("old", &1)
        })
        .takes("/keep", |session| {
            session.set_permanent(true)?;
            session.log_in("bob")
        })
        .takes("/login", |session| session.log_in("bob"))
        .takes("/renew", Session::renew)
        .takes("/logout", Session::log_out)
        .waits("/revoke", move |_| {
            let manager = manager.clone();
            async move {
                let ended = manager.end_sessions_of("bob", Selection::All).await;
                ended.map(drop).map_err(SessionError::Store)
            }
        })
        .takes("/keys", |session| Ok(text(session.keys().join(" "))));
    for (path, change) in CHANGES {
        site = site.holds(path, gate, move |session| change(session).map(|()| saved()));
    }
    site.holds("/read", gate, |session| {
        session.get::<u64>("old").map(|_| saved())
    })
    .holds("/log_in_late", gate, |session| {
        session.log_in("ada")?;
        session.insert("own", &1)
    })
}

fn saved() -> Reply {
    Reply {
        headers: vec![("x-order", "placed")],
        ..text("saved")
    }
}

struct Overlap {
    server: Server,
    gate: Gate,
}

impl Overlap {
    fn of<A: Adapter>(side: ServerSide, config: SessionConfig) -> Self {
        let gate = Gate::default();
        let server = A::serve(site(side, config, &gate));
        Self { server, gate }
    }

    /// Sends a request for `path` that waits while another one for `end` completes.
    ///
    /// Both send `jar`. Returns the responses to `end` and `path`.
    fn overtaken(&self, path: &'static str, end: &str, jar: &str) -> (Answer, Answer) {
        let at: At = *self.server;
        std::thread::scope(|scope| {
            let late = scope.spawn(move || at.get(path, jar));
            self.gate.wait_for(1);
            // An operator, who uses another browser, revokes the session.
            let first = at.get(end, if end == "/revoke" { "" } else { jar });
            self.gate.open();
            (first, late.join().unwrap())
        })
    }

    /// Sends a request for `path` with `jar` and returns the response.
    fn alone(&self, path: &'static str, jar: &str) -> Answer {
        let at: At = *self.server;
        std::thread::scope(|scope| {
            let answer = scope.spawn(move || at.get(path, jar));
            self.gate.wait_for(1);
            self.gate.open();
            answer.join().unwrap()
        })
    }
}

fn assert_conflict(answer: &Answer, situation: &str) {
    assert_eq!(answer.status, 409, "{situation}");
    assert!(answer.set_cookies().is_empty(), "{situation}: {answer:?}");
    assert!(answer.all("retry-after").is_empty(), "{situation}");
    assert!(answer.all("x-order").is_empty(), "{situation}");
    assert_eq!(answer.all("cache-control"), ["no-store"], "{situation}");
    assert_eq!(answer.body, "", "{situation}");
}

/// The handler's response would claim that the session was saved, so no part of it is sent.
pub fn a_late_change_is_a_409_without_a_cookie<A: Adapter>() {
    for store in stores() {
        let side = ServerSide::shared(store);
        let overlap = Overlap::of::<A>(side, SessionConfig::development());
        for end in ENDS {
            for (change, _) in CHANGES {
                let jar = pair(&overlap.server, "/begin", "");
                let (first, late) = overlap.overtaken(change, end, &jar);
                assert_conflict(&late, &format!("{change} after {end}"));
                if let Some(next) = first.pair() {
                    let keys = overlap.server.get("/keys", next).body;
                    assert!(!keys.contains("late"), "{change} after {end}: {keys}");
                }
            }
        }
    }
}

/// A late reader sends no cookie.
///
/// A late `Set-Cookie` could arrive after that of the newer response, and replace or remove its
/// cookie.
pub fn a_late_reader_never_sends_a_cookie<A: Adapter>() {
    for config in [
        SessionConfig::default,
        SessionConfig::development,
        SessionConfig::flask,
        SessionConfig::starlette,
    ] {
        let side = ServerSide::shared(Arc::new(MemoryStore::new()));
        let overlap = Overlap::of::<A>(side, config());
        for begin in ["/begin", "/keep"] {
            for end in ENDS {
                let jar = pair(&overlap.server, begin, "");
                let (_, during) = overlap.overtaken("/read", end, &jar);
                let behind = overlap.alone("/read", &jar);
                for answer in [during, behind] {
                    assert_eq!(answer.status, 200, "{begin} {end}");
                    assert_eq!(answer.body, "saved", "{begin} {end}");
                    assert!(answer.set_cookies().is_empty(), "{begin} {end}: {answer:?}");
                }
            }
        }
    }
}

pub fn a_retired_id_changes_nothing_and_can_log_in<A: Adapter>() {
    for store in stores() {
        let side = ServerSide::shared(store);
        let overlap = Overlap::of::<A>(side, SessionConfig::development());
        for end in ENDS {
            let jar = pair(&overlap.server, "/begin", "");
            let operators = if end == "/revoke" { "" } else { &jar };
            assert_eq!(overlap.server.get(end, operators).status, 200);
            assert_eq!(overlap.server.get("/keys", &jar).body, "", "{end}");
            assert_conflict(&overlap.alone("/insert", &jar), end);
            let answer = overlap.alone("/log_in_late", &jar);
            assert_logged_in(&overlap.server, &answer, end);
        }
    }
}

/// The session has the user and the values of its own request, and none of the old ones.
pub fn a_late_log_in_leads_to_a_session<A: Adapter>() {
    for store in stores() {
        let side = ServerSide::shared(store);
        let overlap = Overlap::of::<A>(side, SessionConfig::development());
        for end in ENDS {
            let jar = pair(&overlap.server, "/begin", "");
            let (_, late) = overlap.overtaken("/log_in_late", end, &jar);
            assert_logged_in(&overlap.server, &late, end);
        }
    }
}

fn assert_logged_in(server: &Server, answer: &Answer, situation: &str) {
    assert_eq!(answer.status, 200, "{situation}");
    let jar = answer.pair().expect("a log-in gives an id");
    let keys = server.get("/keys", jar).body;
    assert!(
        keys.contains("_user_id") && keys.contains("own") && !keys.contains("old"),
        "{situation}: {keys}"
    );
}
