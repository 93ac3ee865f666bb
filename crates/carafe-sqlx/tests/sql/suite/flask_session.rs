//! Flask-Session's table, as created by SQLAlchemy.

use std::time::Duration;

use carafe_core::{
    clock::Timestamp,
    flask::stored::{FlaskSession, Format},
    store::{Created, ErasedStore, Patched, StoreError, StoreKey},
};

use crate::support::{
    Kit,
    fixtures::{LATER, NOW, applied, is_absent, key, record, renewal, set, used},
};

pub(crate) const TABLE: &str = "flask_sessions";
/// The lifetime of the records in the conformance tests.
const HOUR: Duration = Duration::from_secs(3600);

/// A store that keeps all metadata, as the conformance tests require.
pub(crate) async fn msgpack<K: Kit>() -> K::FlaskStore {
    store::<K>(FlaskSession::new(Format::MsgPack).keeping_facts()).await
}

pub(crate) async fn json<K: Kit>() -> K::FlaskStore {
    store::<K>(FlaskSession::new(Format::Json).keeping_facts()).await
}

async fn plain<K: Kit>() -> K::FlaskStore {
    store::<K>(FlaskSession::new(Format::Json)).await
}

async fn store<K: Kit>(layout: FlaskSession) -> K::FlaskStore {
    K::flask_session(K::shared().port, layout.with_lifetime(HOUR)).await
}

pub(crate) fn sql<K: Kit>(text: &str) -> String {
    let text = text.replace("TABLE TABLE", &format!("TABLE {TABLE}"));
    K::shared().sql(&format!("{}{}", K::PLACE, text))
}

fn name(key: &StoreKey) -> String {
    FlaskSession::default().name(key)
}

/// Inserts a row like Flask-Session's.
fn flask_writes<K: Kit>(key: &StoreKey, hex: &str, expiry: &str) {
    let (name, data) = (name(key), K::bytes(hex));
    sql::<K>(&format!(
        "INSERT INTO {TABLE} (session_id, data, expiry) VALUES ('{name}', {data}, {expiry})"
    ));
}

fn count<K: Kit>(key: &StoreKey) -> String {
    let name = name(key);
    let said = sql::<K>(&format!(
        "SELECT COUNT(*) FROM {TABLE} WHERE session_id = '{name}'"
    ));
    said.trim().to_owned()
}

/// {"a": 1}
const A: &str = "81a16101";
const FAR: &str = "'2096-10-02 08:06:40'";

pub(crate) async fn what_flask_writes_is_read_changed_and_kept<K: Kit>() {
    let (store, key) = (plain::<K>().await, key());
    flask_writes::<K>(&key, A, FAR);
    let base = store
        .load(&key, NOW)
        .await
        .expect("load works")
        .into_record()
        .expect("it is there");
    assert_eq!(
        (base.data.text_of("a"), base.meta.expires),
        (Some("1"), LATER)
    );
    // The row is in MessagePack, so it differs from the encoded base, and the change is merged
    // under the lock.
    applied(
        store
            .patch(&key, &base, &set("b", "2"), NOW)
            .await
            .expect("patch works"),
    );
    let again = store
        .load(&key, NOW)
        .await
        .expect("load works")
        .into_record()
        .expect("it is there");
    assert_eq!(
        (again.data.text_of("a"), again.data.text_of("b")),
        (Some("1"), Some("2"))
    );
}

/// Flask-Session updates rows by primary key: a late update must not change the row of the new id.
pub(crate) async fn a_rotation_makes_another_row<K: Kit>() {
    let (store, from, to) = (plain::<K>().await, key(), key());
    flask_writes::<K>(&from, A, FAR);
    let number = |key: &StoreKey| {
        let name = name(key);
        sql::<K>(&format!(
            "SELECT id FROM {TABLE} WHERE session_id = '{name}'"
        ))
        .trim()
        .to_owned()
    };
    let before = number(&from);
    let base = store
        .load(&from, NOW)
        .await
        .expect("load works")
        .into_record()
        .expect("it is there");
    let rotated = store
        .rotate(&from, &to, &base, &set("b", "2"), renewal(), NOW)
        .await;
    applied(rotated.expect("rotate works"));
    let after = number(&to);
    assert!(!after.is_empty() && after != before, "{before} {after}");
    assert_eq!(count::<K>(&from), "0");
}

pub(crate) async fn rows_that_flask_takes_for_none_are_none<K: Kit>() {
    let store = plain::<K>().await;
    let (never, past, half) = (key(), key(), key());
    flask_writes::<K>(&never, A, "NULL");
    flask_writes::<K>(&past, A, "'2096-10-02 07:06:40'");
    flask_writes::<K>(&half, A, "'2096-10-02 07:06:41'");
    assert!(is_absent(&store, &never).await && is_absent(&store, &past).await);
    assert!(!is_absent(&store, &half).await);
    let base = record("{}");
    for key in [&never, &past] {
        let patched = store.patch(key, &base, &set("a", "2"), NOW).await;
        assert!(matches!(patched, Ok(Patched::Gone)));
        let filed = store.create(key, &base, NOW).await;
        assert!(matches!(filed, Ok(Created::Taken)));
    }
}

pub(crate) async fn a_pickle_is_refused_by_name_and_left_alone<K: Kit>() {
    let (store, key, to) = (plain::<K>().await, key(), crate::support::fixtures::key());
    // pickle.dumps({"n": 1}, 4)
    let pickle = "80049510000000000000007d948c016e944b01732e";
    flask_writes::<K>(&key, pickle, FAR);
    let base = record("{}");
    for refused in [
        store.load(&key, NOW).await.map(drop),
        store
            .patch(&key, &base, &set("a", "1"), NOW)
            .await
            .map(drop),
        store
            .rotate(&key, &to, &base, &set("a", "1"), renewal(), NOW)
            .await
            .map(drop),
    ] {
        match refused {
            Err(StoreError::Corrupt(why)) => assert!(why.to_string().contains("Python pickle")),
            other => panic!("{other:?}"),
        }
    }
    let (name, data) = (name(&key), K::bytes(pickle));
    let there = sql::<K>(&format!(
        "SELECT COUNT(*) FROM {TABLE} WHERE session_id = '{name}' AND data = {data}"
    ));
    assert_eq!((there.trim(), &*count::<K>(&to)), ("1", "0"));
}

/// MySQL's default collations are case-insensitive, but ids are case-sensitive.
pub(crate) async fn an_id_in_another_case_is_nobodys<K: Kit>() {
    let store = plain::<K>().await;
    let theirs = StoreKey::from_bytes([0; 32]); // 43 times A
    let mut other = [0; 32];
    other[0] = 0b0110_1000; // a, then 42 times A
    let other = StoreKey::from_bytes(other);
    flask_writes::<K>(&theirs, A, FAR);
    assert!(is_absent(&store, &other).await);
    let touched = store.touch(&other, &used(NOW, LATER)).await;
    assert!(matches!(touched, Ok(false)));
    assert!(matches!(store.delete(&other, NOW).await, Ok(false)));
    assert!(!is_absent(&store, &theirs).await);
    assert!(matches!(store.delete(&theirs, NOW).await, Ok(true)));
}

pub(crate) async fn a_real_clock_agrees<K: Kit>() {
    let (store, key, now) = (plain::<K>().await, key(), Timestamp::now());
    let mut mine = record(r#"{"a":1}"#);
    mine.meta.expires = now.saturating_add(3600);
    assert!(matches!(
        store.create(&key, &mine, now).await,
        Ok(Created::Created)
    ));
    let loaded = store
        .load(&key, now)
        .await
        .expect("load works")
        .into_record()
        .expect("it is there");
    assert_eq!(
        (loaded.meta.expires, loaded.meta.last_seen),
        (mine.meta.expires, now)
    );
}

macro_rules! checks {
    ($reason:literal, $kit:ty) => {
        $crate::suite::flask_session::checks!(@ $reason, $kit;
            what_flask_writes_is_read_changed_and_kept, a_rotation_makes_another_row,
            rows_that_flask_takes_for_none_are_none, a_pickle_is_refused_by_name_and_left_alone,
            an_id_in_another_case_is_nobodys, a_real_clock_agrees);
    };
    (@ $reason:literal, $kit:ty; $($check:ident),*) => {
        $(
            #[test]
            #[ignore = $reason]
            fn $check() {
                $crate::support::block_on($crate::suite::flask_session::$check::<$kit>());
            }
        )*
    };
}
pub(crate) use checks;
