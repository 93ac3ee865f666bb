//! What several callers do to each other: forced interleavings, and many at once.

use super::fixtures::*;
use crate::store::{BoxFuture, Created, Patched, SessionStore};

/// Both have loaded the same state; both write; neither is lost.
pub async fn two_writers_of_different_keys_both_survive<S: SessionStore>(store: &S) {
    let (key, base) = filed(store, r#"{"seen":0}"#).await;
    applied(
        store
            .patch(&key, &base, &set("a", "1"), NOW)
            .await
            .expect("patch works"),
    );
    applied(
        store
            .patch(&key, &base, &set("b", "2"), NOW)
            .await
            .expect("patch works"),
    );
    let after = loaded(store, &key).await;
    assert_eq!(
        (after.data.text_of("a"), after.data.text_of("b")),
        (Some("1"), Some("2"))
    );
}

/// Both have loaded zero; both add one; two is there, and the second was told so.
pub async fn two_updates_both_count<S: SessionStore>(store: &S) {
    let (key, base) = filed(store, r#"{"n":0}"#).await;
    applied(
        store
            .patch(&key, &base, &increment("n", &base), NOW)
            .await
            .expect("patch works"),
    );
    let told = applied(
        store
            .patch(&key, &base, &increment("n", &base), NOW)
            .await
            .expect("patch works"),
    );
    assert_eq!(
        (number(&told, "n"), number(&loaded(store, &key).await, "n")),
        (2, 2)
    );
}

/// Fifty at once, each with a key of its own and one on the common counter.
pub async fn fifty_writers_lose_nothing<S: SessionStore>(store: &S) {
    const WRITERS: u64 = 50;
    let (key, _) = filed(store, "{}").await;
    let key = &key;
    all((0..WRITERS).map(|writer| -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let base = loaded(store, key).await;
            let mut patch = increment("n", &base);
            patch.set(&format!("writer-{writer}"), "1".to_owned());
            applied(
                store
                    .patch(key, &base, &patch, NOW)
                    .await
                    .expect("patch works"),
            );
        })
    }))
    .await;
    let after = loaded(store, key).await;
    assert_eq!(number(&after, "n"), WRITERS);
    assert_eq!(after.data.len() as u64, WRITERS + 1);
}

/// A loads, B logs out, A writes: the session stays gone (CVE-2025-46336).
pub async fn a_late_patch_never_resurrects<S: SessionStore>(store: &S) {
    let (key, base) = filed(store, r#"{"user":"bob"}"#).await;
    assert!(matches!(store.delete(&key).await, Ok(true)));
    assert!(matches!(
        store.patch(&key, &base, &set("a", "1"), NOW).await,
        Ok(Patched::Gone)
    ));
    assert!(matches!(
        store.patch(&key, &base, &increment("n", &base), NOW).await,
        Ok(Patched::Gone)
    ));
    assert!(is_absent(store, &key, NOW).await);
}

/// A loads, B logs out, A renews: there is nothing under the new id.
pub async fn a_late_rotate_never_resurrects<S: SessionStore>(store: &S) {
    let (from, base) = filed(store, r#"{"user":"bob"}"#).await;
    let to = key();
    assert!(matches!(store.delete(&from).await, Ok(true)));
    let late = store
        .rotate(&from, &to, &base, &log_in("bob"), Some(LATER), NOW)
        .await;
    assert!(matches!(late, Ok(Patched::Gone)));
    assert!(is_absent(store, &from, NOW).await && is_absent(store, &to, NOW).await);
}

/// A loads, B logs out, A only prolongs: nothing is there to prolong.
pub async fn a_late_touch_never_resurrects<S: SessionStore>(store: &S) {
    let (key, _) = filed(store, "{}").await;
    assert!(matches!(store.delete(&key).await, Ok(true)));
    assert!(matches!(
        store.touch(&key, LATER.saturating_add(9), NOW).await,
        Ok(false)
    ));
    assert!(is_absent(store, &key, NOW).await);
}

/// A loads anonymously, B logs in: A's late write must not land in B's session, under either key.
pub async fn a_patch_across_a_log_in_is_gone<S: SessionStore>(store: &S) {
    let (from, base) = filed(store, r#"{"cart":[]}"#).await;
    let to = key();
    applied(
        store
            .rotate(&from, &to, &base, &log_in(&unique("user")), None, NOW)
            .await
            .expect("rotate works"),
    );
    assert!(matches!(
        store.patch(&from, &base, &set("cart", "[9]"), NOW).await,
        Ok(Patched::Gone)
    ));
    assert!(matches!(
        store.patch(&to, &base, &set("cart", "[9]"), NOW).await,
        Ok(Patched::Gone)
    ));
    assert_eq!(loaded(store, &to).await.data.text_of("cart"), Some("[]"));
}

/// Fifty creators of one key: one wins, and what it filed is what is there.
pub async fn only_one_of_many_creates_wins<S: SessionStore>(store: &S) {
    let key = &key();
    let results = all((0..50).map(|creator| -> BoxFuture<'_, (u64, Created)> {
        Box::pin(async move {
            let record = record(&format!(r#"{{"creator":{creator}}}"#));
            (
                creator,
                store.create(key, &record, NOW).await.expect("create works"),
            )
        })
    }))
    .await;
    let winners: Vec<_> = results
        .iter()
        .filter(|(_, created)| *created == Created::Created)
        .collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(number(&loaded(store, key).await, "creator"), winners[0].0);
}

/// Fifty rotations of one session: one new id lives, all others were never there.
pub async fn only_one_of_many_rotations_wins<S: SessionStore>(store: &S) {
    let (from, base) = filed(store, r#"{"a":1}"#).await;
    let (from, base) = (&from, &base);
    let results = all((0..50).map(|_| -> BoxFuture<'_, _> {
        Box::pin(async move {
            let to = key();
            let patched = store
                .rotate(from, &to, base, &set("a", "2"), None, NOW)
                .await
                .expect("rotate works");
            (to, matches!(patched, Patched::Applied(_)))
        })
    }))
    .await;
    assert_eq!(results.iter().filter(|(_, won)| *won).count(), 1);
    for (to, won) in &results {
        assert_eq!(is_absent(store, to, NOW).await, !won);
    }
    assert!(is_absent(store, from, NOW).await);
}

/// Requests that hold the old id while it is renewed read and write the same session; in a layout without aliases
/// they are told that it is gone, and change nothing.
pub async fn in_flight_requests_survive_a_renewal<S: SessionStore>(store: &S) {
    let (from, base) = filed(store, r#"{"n":0}"#).await;
    let to = key();
    let until = Some(NOW.saturating_add(30));
    applied(
        store
            .rotate(&from, &to, &base, &set("renewed", "true"), until, NOW)
            .await
            .expect("rotate works"),
    );
    let (from, base) = (&from, &base);
    let aliases = store.layout().aliases;
    all((0..20).map(|_| -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if !aliases {
                assert!(is_absent(store, from, NOW).await);
                let patched = store.patch(from, base, &increment("n", base), NOW).await;
                assert!(matches!(patched, Ok(Patched::Gone)));
                return;
            }
            assert_eq!(
                loaded(store, from).await.data.text_of("renewed"),
                Some("true")
            );
            applied(
                store
                    .patch(from, base, &increment("n", base), NOW)
                    .await
                    .expect("patch works"),
            );
        })
    }))
    .await;
    let counted = if aliases { 20 } else { 0 };
    assert_eq!(number(&loaded(store, &to).await, "n"), counted);
}

/// While one writes two keys together, nobody ever sees one without the other.
pub async fn load_is_never_torn<S: SessionStore>(store: &S) {
    let (key, _) = filed(store, r#"{"a":0,"b":0}"#).await;
    let key = &key;
    let writer: BoxFuture<'_, ()> = Box::pin(async move {
        for value in 1..100 {
            let base = loaded(store, key).await;
            let mut patch = set("a", &value.to_string());
            patch.set("b", value.to_string());
            applied(
                store
                    .patch(key, &base, &patch, NOW)
                    .await
                    .expect("patch works"),
            );
        }
    });
    let readers = (0..4).map(|_| -> BoxFuture<'_, ()> {
        Box::pin(async move {
            for _ in 0..100 {
                let record = loaded(store, key).await;
                assert_eq!(record.data.text_of("a"), record.data.text_of("b"));
            }
        })
    });
    all(std::iter::once(writer).chain(readers)).await;
}
