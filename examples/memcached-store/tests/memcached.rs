//! The store over memcached: both conformance suites, and the limits of memcached.

use std::{future::Future, sync::OnceLock};

use carafe_core::{
    clock::Timestamp,
    session::{Patch, SessionData},
    store::{
        CasStore, Created, KeyState, PublicId, Record, SessionMeta, SessionStore, StoreError,
        StoreKey,
    },
};
use carafe_test_servers::Memcached as Server;
use memcached_store::Memcached;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(future)
}

async fn on_server() -> CasStore<Memcached> {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(Server::start);
    memcached_store::connect(server.url())
}

// [shown]
carafe_core::session_store_conformance!(
    #[ignore = "needs memcached: cargo xtask test"];
    crate::block_on,
    crate::on_server()
);

carafe_core::session_life_conformance!(
    #[ignore = "needs memcached: cargo xtask test"];
    crate::block_on,
    crate::on_server()
);
// [/shown]

fn record(text: &str) -> Record {
    let (now, json) = (Timestamp::now(), format!(r#"{{"text":"{text}"}}"#));
    Record::new(
        SessionMeta::new(
            PublicId::random().expect("the system has randomness"),
            now,
            now.saturating_add(3600),
        ),
        SessionData::parse(json, Record::STYLE).expect("it is JSON"),
    )
}

#[test]
#[ignore = "needs memcached: cargo xtask test"]
fn a_session_that_grows_too_large_stays_as_it_was() {
    block_on(async {
        let (store, now) = (on_server().await, Timestamp::now());
        let (key, base) = (StoreKey::of_id("grows"), record("small"));
        let created = store.create(&key, &base, now).await;
        assert!(matches!(created, Ok(Created::Created)));
        let mut patch = Patch::default();
        patch.set("large", format!(r#""{}""#, "x".repeat(1 << 20)));
        let patched = store.patch(&key, &base, &patch, now).await;
        assert!(matches!(patched, Err(StoreError::TooLarge { .. })));
        let state = store.load(&key, now).await.expect("load works");
        let text = state
            .record()
            .and_then(|record| record.data.text_of("text"));
        assert_eq!(text, Some(r#""small""#));
    });
}

#[test]
#[ignore = "needs memcached: cargo xtask test"]
fn a_server_that_was_restarted_has_no_sessions_and_works() {
    block_on(async {
        let (server, now) = (Server::start(), Timestamp::now());
        let store = memcached_store::connect(server.url());
        let key = StoreKey::of_id("restart");
        let created = store.create(&key, &record("lost"), now).await;
        assert!(matches!(created, Ok(Created::Created)));
        server.kill();
        for _ in 0..2 {
            let state = store.load(&key, now).await;
            assert!(matches!(state, Err(StoreError::Unavailable(_))));
        }
        server.restart();
        let state = store.load(&key, now).await;
        assert!(matches!(state, Ok(KeyState::Absent)), "{state:?}");
    });
}
