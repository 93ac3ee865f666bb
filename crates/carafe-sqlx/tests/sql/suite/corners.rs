//! Edge cases of the contract that are also edge cases of SQL.

use carafe_core::{
    session::Patch,
    store::{Created, ErasedStore, Patched, Selection, StoreError, UserSessions},
};
use tokio::task::JoinSet;

use crate::support::{Kit, PATIENT, fixtures::*};

async fn store<K: Kit>() -> K::Store {
    K::store(K::shared().port, "corner_sessions", 4, PATIENT).await
}

/// After two renewals, the oldest id still loads, patches, touches and deletes the session.
pub(crate) async fn pointers_of_pointers_lead_to_the_record<K: Kit>() {
    let store = store::<K>().await;
    let (a, b, c) = (filed(&store, &record(r#"{"n":0}"#)).await, key(), key());
    let base = loaded(&store, &a).await;
    for (from, to) in [(&a, &b), (&b, &c)] {
        let patch = Patch::default();
        let rotated = store.rotate(from, to, &base, &patch, renewal(), NOW).await;
        applied(rotated.expect("rotate works"));
    }
    let patched = store.patch(&a, &base, &increment(&base), NOW).await;
    assert_eq!(applied(patched.expect("patch works")).meta.version, 3);
    assert!(
        store
            .touch(&a, &used(NOW, LATER.saturating_add(9)))
            .await
            .expect("touch works")
    );
    assert_eq!(loaded(&store, &a).await.data.text_of("n"), Some("1"));
    assert_eq!(
        loaded(&store, &c).await.meta.expires,
        LATER.saturating_add(9)
    );
    assert!(matches!(
        store.create(&b, &base, NOW).await,
        Ok(Created::Taken)
    ));
    assert!(store.delete(&a, NOW).await.expect("delete works"));
    for key in [&a, &b, &c] {
        assert!(is_retired(&store, key).await);
        assert!(!store.delete(key, NOW).await.expect("delete works"));
    }
}

/// A log-in also retires the pointers to the old id, so a fixated id is worthless.
pub(crate) async fn a_log_in_ends_every_older_id<K: Kit>() {
    let store = store::<K>().await;
    let (a, b, c) = (filed(&store, &record("{}")).await, key(), key());
    let base = loaded(&store, &a).await;
    for (from, to, renews) in [(&a, &b, true), (&b, &c, false)] {
        let rotated = store
            .rotate(from, to, &base, &Patch::default(), rotation(renews), NOW)
            .await;
        applied(rotated.expect("rotate works"));
    }
    assert!(is_retired(&store, &a).await && is_retired(&store, &b).await);
    let late = store.patch(&a, &base, &set("x", "1"), NOW).await;
    assert!(matches!(late, Ok(Patched::Gone)));
    assert!(
        !store
            .touch(&a, &used(NOW, LATER))
            .await
            .expect("touch works")
    );
    assert!(!store.delete(&a, NOW).await.expect("delete works"));
    assert!(!is_absent(&store, &c).await);
}

/// Collations compare these users as equal.
pub(crate) async fn users_that_look_alike_are_not<K: Kit>() {
    let store = store::<K>().await;
    let names = ["zoe", "zoe ", "ZOE", "zoë", "zoe\u{308}", "Zoe", ""];
    for name in names {
        let mut record = record("{}");
        record.meta.user = Some(name.to_owned());
        filed(&store, &record).await;
    }
    for name in names {
        assert_eq!(
            store
                .list_by_user(name, None, 10, NOW)
                .await
                .expect("of_user works")
                .len(),
            1,
            "{name:?}"
        );
        let deleted = store.delete_by_user(name, Selection::All, 10, NOW).await;
        assert_eq!(deleted.expect("delete_by_user works"), 1, "{name:?}");
    }
}

/// A row written with other whitespace is readable, and is merged instead of overwritten.
pub(crate) async fn what_others_wrote_is_merged<K: Kit>() {
    let store = store::<K>().await;
    let key = filed(&store, &record("{}")).await;
    let row = K::bytes(&hex(&key));
    K::shared().sql(&format!(
        r#"{} UPDATE corner_sessions SET data = '{{ "b" : [1, 2] }}' WHERE store_key = {row}"#,
        K::PLACE
    ));
    let base = loaded(&store, &key).await;
    let patched = store.patch(&key, &base, &set("a", "1"), NOW).await;
    applied(patched.expect("patch works"));
    let after = loaded(&store, &key).await;
    assert_eq!((after.data.text_of("a"), after.data.len()), (Some("1"), 2));
}

/// A value over 1 MiB, or a user over the index limit, is an error without side effects.
pub(crate) async fn what_is_too_large_is_refused<K: Kit>() {
    let store = store::<K>().await;
    let huge = format!("\"{}\"", "x".repeat(1 << 20));
    let key = filed(&store, &record("{}")).await;
    let base = loaded(&store, &key).await;
    let patched = store.patch(&key, &base, &set("a", &huge), NOW).await;
    assert!(matches!(patched, Err(StoreError::TooLarge { .. })));
    let mut record = record("{}");
    record.meta.user = Some("é".repeat(128));
    let created = store.create(&self::key(), &record, NOW).await;
    assert!(matches!(created, Err(StoreError::Unstorable(_))));
    assert_eq!(loaded(&store, &key).await.meta.version, base.meta.version);
}

/// A rotation never overwrites another session's key.
pub(crate) async fn a_taken_key_is_not_rotated_onto<K: Kit>() {
    let store = store::<K>().await;
    let (a, b) = (
        filed(&store, &record("{}")).await,
        filed(&store, &record(r#"{"b":1}"#)).await,
    );
    let base = loaded(&store, &a).await;
    for renews in [false, true] {
        let rotated = store
            .rotate(&a, &b, &base, &set("a", "1"), rotation(renews), NOW)
            .await;
        assert!(rotated.is_err());
    }
    assert!(loaded(&store, &a).await.data.is_empty());
    assert_eq!(loaded(&store, &b).await.data.text_of("b"), Some("1"));
}

/// Every node migrates when it starts; the table is created once.
pub(crate) async fn many_migrate_at_once<K: Kit>() {
    let mut nodes = JoinSet::new();
    for _ in 0..8 {
        let node = std::thread::spawn(|| {
            crate::support::block_on(async {
                let store = K::store(K::shared().port, "eight_sessions", 2, PATIENT).await;
                filed(&store, &record("{}")).await;
            });
        });
        nodes.spawn_blocking(|| node.join().expect("the node has migrated"));
    }
    nodes.join_all().await;
}
