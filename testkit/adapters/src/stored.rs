//! Server-side sessions: the same handlers with any backend, and the lifecycle of a session.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use carafe_core::{
    session::{ServerSide, Session, SessionConfig, SessionError},
    store::{
        ErasedStore, MemoryStore, StoreError,
        conformance::{Spy, Verb},
    },
};

use crate::{
    Adapter, Handler, Reply, Server, Site,
    gate::{Gate, wait_until},
    site::At,
    text,
};

fn site(store: Arc<dyn ErasedStore>) -> Site {
    Site::of(ServerSide::shared(store), SessionConfig::development())
        .with("/", Handler::Plain(text("public")))
        .takes("/count", |session| {
            let count = session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1)?;
            Ok(text(count.to_string()))
        })
        .takes("/read", |session| {
            Ok(text(format!("{:?}", session.get::<u64>("n")?)))
        })
        .takes("/login", |session| session.log_in("bob"))
        .takes("/who", |session| {
            Ok(text(session.user().unwrap_or_else(|| "nobody".to_owned())))
        })
        .takes("/logout", Session::log_out)
        .takes("/panicking_logout", |session| {
            session.log_out()?;
            assert!(!session.is_empty(), "the handler panics here");
            Ok(())
        })
}

fn serve<A: Adapter>(store: Arc<dyn ErasedStore>) -> Server {
    A::serve(site(store))
}

pub(crate) fn pair(server: &At, path: &str, cookie: &str) -> String {
    server.get(path, cookie).pair().unwrap().to_owned()
}

pub fn one_handler_counts_in_a_store_as_it_does_in_a_cookie<A: Adapter>() {
    let server = serve::<A>(Arc::new(MemoryStore::new()));
    let first = server.get("/count", "");
    assert_eq!(first.body, "1");
    let second = server.get("/count", first.pair().unwrap());
    assert_eq!(second.pair(), None, "the id stays, so nothing is sent");
    assert_eq!(second.body, "2");
}

pub fn an_id_that_a_client_invented_is_never_adopted<A: Adapter>() {
    let store = Arc::new(MemoryStore::new());
    let server = serve::<A>(store.clone());
    let invented = format!("session={}", "A".repeat(43));
    assert_ne!(pair(&server, "/count", &invented), invented);
    assert_eq!(store.len(), 1);
    assert_eq!(server.get("/count", &invented).body, "1");
}

pub fn a_log_in_gives_a_new_id_and_revokes_the_old_one<A: Adapter>() {
    let server = serve::<A>(Arc::new(MemoryStore::new()));
    let before = pair(&server, "/count", "");
    let after = pair(&server, "/login", &before);
    assert_ne!(before, after);
    assert_eq!(server.get("/who", &before).body, "nobody");
    assert_eq!(server.get("/who", &after).body, "bob");
    assert_eq!(
        server.get("/count", &after).body,
        "2",
        "the content came along"
    );
}

pub fn an_id_counts_in_the_cookie_only<A: Adapter>() {
    let server = serve::<A>(Arc::new(MemoryStore::new()));
    let jar = pair(&server, "/login", "");
    let (_, id) = jar.split_once('=').unwrap();
    let bearer = format!("Bearer {id}");
    for (line, header) in [
        (format!("GET /who?session={id}"), ("Accept", "*/*")),
        ("GET /who".to_owned(), ("X-Session", id)),
        ("GET /who".to_owned(), ("Session", id)),
        ("GET /who".to_owned(), ("Authorization", &bearer)),
        ("GET /who".to_owned(), ("Cookie2", &jar)),
    ] {
        let answer = server.ask_with(&line, &[header], &format!("session={id}"));
        assert_eq!(answer.body, "nobody", "{line}");
    }
    assert_eq!(server.get("/who", &jar).body, "bob");
}

pub fn a_log_out_ends_every_copy_of_the_cookie<A: Adapter>() {
    let store = Arc::new(MemoryStore::new());
    let server = serve::<A>(store.clone());
    let jar = pair(&server, "/login", "");
    let out = server.get("/logout", &jar);
    assert!(out.set_cookies()[0].contains("Max-Age=0"));
    assert_eq!(server.get("/who", &jar).body, "nobody");
    assert!(store.is_empty());
}

pub fn anonymous_traffic_creates_nothing<A: Adapter>() {
    let store = Arc::new(MemoryStore::new());
    let server = serve::<A>(store.clone());
    for path in ["/", "/who", "/nowhere"] {
        assert_eq!(server.get(path, "").pair(), None);
    }
    assert!(store.is_empty());
}

/// Returns a store that is down.
fn down() -> Arc<dyn ErasedStore> {
    let store = Spy::new(MemoryStore::new());
    store.before(|_| Box::pin(async { Err(StoreError::unavailable("connection refused")) }));
    Arc::new(store)
}

pub fn a_page_that_uses_no_session_works_without_the_store<A: Adapter>() {
    assert_eq!(serve::<A>(down()).get("/", "").status, 200);
}

pub fn a_failing_store_is_a_503_that_leaves_the_cookie_alone<A: Adapter>() {
    let server = serve::<A>(down());
    let jar = format!("session={}", "A".repeat(43));
    for (path, cookie) in [("/who", jar.as_str()), ("/login", "")] {
        let answer = server.get(path, cookie);
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.all("retry-after"), ["1"]);
        assert_eq!(answer.all("cache-control"), ["no-store"]);
        assert_eq!(answer.pair(), None);
        assert_eq!(answer.body, "");
    }
}

/// Returns a store in which calls of `verb` wait at the gate.
fn gated(verb: Verb, gate: &Gate) -> Arc<Spy<MemoryStore>> {
    let (store, gate) = (Spy::new(MemoryStore::new()), gate.clone());
    store.before(move |call| match call.verb == verb {
        true => {
            let gate = gate.clone();
            Box::pin(async move {
                gate.pass().await;
                Ok(())
            })
        }
        false => Box::pin(async { Ok(()) }),
    });
    Arc::new(store)
}

/// Returns a store that is always ready, and one that is polled.
pub(crate) fn stores() -> [Arc<dyn ErasedStore>; 2] {
    let waits = Spy::new(MemoryStore::new());
    [Arc::new(MemoryStore::new()), Arc::new(waits)]
}

pub fn a_store_that_waits_is_waited_for<A: Adapter>() {
    for verb in [Verb::Load, Verb::Patch] {
        let gate = Gate::default();
        let store = gated(verb, &gate);
        let server = serve::<A>(store.clone());
        let jar = pair(&server, "/count", "");
        std::thread::scope(|scope| {
            let at = *server;
            let asking = scope.spawn(move || at.get("/count", &jar));
            wait_until("the store is asked", || store.count(verb) > 0);
            gate.open_for_all();
            assert_eq!(asking.join().unwrap().body, "2", "{verb:?}");
        });
    }
}

pub fn a_commit_that_began_is_saved_although_the_client_is_gone<A: Adapter>() {
    let gate = Gate::default();
    let store = gated(Verb::Patch, &gate);
    let server = serve::<A>(store.clone());
    let jar = pair(&server, "/count", "");
    let connection = server.begin("/count", &jar);
    wait_until("the store is asked", || store.count(Verb::Patch) > 0);
    drop(connection);
    // Time for the server to notice; otherwise the check is only weaker.
    std::thread::sleep(Duration::from_millis(50));
    gate.open_for_all();
    wait_until("the count is saved", || {
        server.get("/read", &jar).body == "Some(2)"
    });
}

/// The handler's other changes are lost with its response.
pub fn a_log_out_happens_although_its_client_hangs_up<A: Adapter>() {
    for store in stores() {
        let never = Gate::default();
        let site = site(store)
            .holds("/slow_count", &never, |session| session.insert("n", &7))
            .holds("/slow_logout", &never, Session::log_out);
        let server = A::serve(site);
        let jar = pair(&server, "/login", "");
        let hang_up = |path, calls| {
            let connection = server.begin(path, &jar);
            never.wait_for(calls);
            drop(connection);
        };
        hang_up("/slow_count", 1);
        // Time for the server to notice; otherwise the check is only weaker.
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(server.get("/who", &jar).body, "bob");
        assert_eq!(server.get("/read", &jar).body, "None");
        hang_up("/slow_logout", 2);
        wait_until("the user is logged out", || {
            server.get("/who", &jar).body == "nobody"
        });
    }
}

pub fn a_log_out_happens_although_its_handler_panics<A: Adapter>() {
    for store in stores() {
        let server = serve::<A>(store);
        let jar = pair(&server, "/login", "");
        assert_eq!(server.get("/panicking_logout", &jar).status, 0);
        wait_until("the user is logged out", || {
            server.get("/who", &jar).body == "nobody"
        });
    }
}

type Counts = BTreeMap<String, u32>;

fn count(session: &Session, keys: [&'static str; 2]) -> Result<Reply, SessionError> {
    let counts = session.update_all(move |counts: &mut Counts| {
        for key in keys {
            *counts.entry(key.to_owned()).or_default() += 1;
        }
    })?;
    Ok(text(format!("{counts:?}")))
}

/// Both requests have the whole session as one value, and change it before either is saved.
pub fn two_requests_that_change_different_fields_both_keep_them<A: Adapter>() {
    for store in stores() {
        let gate = Gate::default();
        let site = site(store)
            .takes("/left", |session| count(session, ["both", "left"]))
            .holds("/late_left", &gate, |session| {
                count(session, ["both", "left"])
            })
            .holds("/late_right", &gate, |session| {
                count(session, ["both", "right"])
            })
            .takes("/counts", |session| {
                Ok(text(format!("{:?}", session.get_all::<Counts>()?)))
            });
        let server = A::serve(site);
        let jar = pair(&server, "/left", "");
        let at: At = *server;
        std::thread::scope(|scope| {
            for path in ["/late_left", "/late_right"] {
                let jar = &jar;
                scope.spawn(move || assert_eq!(at.get(path, jar).status, 200));
            }
            gate.wait_for(2);
            gate.open();
        });
        let counts = server.get("/counts", &jar).body;
        assert_eq!(counts, r#"{"both": 3, "left": 2, "right": 1}"#);
    }
}
