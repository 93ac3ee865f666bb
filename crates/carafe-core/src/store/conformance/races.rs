//! Concurrent callers: forced interleavings, and many simultaneous callers.

use super::fixtures::*;
use crate::store::{BoxFuture, Created, ErasedStore, Patched, Rotation, StoreError};

/// Two callers load the same state and both write: neither change is lost.
pub async fn two_writers_of_different_keys_both_survive<S: ErasedStore + ?Sized>(store: &S) {
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

/// Two callers load 0 and both add 1: the value is 2, and the second caller sees 2.
pub async fn two_updates_both_count<S: ErasedStore + ?Sized>(store: &S) {
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

/// Fifty concurrent callers each set their own key and increment a common counter.
pub async fn fifty_writers_lose_nothing<S: ErasedStore + ?Sized>(store: &S) {
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

/// A loads, B logs out, A writes: the session stays deleted (CVE-2025-46336).
pub async fn a_late_patch_never_resurrects<S: ErasedStore + ?Sized>(store: &S) {
    let (key, base) = filed(store, r#"{"user":"bob"}"#).await;
    assert!(matches!(store.delete(&key, NOW).await, Ok(true)));
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

/// A loads, B logs out, A renews: no record exists under the new ID.
pub async fn a_late_rotate_never_resurrects<S: ErasedStore + ?Sized>(store: &S) {
    let (from, base) = filed(store, r#"{"user":"bob"}"#).await;
    let to = key();
    assert!(matches!(store.delete(&from, NOW).await, Ok(true)));
    let late = store
        .rotate(&from, &to, &base, &log_in("bob"), renewal(), NOW)
        .await;
    assert!(matches!(late, Ok(Patched::Gone)));
    assert!(is_absent(store, &from, NOW).await && is_absent(store, &to, NOW).await);
}

/// A loads, B logs out, A touches: the touch finds no record.
pub async fn a_late_touch_never_resurrects<S: ErasedStore + ?Sized>(store: &S) {
    let (key, _) = filed(store, "{}").await;
    assert!(matches!(store.delete(&key, NOW).await, Ok(true)));
    assert!(matches!(
        store.touch(&key, &used(NOW, LATER.saturating_add(9))).await,
        Ok(false)
    ));
    assert!(is_absent(store, &key, NOW).await);
}

/// A loads anonymously, B logs in: A's late write must not reach B's session, under either key.
pub async fn a_patch_across_a_log_in_is_gone<S: ErasedStore + ?Sized>(store: &S) {
    let (from, base) = filed(store, r#"{"cart":[]}"#).await;
    let to = key();
    applied(
        store
            .rotate(
                &from,
                &to,
                &base,
                &log_in(&unique("user")),
                Rotation::Replacement,
                NOW,
            )
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

/// Fifty callers create one key: one succeeds, and its record is the one stored.
pub async fn only_one_of_many_creates_wins<S: ErasedStore + ?Sized>(store: &S) {
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

/// Fifty rotations of one session: one new ID refers to the session, all others are absent.
pub async fn only_one_of_many_rotations_wins<S: ErasedStore + ?Sized>(store: &S) {
    let (from, base) = filed(store, r#"{"a":1}"#).await;
    let (from, base) = (&from, &base);
    let results = all((0..50).map(|_| -> BoxFuture<'_, _> {
        Box::pin(async move {
            let to = key();
            let patched = store
                .rotate(from, &to, base, &set("a", "2"), Rotation::Replacement, NOW)
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

/// Requests that present the old ID during a renewal read and write the same session.
///
/// In a layout without aliases, such requests get [`Patched::Gone`] and change nothing.
pub async fn in_flight_requests_survive_a_renewal<S: ErasedStore + ?Sized>(store: &S) {
    let (from, base) = filed(store, r#"{"n":0}"#).await;
    let to = key();
    applied(
        store
            .rotate(&from, &to, &base, &set("renewed", "true"), renewal(), NOW)
            .await
            .expect("rotate works"),
    );
    let (from, base) = (&from, &base);
    let aliases = store.capabilities().aliases;
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

/// While a caller writes two keys together, no reader sees one without the other.
pub async fn load_is_never_torn<S: ErasedStore + ?Sized>(store: &S) {
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

/// Fifty callers take one value on the condition that it exists: one succeeds, the others fail.
pub async fn only_one_of_many_swaps_wins<S: ErasedStore + ?Sized>(store: &S) {
    let (key, base) = filed(store, r#"{"voucher":7,"n":0}"#).await;
    let (key, base) = (&key, &base);
    let results = all((0..50).map(|_| -> BoxFuture<'_, _> {
        Box::pin(async move {
            let mut patch = increment("n", base);
            patch.swap("voucher", Some("7".to_owned()), None);
            store.patch(key, base, &patch, NOW).await
        })
    }))
    .await;
    let won = |result: &&Result<Patched, StoreError>| matches!(result, Ok(Patched::Applied(_)));
    assert_eq!(results.iter().filter(won).count(), 1);
    for result in results.iter().filter(|result| !won(result)) {
        assert!(matches!(result, Err(StoreError::Unmet)), "{result:?}");
    }
    let after = loaded(store, key).await;
    assert_eq!(
        (after.data.text_of("voucher"), number(&after, "n")),
        (None, 1)
    );
}
