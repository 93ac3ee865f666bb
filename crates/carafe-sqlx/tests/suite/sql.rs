//! How many statements, and how the database runs them.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{ExpiredSweep, SessionStore, UserSessions},
};

use crate::support::{Kit, PATIENT, fixtures::*};

/// Load, create, patch, touch, delete, and a rotation without an alias: one each.
pub(crate) async fn each_verb_is_one_statement<K: Kit>() {
    const TABLE: &str = "counted_sessions";
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    let count = || K::statements(K::shared(), TABLE).len();
    let (from, to, next) = (key(), key(), key());
    count();
    let mut counts = vec![count()];
    store
        .create(&from, &record("{}"), NOW)
        .await
        .expect("create works");
    counts.push(count());
    let base = loaded(&store, &from).await;
    counts.push(count());
    let base = applied(
        store
            .patch(&from, &base, &set("a", "1"), NOW)
            .await
            .expect("patch works"),
    );
    counts.push(count());
    let rotated = store
        .rotate(&from, &to, &base, &Patch::default(), None, NOW)
        .await;
    let base = applied(rotated.expect("rotate works"));
    counts.push(count());
    assert!(
        store
            .touch(&to, LATER.saturating_add(1), NOW)
            .await
            .expect("touch works")
    );
    counts.push(count());
    let rotated = store
        .rotate(&to, &next, &base, &Patch::default(), Some(LATER), NOW)
        .await;
    applied(rotated.expect("rotate works"));
    let with_alias = count() - counts[5];
    let before = count();
    loaded(&store, &to).await;
    assert_eq!(count() - before, 1, "a load through an alias");
    assert!(store.delete(&next).await.expect("delete works"));
    assert_eq!(count() - before, 2, "a delete");
    let steps: Vec<_> = counts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(steps, [1; 5], "create, load, patch, rotate, touch");
    assert_eq!(with_alias, 3, "lock, move, leave an alias");
}

/// Somebody has written since: the statement that missed, the lock, the merged row.
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

/// In a table of 5,000, neither looks at each row.
pub(crate) async fn sweep_and_list_use_their_index<K: Kit>() {
    const TABLE: &str = "indexed_sessions";
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    K::shared().sql(&format!("{} {}", K::PLACE, K::FILL.replace("TABLE", TABLE)));
    K::statements(K::shared(), TABLE);
    store
        .of_user("user7", Timestamp::from_unix(-1))
        .await
        .expect("of_user works");
    store
        .sweep(5, Timestamp::from_unix(-1))
        .await
        .expect("sweep works");
    let run = K::statements(K::shared(), TABLE);
    for (verb, index, values) in [
        ("SELECT store_key, target", "_user", ["'user7'", "-1"]),
        ("DELETE FROM", "_expires", ["-1", "5"]),
    ] {
        let text = run
            .iter()
            .rev()
            .find_map(|line| Some(&line[line.find(verb)?..]));
        let text = text
            .expect("it was run")
            .replace("$1", values[0])
            .replace("$2", values[1]);
        let plan = K::shared().sql(&format!("{} EXPLAIN {text}", K::PLACE));
        assert!(plan.contains(&format!("{TABLE}{index}")), "{text}\n{plan}");
    }
}

/// 1,000 by two sweepers at once, each of them exactly once; the living and their aliases stay.
pub(crate) async fn a_thousand_are_swept_in_batches<K: Kit>() {
    let store = K::store(K::shared().port, "swept_sessions", 8, PATIENT).await;
    let mut old = record("{}");
    old.expires = NOW;
    for _ in 0..1000 {
        filed(&store, &old).await;
    }
    let (living, to) = (filed(&store, &record("{}")).await, key());
    let base = loaded(&store, &living).await;
    let rotated = store
        .rotate(&living, &to, &base, &Patch::default(), Some(LATER), NOW)
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
        "the record and the alias"
    );
}
