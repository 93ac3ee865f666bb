//! Flask-Session's layout: the conformance suite, and how Flask-Session and Carafe affect each
//! other. `interop/` tests against the real Flask-Session.

use std::{sync::OnceLock, time::Duration};

use carafe_core::{
    clock::Timestamp,
    flask::stored::{FlaskSession, Format},
    store::{Created, Patched, Rotation, SessionStore, StoreError, StoreKey},
};
use carafe_redis::FlaskSessionStore;

use crate::support::{
    Cluster, LATER, NOW, Server, applied, block_on, key, patient, record, record_of, renewal, set,
    used,
};

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// The lifetime of the conformance suite's records.
const HOUR: Duration = Duration::from_secs(3600);

async fn on_server(layout: FlaskSession) -> FlaskSessionStore {
    let store = patient().connect(server().url()).await;
    let store = store.expect("the server answers");
    store.flask_session(layout.with_lifetime(HOUR))
}

async fn on_cluster(layout: FlaskSession) -> FlaskSessionStore {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(Cluster::start);
    let store = patient().connect_cluster(cluster.urls()).await;
    let store = store.expect("the cluster answers");
    store.flask_session(layout.with_lifetime(HOUR))
}

fn keeping(format: Format) -> FlaskSession {
    FlaskSession::new(format).keeping_facts()
}

mod msgpack {
    carafe_core::session_store_conformance!(
        #[ignore = "needs redis-server: cargo xtask test"];
        super::block_on,
        super::on_server(super::keeping(super::Format::MsgPack))
    );
}

mod json {
    carafe_core::session_store_conformance!(
        #[ignore = "needs redis-server: cargo xtask test"];
        super::block_on,
        super::on_server(super::keeping(super::Format::Json))
    );
}

mod cluster {
    carafe_core::session_store_conformance!(
        #[ignore = "needs redis-server: cargo xtask test"];
        super::block_on,
        super::on_cluster(super::keeping(super::Format::MsgPack))
    );
}

fn name(key: &StoreKey) -> String {
    FlaskSession::default().name(key)
}

/// Flask-Session's `SET name value EX seconds`, for text that a command line can contain.
fn flask_writes(key: &StoreKey, value: &str, seconds: u32) {
    let seconds = seconds.to_string();
    let said = server().cli(&["SET", &name(key), value, "EX", &seconds]);
    assert_eq!(said, "OK");
}

fn stored(key: &StoreKey) -> String {
    server().cli(&["GET", &name(key)])
}

fn ttl(key: &StoreKey) -> i64 {
    let said = server().cli(&["TTL", &name(key)]);
    said.parse().expect("a number")
}

async fn plain() -> FlaskSessionStore {
    on_server(FlaskSession::new(Format::Json)).await
}

fn real_now() -> Timestamp {
    Timestamp::now()
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn sessions_that_flask_wrote_are_read_and_changed() {
    block_on(async {
        let (store, key, now) = (plain().await, key(), real_now());
        flask_writes(&key, r#"{"_permanent":true,"a":1,"name":"Zoë"}"#, 3600);
        let base = store
            .load(&key, now)
            .await
            .expect("load works")
            .into_record()
            .expect("it is there");
        assert_eq!(base.data.text_of("a"), Some("1"));
        assert!(
            (3599..=3601).contains(&base.meta.expires.seconds_since(now)),
            "{:?}",
            base.meta.expires
        );
        applied(
            store
                .patch(&key, &base, &set("b", "2"), now)
                .await
                .expect("patch works"),
        );
        assert_eq!(
            stored(&key),
            r#"{"_permanent":true,"a":1,"name":"Zoë","b":2}"#
        );
        assert!(
            (3590..=3600).contains(&ttl(&key)),
            "the expiry stays where it was"
        );
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_concurrent_write_of_flask_is_merged_and_its_log_out_is_kept() {
    block_on(async {
        let (store, key, now) = (plain().await, key(), real_now());
        flask_writes(&key, r#"{"a":1}"#, 3600);
        let base = store
            .load(&key, now)
            .await
            .expect("load works")
            .into_record()
            .expect("it is there");
        flask_writes(&key, r#"{"a":1,"theirs":7}"#, 3600);
        applied(
            store
                .patch(&key, &base, &set("ours", "8"), now)
                .await
                .expect("patch works"),
        );
        assert_eq!(stored(&key), r#"{"a":1,"theirs":7,"ours":8}"#);
        server().cli(&["DEL", &name(&key)]);
        let to = crate::support::key();
        for late in [
            store.patch(&key, &base, &set("ours", "9"), now).await,
            store
                .rotate(&key, &to, &base, &set("ours", "9"), renewal(), now)
                .await,
        ] {
            assert!(matches!(late, Ok(Patched::Gone)));
        }
        assert!(matches!(
            store.touch(&key, &used(now, LATER)).await,
            Ok(false)
        ));
        assert_eq!((stored(&key), stored(&to)), (String::new(), String::new()));
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_pickle_is_rejected_and_unchanged() {
    block_on(async {
        let (store, key, now) = (plain().await, key(), real_now());
        let pickle = "(dp0\nVn\np1\nI1\ns.";
        flask_writes(&key, pickle, 3600);
        let (base, to) = (record("{}"), crate::support::key());
        let loaded = store.load(&key, now).await.map(drop);
        let patched = store
            .patch(&key, &base, &set("a", "1"), now)
            .await
            .map(drop);
        let rotated = store
            .rotate(&key, &to, &base, &set("a", "1"), Rotation::Replacement, now)
            .await
            .map(drop);
        for refused in [loaded, patched, rotated] {
            match refused {
                Err(StoreError::Corrupt(why)) => assert!(why.to_string().contains("Python pickle")),
                other => panic!("{other:?}"),
            }
        }
        let filed = store.create(&key, &record("{}"), now).await;
        assert!(matches!(filed, Ok(Created::Taken)));
        assert_eq!(stored(&key), pickle);
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_session_without_metadata_has_only_flasks_keys() {
    block_on(async {
        let (store, key) = (plain().await, key());
        let created = store
            .create(&key, &record(r#"{"_permanent":true,"user_id":42}"#), NOW)
            .await;
        assert!(matches!(created, Ok(Created::Created)));
        assert_eq!(stored(&key), r#"{"_permanent":true,"user_id":42}"#);
        let bound = crate::support::key();
        let created = store.create(&bound, &record_of("42"), NOW).await;
        assert!(matches!(created, Ok(Created::Created)));
        assert!(
            stored(&bound).starts_with(r#"{"_carafe":{"handle":""#),
            "{}",
            stored(&bound)
        );
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_key_of_another_type_or_without_expiry_is_unchanged() {
    block_on(async {
        let (store, now) = (plain().await, real_now());
        let (list, endless) = (key(), key());
        server().cli(&["RPUSH", &name(&list), "x"]);
        let loaded = store.load(&list, now).await;
        assert!(matches!(loaded, Err(StoreError::Corrupt(_))), "{loaded:?}");
        assert!(matches!(
            store.create(&list, &record("{}"), now).await,
            Ok(Created::Taken)
        ));
        server().cli(&["SET", &name(&endless), "{}"]);
        let base = store
            .load(&endless, now)
            .await
            .expect("load works")
            .into_record()
            .expect("it is there");
        applied(
            store
                .patch(&endless, &base, &set("a", "1"), now)
                .await
                .expect("patch works"),
        );
        assert_eq!(
            (stored(&endless), ttl(&endless)),
            (r#"{"a":1}"#.to_owned(), -1)
        );
    });
}
