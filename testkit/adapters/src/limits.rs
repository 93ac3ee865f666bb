//! Sessions in a store that exceed a limit.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    limits::{DEVICE_BYTES, KEYS, USER_BYTES},
    session::{ServerSide, Session, SessionConfig, SessionError},
    store::{
        ErasedStore, MemoryStore,
        conformance::{Spy, Verb},
    },
};

use crate::{Adapter, Reply, Site, stored::pair, text};

type Handler = fn(&Session) -> Result<(), SessionError>;

/// Changes that exceed a limit: the path, the handler, and a part of the logged error.
pub const BEYOND: [(&str, Handler, &str); 5] = [
    (
        "/bytes",
        |session| {
            session.insert("small", &1)?;
            session.insert("cart", &"x".repeat(2 << 20))
        },
        "\"cart\" (2097154 bytes)",
    ),
    (
        "/keys",
        |session| {
            session.insert("the_longest", &"x".repeat(100))?;
            (0..KEYS).try_for_each(|n| session.insert(&format!("key {n}"), &n))
        },
        "\"the_longest\" (102 bytes)",
    ),
    (
        "/user",
        |session| session.log_in(&"u".repeat(USER_BYTES + 1)),
        "the user has 256 bytes",
    ),
    (
        "/user_with_nul",
        |session| session.log_in("bob\0"),
        "the user has a NUL",
    ),
    (
        "/device_with_nul",
        |session| {
            session.insert("n", &2)?;
            session.set_device("curl\0")
        },
        "the device has a NUL",
    ),
];

/// Returns a site with a handler for each of the limits, which exceeds it.
pub fn site(store: Arc<dyn ErasedStore>) -> Site {
    let site = Site::of(ServerSide::shared(store), SessionConfig::development())
        .takes("/begin", |session| {
            session.log_in("alice")?;
            session.insert("n", &1)
        })
        .takes("/count", |session| Ok(text(session.len().to_string())))
        .takes("/keys_of", |session| Ok(text(session.keys().join(" "))));
    BEYOND.into_iter().fold(site, |site, (path, handler, _)| {
        site.takes(path, move |session| {
            handler(session).map(|()| Reply {
                headers: vec![("x-order", "placed")],
                ..text("order placed")
            })
        })
    })
}

/// The handler's response would claim that the session was saved, so no part of it is sent.
///
/// A retry would fail too, so the client is not asked for one.
pub fn a_session_beyond_a_limit_is_a_500_and_nothing_is_stored<A: Adapter>() {
    let memory = Arc::new(MemoryStore::new());
    let spy = Arc::new(Spy::shared(memory.clone()));
    let writes = || [Verb::Create, Verb::Patch, Verb::Rotate].map(|verb| spy.count(verb));
    for store in [memory.clone() as Arc<dyn ErasedStore>, spy.clone()] {
        let server = A::serve(site(store));
        let jar = pair(&server, "/begin", "");
        let (sessions, written) = (memory.len(), writes());
        let keys = server.get("/keys_of", &jar).body;
        for (path, ..) in BEYOND {
            for cookie in ["", &jar] {
                let answer = server.get(path, cookie);
                assert_eq!(answer.status, 500, "{path}");
                assert_eq!(answer.body, "", "{path}");
                assert!(answer.all("retry-after").is_empty(), "{path}");
                assert!(answer.all("x-order").is_empty(), "{path}");
                assert!(answer.set_cookies().is_empty(), "{path}");
                assert_eq!(answer.all("cache-control"), ["no-store"], "{path}");
                assert_eq!(server.get("/keys_of", &jar).body, keys, "{path}");
            }
        }
        assert_eq!((memory.len(), writes()), (sessions, written));
    }
}

/// A value equal to the limit is accepted.
///
/// This also holds for a session that a request tried to change beyond the limit.
pub fn a_session_at_the_limits_is_saved<A: Adapter>() {
    let at_the_limits = |session: &Session| {
        session.log_in(&"u".repeat(USER_BYTES))?;
        session.set_device(&"d".repeat(DEVICE_BYTES))?;
        let free = KEYS - session.len();
        (0..free).try_for_each(|n| session.insert(&format!("key {n}"), &n))
    };
    let server = A::serve(site(Arc::new(MemoryStore::new())).takes("/most", at_the_limits));
    let jar = pair(&server, "/begin", "");
    assert_eq!(server.get("/bytes", &jar).status, 500);
    let jar = pair(&server, "/most", &jar);
    assert_eq!(server.get("/count", &jar).body, KEYS.to_string());
}

/// The client controls the length of its user agent string.
pub fn a_long_note_of_a_device_is_cut_between_two_characters<A: Adapter>() {
    let site = Site::of(
        ServerSide::new(MemoryStore::new()),
        SessionConfig::development(),
    );
    let manager = site.manager.clone().unwrap();
    let site = site
        .takes("/login", |session| {
            session.log_in("bob")?;
            session.set_device(&"é".repeat(300))
        })
        .waits("/device", move |_| {
            let manager = manager.clone();
            async move {
                let sessions = manager.sessions_of("bob", None, Timestamp::now()).await;
                let mut sessions = sessions.map_err(SessionError::Store)?;
                let device = sessions.pop().and_then(|session| session.device);
                Ok(text(device.unwrap_or_default().len().to_string()))
            }
        });
    let server = A::serve(site);
    assert_eq!(server.get("/login", "").status, 200);
    assert_eq!(server.get("/device", "").body, "254");
}
