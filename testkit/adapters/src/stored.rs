//! Server-side sessions: one handler, any backend, and the life of a session.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use carafe_core::{
    session::{ServerSide, Session, SessionConfig},
    store::{
        MemoryStore, SessionStore, StoreError,
        conformance::{Spy, Verb},
    },
};

use crate::{Adapter, Handler, Server, Site, site::At, text};

fn site(store: Arc<dyn SessionStore>) -> Site {
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
}

fn serve<A: Adapter>(store: Arc<dyn SessionStore>) -> Server {
    A::serve(site(store))
}

fn pair(server: &At, path: &str, cookie: &str) -> String {
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

pub fn sid_3_an_id_that_a_client_invented_is_never_adopted<A: Adapter>() {
    let store = Arc::new(MemoryStore::new());
    let server = serve::<A>(store.clone());
    let invented = format!("session={}", "A".repeat(43));
    assert_ne!(pair(&server, "/count", &invented), invented);
    assert_eq!(store.len(), 1);
    assert_eq!(server.get("/count", &invented).body, "1");
}

pub fn sid_7_a_log_in_gives_a_new_id_and_the_old_one_is_dead_at_once<A: Adapter>() {
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

pub fn sid_8_an_id_counts_in_the_cookie_only<A: Adapter>() {
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

pub fn lif_4_a_log_out_ends_every_copy_of_the_cookie<A: Adapter>() {
    let store = Arc::new(MemoryStore::new());
    let server = serve::<A>(store.clone());
    let jar = pair(&server, "/login", "");
    let out = server.get("/logout", &jar);
    assert!(out.set_cookies()[0].contains("Max-Age=0"));
    assert_eq!(server.get("/who", &jar).body, "nobody");
    assert!(store.is_empty());
}

pub fn lif_12_anonymous_traffic_creates_nothing<A: Adapter>() {
    let store = Arc::new(MemoryStore::new());
    let server = serve::<A>(store.clone());
    for path in ["/", "/who", "/nowhere"] {
        assert_eq!(server.get(path, "").pair(), None);
    }
    assert!(store.is_empty());
}

/// A store that is down.
fn down() -> Arc<dyn SessionStore> {
    let store = Spy::new(MemoryStore::new());
    store.before(|_| Box::pin(async { Err(StoreError::unavailable("connection refused")) }));
    Arc::new(store)
}

pub fn down_1_a_page_that_uses_no_session_works_without_the_store<A: Adapter>() {
    assert_eq!(serve::<A>(down()).get("/", "").status, 200);
}

pub fn down_2_and_3_a_store_in_trouble_is_a_503_that_leaves_the_cookie_alone<A: Adapter>() {
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

/// A store that is shut until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<(bool, Vec<Waker>)>>);

impl Gate {
    async fn pass(self) -> Result<(), StoreError> {
        poll_fn(|context| {
            let mut state = self.0.lock().unwrap();
            if state.0 {
                return Poll::Ready(Ok(()));
            }
            state.1.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn open(&self) {
        let mut state = self.0.lock().unwrap();
        state.0 = true;
        state.1.drain(..).for_each(Waker::wake);
    }
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A store whose calls of this verb wait at the gate.
fn gated(verb: Verb, gate: &Gate) -> Arc<Spy<MemoryStore>> {
    let (store, gate) = (Spy::new(MemoryStore::new()), gate.clone());
    store.before(move |call| match call.verb == verb {
        true => Box::pin(gate.clone().pass()),
        false => Box::pin(async { Ok(()) }),
    });
    Arc::new(store)
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
            gate.open();
            assert_eq!(asking.join().unwrap().body, "2", "{verb:?}");
        });
    }
}

pub fn cancel_1_what_was_begun_is_saved_although_the_client_is_gone<A: Adapter>() {
    let gate = Gate::default();
    let store = gated(Verb::Patch, &gate);
    let server = serve::<A>(store.clone());
    let jar = pair(&server, "/count", "");
    let connection = server.begin("/count", &jar);
    wait_until("the store is asked", || store.count(Verb::Patch) > 0);
    drop(connection);
    // Time for the server to see it; if it does not, the check is only weaker.
    std::thread::sleep(Duration::from_millis(50));
    gate.open();
    wait_until("the count is saved", || {
        server.get("/read", &jar).body == "Some(2)"
    });
}
