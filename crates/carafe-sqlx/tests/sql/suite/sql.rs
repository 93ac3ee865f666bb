//! The number of statements, and their query plans.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{ErasedStore, ExpiredSweep, Rotation, UserSessions},
};

use crate::support::{Kit, PATIENT, fixtures::*};

/// Load, create, patch, touch and delete take one statement each.
///
/// A rotation writes two rows in a transaction.
pub(crate) async fn each_verb_is_one_statement<K: Kit>() {
    let store = K::store(K::shared().port, COUNTED, 1, PATIENT).await;
    let (from, to, next) = (key(), key(), key());
    let (nothing, mut counted) = (Patch::default(), Counted::new::<K>());
    store
        .create(&from, &record("{}"), NOW)
        .await
        .expect("create works");
    counted.more::<K>("create", 1);
    let base = loaded(&store, &from).await;
    counted.more::<K>("load", 1);
    let patched = store.patch(&from, &base, &set("a", "1"), NOW).await;
    let base = applied(patched.expect("patch works"));
    counted.more::<K>("patch", 1);
    let rotated = store
        .rotate(&from, &to, &base, &nothing, Rotation::Replacement, NOW)
        .await;
    let base = applied(rotated.expect("rotate works"));
    counted.more::<K>("replace: lock, move, leave a marker", 3);
    assert!(
        store
            .touch(&to, &used(NOW, LATER.saturating_add(1)))
            .await
            .expect("touch works")
    );
    counted.more::<K>("touch", 1);
    let rotated = store
        .rotate(&to, &next, &base, &nothing, renewal(), NOW)
        .await;
    let base = applied(rotated.expect("rotate works"));
    counted.more::<K>("renew: lock, move, leave a pointer", 3);
    loaded(&store, &to).await;
    counted.more::<K>("load through a pointer", 1);
    let last = key();
    let rotated = store
        .rotate(&next, &last, &base, &nothing, renewal(), NOW)
        .await;
    let base = applied(rotated.expect("rotate works"));
    counted.more::<K>("renew again: lock, move, lead on, leave a pointer", 4);
    loaded(&store, &to).await;
    counted.more::<K>("load through a pointer that was led on", 1);
    let mut access = used(NOW, LATER);
    access.confirms = Some(LATER);
    assert!(store.touch(&last, &access).await.expect("touch works"));
    counted.more::<K>("confirm: find, touch", 2);
    assert!(store.touch(&last, &access).await.expect("touch works"));
    counted.more::<K>("confirm again: find, touch", 2);
    assert!(store.delete(&last, NOW).await.expect("delete works"));
    counted.more::<K>("delete", 1);
    assert!(is_retired(&store, &to).await);
    counted.more::<K>("load of a marker through a pointer", 2);
    store
        .trim("nobody", 3, base.meta.public_id, 10, NOW)
        .await
        .expect("trim works");
    counted.more::<K>("trim of few", 1);
    let mut sessions = Vec::new();
    for second in 0..40 {
        let mut of_zoe = record("{}");
        of_zoe.meta.user = Some("zoe".to_owned());
        of_zoe.meta.renewed = NOW.saturating_add(second - 40);
        filed(&store, &of_zoe).await;
        sessions.push(of_zoe.meta.public_id);
    }
    counted.more::<K>("create", 40);
    for (own, what, statements) in [
        (sessions[39], "trim: count, lock, retire", 3),
        (sessions[15], "trim of its own, too", 4),
    ] {
        let ended = store.trim("zoe", 5, own, 15, NOW).await;
        assert_eq!(ended.expect("trim works"), 15, "{what}");
        counted.more::<K>(what, statements);
    }
}

const COUNTED: &str = "counted_sessions";

/// The number of statements so far.
struct Counted(usize);

impl Counted {
    fn new<K: Kit>() -> Self {
        // The first query enables the server's statement log.
        K::statements(K::shared(), COUNTED);
        Self(K::statements(K::shared(), COUNTED).len())
    }

    fn more<K: Kit>(&mut self, what: &str, expected: usize) {
        let before = std::mem::replace(&mut self.0, K::statements(K::shared(), COUNTED).len());
        assert_eq!(self.0 - before, expected, "{what}");
    }
}

/// After a concurrent change: the conditional update, the lock, the merged row.
pub(crate) async fn a_contended_patch_is_one_transaction<K: Kit>() {
    const TABLE: &str = "contended_sessions";
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    K::statements(K::shared(), TABLE);
    let key = filed(&store, &record("{}")).await;
    let base = loaded(&store, &key).await;
    applied(
        store
            .patch(&key, &base, &set("a", "1"), NOW)
            .await
            .expect("patch works"),
    );
    let before = K::statements(K::shared(), TABLE).len();
    applied(
        store
            .patch(&key, &base, &set("b", "2"), NOW)
            .await
            .expect("patch works"),
    );
    assert_eq!(K::statements(K::shared(), TABLE).len() - before, 3);
}

/// In a table of 5,000 rows, neither scans the table.
pub(crate) async fn sweep_and_list_use_their_index<K: Kit>() {
    const TABLE: &str = "indexed_sessions";
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    K::shared().sql(&format!("{} {}", K::PLACE, K::FILL.replace("TABLE", TABLE)));
    K::statements(K::shared(), TABLE);
    store
        .list_by_user("user7", None, 10, Timestamp::from_unix(-1))
        .await
        .expect("of_user works");
    store
        .sweep(5, Timestamp::from_unix(-1))
        .await
        .expect("sweep works");
    let run = K::statements(K::shared(), TABLE);
    let end = K::bytes(&"ff".repeat(12));
    for (verb, index, values) in [
        (
            "SELECT store_key, target",
            "_of_user",
            &["'user7'", "'user7'", "1000000", "1000000", &end, "-1", "10"][..],
        ),
        ("DELETE FROM", "_expires", &["-1", "5"]),
    ] {
        let text = run
            .iter()
            .rev()
            .find_map(|line| Some(&line[line.find(verb)?..]));
        let mut text = text.expect("it was run").to_owned();
        for (place, value) in (1..).zip(values) {
            text = text.replace(&format!("${place}"), value);
        }
        let plan = K::shared().sql(&format!("{} EXPLAIN {text}", K::PLACE));
        assert!(plan.contains(&format!("{TABLE}{index}")), "{text}\n{plan}");
    }
}

/// Two concurrent sweepers delete each of 1,000 rows once; live sessions and their pointers stay.
pub(crate) async fn a_thousand_are_swept_in_batches<K: Kit>() {
    let store = K::store(K::shared().port, "swept_sessions", 8, PATIENT).await;
    let mut old = record("{}");
    old.meta.expires = NOW;
    for _ in 0..1000 {
        filed(&store, &old).await;
    }
    let (living, to) = (filed(&store, &record("{}")).await, key());
    let base = loaded(&store, &living).await;
    let rotated = store
        .rotate(&living, &to, &base, &Patch::default(), renewal(), NOW)
        .await;
    applied(rotated.expect("rotate works"));
    let sweeper = || async {
        let mut swept = Vec::new();
        while swept.last() != Some(&0) {
            swept.push(store.sweep(64, NOW).await.expect("sweep works"));
        }
        assert!(swept.iter().all(|&count| count <= 64), "{swept:?}");
        swept.iter().sum::<usize>()
    };
    let (one, other) = tokio::join!(sweeper(), sweeper());
    assert_eq!(
        one + other + store.sweep(64, NOW).await.expect("sweep works"),
        1000
    );
    assert!(!is_absent(&store, &living).await && !is_absent(&store, &to).await);
    assert_eq!(
        store.sweep(64, LATER).await.expect("sweep works"),
        2,
        "the record and the pointer"
    );
}
