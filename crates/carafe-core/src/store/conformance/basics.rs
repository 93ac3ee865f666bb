//! Checks with a single caller.

use super::fixtures::*;
use crate::{
    clock::Timestamp,
    json::{Value, to_text},
    store::{Created, ErasedStore, KeyState, Patched, Record, Rotation, StoreError, retired_until},
};

/// A loaded record equals the created one in every field.
pub async fn create_then_load<S: ErasedStore + ?Sized>(store: &S) {
    let (key, mut original) = (key(), record(r#"{"a":1,"b":[true,null]}"#));
    original.meta.user = Some(unique("user"));
    original.meta.device = Some("Browser on a machine".to_owned());
    original.meta.authenticated = Some(NOW);
    create(store, &key, &original).await;
    let copy = loaded(store, &key).await;
    assert_eq!(members(&copy), members(&original));
    assert_eq!(facts(store, &copy), facts(store, &original));
}

/// A key that was never created is absent for every operation, and no operation creates it.
pub async fn nothing_is_absent_not_an_error<S: ErasedStore + ?Sized>(store: &S) {
    let (missing, base, other) = (key(), record("{}"), key());
    assert!(is_absent(store, &missing, NOW).await);
    assert!(matches!(
        store.patch(&missing, &base, &set("a", "1"), NOW).await,
        Ok(Patched::Gone)
    ));
    assert!(matches!(
        store
            .rotate(
                &missing,
                &other,
                &base,
                &set("a", "1"),
                Rotation::Replacement,
                NOW
            )
            .await,
        Ok(Patched::Gone)
    ));
    assert!(matches!(
        store.touch(&missing, &used(NOW, LATER)).await,
        Ok(false)
    ));
    assert!(matches!(store.delete(&missing, NOW).await, Ok(false)));
    assert!(is_absent(store, &missing, NOW).await && is_absent(store, &other, NOW).await);
}

/// A key in use is never overwritten, even if a caller has guessed the key.
pub async fn create_never_overwrites<S: ErasedStore + ?Sized>(store: &S) {
    let (key, first) = filed(store, r#"{"owner":1}"#).await;
    let second = store.create(&key, &record(r#"{"owner":2}"#), NOW).await;
    assert!(matches!(second, Ok(Created::Taken)));
    assert_eq!(members(&loaded(store, &key).await), members(&first));
}

/// A record is live one second before `expires` and absent at `expires`, for every operation.
pub async fn expired_is_absent_to_the_second<S: ErasedStore + ?Sized>(store: &S) {
    let (key, base) = filed(store, r#"{"a":1}"#).await;
    let last = LATER.saturating_add(-1);
    assert!(!is_absent(store, &key, last).await);
    assert!(is_absent(store, &key, LATER).await);
    assert!(matches!(
        store.patch(&key, &base, &set("a", "2"), LATER).await,
        Ok(Patched::Gone)
    ));
    assert!(matches!(
        store
            .touch(&key, &used(LATER, LATER.saturating_add(60)))
            .await,
        Ok(false)
    ));
    let other = super::fixtures::key();
    assert!(matches!(
        store
            .rotate(
                &key,
                &other,
                &base,
                &set("a", "2"),
                Rotation::Replacement,
                LATER
            )
            .await,
        Ok(Patched::Gone)
    ));
    assert!(is_absent(store, &other, LATER).await);
}

/// A patch changes the keys that it names; all others keep their text and their order.
pub async fn patch_changes_only_its_keys<S: ErasedStore + ?Sized>(store: &S) {
    let (key, base) = filed(store, r#"{"z":1,"a":2,"m":3}"#).await;
    let mut patch = set("a", "20");
    patch.remove("m");
    patch.set("new", "4".to_owned());
    let after = applied(
        store
            .patch(&key, &base, &patch, NOW)
            .await
            .expect("patch works"),
    );
    let expected = [("z", "1"), ("a", "20"), ("new", "4")]
        .map(|(key, text)| (format!("\"{key}\""), text.to_owned()));
    assert_eq!(members(&after), expected);
    assert_eq!(members(&loaded(store, &key).await), expected);
}

/// A patch preserves every byte of values that JSON cannot express, if the layout preserves text.
///
/// Examples are Python's tuples, big integers, `NaN`, unpaired surrogates and unknown tags.
pub async fn patch_keeps_what_json_cannot_say<S: ErasedStore + ?Sized>(store: &S) {
    let odd = if store.capabilities().preserves_text {
        r#"{"t":{" t":[1,{" zz":2}]},"n":NaN,"i":123456789012345678901234567890,"s":"\ud800","f":1e+16}"#
    } else {
        r#"{"t":[1,{" zz":2,"a":{" di":{" t__":1}}}],"n":null,"i":1234567890123456789,"s":"\u00e9\u0000","f":1.5}"#
    };
    let (key, base) = filed(store, odd).await;
    applied(
        store
            .patch(&key, &base, &set("more", "1"), NOW)
            .await
            .expect("patch works"),
    );
    let mut expected = members(&record(odd));
    expected.push(("\"more\"".to_owned(), "1".to_owned()));
    assert_eq!(members(&loaded(store, &key).await), expected);
}

/// A value that the layout cannot represent is rejected without a write.
///
/// Any other value is returned.
pub async fn what_cannot_be_kept_is_refused<S: ErasedStore + ?Sized>(store: &S) {
    for odd in ["123456789012345678901234567890", r#""\ud800""#] {
        let (key, base) = filed(store, r#"{"a":1}"#).await;
        let mut patch = set("odd", odd);
        patch.set("a", "2".to_owned());
        let (a, kept) = match store.patch(&key, &base, &patch, NOW).await {
            Ok(patched) => (
                applied(patched).data.text_of("a").map(str::to_owned),
                Some(odd),
            ),
            Err(StoreError::Unstorable(_)) => (Some("1".to_owned()), None),
            Err(error) => panic!("{error}"),
        };
        let after = loaded(store, &key).await;
        assert_eq!(after.data.text_of("odd"), kept);
        assert_eq!(after.data.text_of("a"), a.as_deref());
        if kept.is_none() {
            assert!(
                !store.capabilities().preserves_text,
                "its layout says that it keeps every text"
            );
            let new = super::fixtures::key();
            let created = store
                .create(&new, &record(&format!(r#"{{"odd":{odd}}}"#)), NOW)
                .await;
            assert!(matches!(created, Err(StoreError::Unstorable(_))));
            assert!(is_absent(store, &new, NOW).await);
        }
    }
}

/// A clear removes the keys that are present when it runs. Keys that the same patch sets remain.
pub async fn clear_removes_what_is_there<S: ErasedStore + ?Sized>(store: &S) {
    let (key, base) = filed(store, r#"{"a":1,"b":2}"#).await;
    applied(
        store
            .patch(&key, &base, &set("unseen", "3"), NOW)
            .await
            .expect("patch works"),
    );
    let mut patch = set("dropped", "0");
    patch.clear();
    patch.set("kept", "4".to_owned());
    applied(
        store
            .patch(&key, &base, &patch, NOW)
            .await
            .expect("patch works"),
    );
    assert_eq!(
        members(&loaded(store, &key).await),
        [("\"kept\"".to_owned(), "4".to_owned())]
    );
}

/// A touch extends a session and changes nothing else.
pub async fn touch_moves_the_expiry_and_nothing_else<S: ErasedStore + ?Sized>(store: &S) {
    let (key, before) = filed(store, r#"{"a":1}"#).await;
    let longer = LATER.saturating_add(100);
    assert!(matches!(
        store
            .touch(&key, &used(NOW.saturating_add(10), longer))
            .await,
        Ok(true)
    ));
    let after = loaded(store, &key).await;
    if store.capabilities().notes_uses {
        assert_eq!(after.meta.last_seen, NOW.saturating_add(10));
    } else {
        assert!(after.meta.last_seen >= before.meta.last_seen);
    }
    assert_eq!(
        (after.meta.expires, after.meta.created, &after.meta.user),
        (longer, before.meta.created, &before.meta.user)
    );
    assert_eq!(members(&after), members(&before));
    assert!(!is_absent(store, &key, LATER).await && is_absent(store, &key, longer).await);
}

/// A touch with an earlier expiry, from a slow request, changes nothing.
pub async fn touch_never_shortens<S: ErasedStore + ?Sized>(store: &S) {
    let (key, _) = filed(store, "{}").await;
    assert!(matches!(
        store.touch(&key, &used(NOW, NOW.saturating_add(5))).await,
        Ok(true)
    ));
    assert_eq!(loaded(store, &key).await.meta.expires, LATER);
    let base = loaded(store, &key).await;
    applied(
        store
            .patch(&key, &base, &seen(NOW, NOW.saturating_add(5)), NOW)
            .await
            .expect("patch works"),
    );
    assert_eq!(loaded(store, &key).await.meta.expires, LATER);
}

/// After `delete` the key is absent. A second delete finds nothing.
pub async fn delete_is_final<S: ErasedStore + ?Sized>(store: &S) {
    let (key, _) = filed(store, r#"{"a":1}"#).await;
    assert!(matches!(store.delete(&key, NOW).await, Ok(true)));
    assert!(is_absent(store, &key, NOW).await);
    assert!(matches!(store.delete(&key, NOW).await, Ok(false)));
}

/// A replacement retires the old key as soon as the new one is valid.
pub async fn a_replacement_retires_the_old_key<S: ErasedStore + ?Sized>(store: &S) {
    let (from, base) = filed(store, r#"{"a":1}"#).await;
    let to = key();
    let then = NOW.saturating_add(9);
    let after = applied(
        store
            .rotate(
                &from,
                &to,
                &base,
                &set("b", "2"),
                Rotation::Replacement,
                then,
            )
            .await
            .expect("rotate works"),
    );
    assert_eq!(
        (after.meta.public_id, after.meta.renewed),
        (base.meta.public_id, then)
    );
    assert!(is_retired(store, &from, then).await);
    let moved = loaded(store, &to).await;
    assert_eq!(members(&moved), members(&record(r#"{"a":1,"b":2}"#)));
    assert_eq!(
        (
            moved.meta.public_id,
            moved.meta.created,
            moved.meta.renewed,
            moved.meta.renewal
        ),
        (base.meta.public_id, base.meta.created, then, None)
    );
    assert!(matches!(
        store.patch(&from, &base, &set("c", "3"), NOW).await,
        Ok(Patched::Gone)
    ));
}

/// After a timed renewal, the old key refers to the record, which names the replaced key.
///
/// A delete through either key deletes the session under both. In a layout without aliases the old
/// key is absent immediately.
pub async fn a_renewal_leaves_a_pointer<S: ErasedStore + ?Sized>(store: &S) {
    let (from, base) = filed(store, r#"{"a":1}"#).await;
    let (to, rotation) = (key(), renewal());
    applied(
        store
            .rotate(&from, &to, &base, &set("b", "2"), rotation, NOW)
            .await
            .expect("rotate works"),
    );
    if !store.capabilities().aliases {
        assert!(is_absent(store, &from, NOW).await && !is_absent(store, &to, NOW).await);
        assert!(matches!(
            store.patch(&from, &base, &set("c", "3"), NOW).await,
            Ok(Patched::Gone)
        ));
        assert!(matches!(store.delete(&from, NOW).await, Ok(false)));
        assert_eq!(loaded(store, &to).await.data.text_of("c"), None);
        return;
    }
    let state = store.load(&from, NOW).await.expect("load works");
    let KeyState::Moved(moved) = state else {
        panic!("the old key leads on: {state:?}")
    };
    let state = store.load(&to, NOW).await.expect("load works");
    let KeyState::Current(current) = state else {
        panic!("the new key is the record's own: {state:?}")
    };
    assert_eq!(members(&moved), members(&current));
    let renewal = current.meta.renewal.expect("it is noted");
    assert_eq!((renewal.from, renewal.until), (*from.as_bytes(), None));
    assert_eq!(Rotation::Renewal(renewal.nonce), rotation);
    applied(
        store
            .patch(&from, &base, &set("c", "3"), NOW)
            .await
            .expect("patch works"),
    );
    assert_eq!(loaded(store, &to).await.data.text_of("c"), Some("3"));
    assert!(matches!(store.delete(&from, NOW).await, Ok(true)));
    assert!(is_retired(store, &from, NOW).await && is_retired(store, &to, NOW).await);
}

/// The first use under the new key is recorded once, by any operation, and never undone.
pub async fn the_first_use_of_a_new_key_is_noted_once<S: ErasedStore + ?Sized>(store: &S) {
    if !store.capabilities().aliases {
        return;
    }
    for by_touch in [true, false] {
        let (from, base) = filed(store, "{}").await;
        let (to, end) = (key(), NOW.saturating_add(30));
        let rotated = rotated(store, (&from, &to), &base, &set("a", "1"), renewal()).await;
        // A use through the old key does not count, nor does a patch without a use.
        assert!(matches!(
            store.touch(&from, &used(NOW, LATER)).await,
            Ok(true)
        ));
        let patched = store.patch(&to, &rotated, &set("a", "2"), NOW).await;
        applied(patched.expect("patch works"));
        let until = |record: Record| record.meta.renewal.expect("it stays").until;
        assert_eq!(until(loaded(store, &to).await), None);
        let mut access = used(NOW, LATER);
        for (confirms, expected) in [(end, end), (end.saturating_add(60), end)] {
            access.confirms = Some(confirms);
            if by_touch {
                assert!(matches!(store.touch(&to, &access).await, Ok(true)));
            } else {
                let mut patch = set("a", "3");
                patch.facts.seen = Some(access);
                applied(
                    store
                        .patch(&to, &rotated, &patch, NOW)
                        .await
                        .expect("patch works"),
                );
            }
            assert_eq!(
                until(loaded(store, &to).await),
                Some(expected),
                "{by_touch}"
            );
        }
        // The pointer itself remains: the engine, not the store, decides whether the old ID is
        // accepted.
        let state = store.load(&from, end.saturating_add(1)).await;
        assert!(matches!(state, Ok(KeyState::Moved(_))));
    }
}

/// A pointer lasts as long as its session, even if only the old key is used.
pub async fn a_pointer_lasts_as_long_as_its_session<S: ErasedStore + ?Sized>(store: &S) {
    if !store.capabilities().aliases {
        return;
    }
    let (from, base) = filed(store, "{}").await;
    let (to, longer) = (key(), LATER.saturating_add(500));
    rotated(store, (&from, &to), &base, &set("a", "1"), renewal()).await;
    assert!(matches!(
        store.touch(&from, &used(NOW, longer)).await,
        Ok(true)
    ));
    let last = longer.saturating_add(-1);
    if let Some(sweeper) = store.powers().sweeper() {
        sweeper.sweep(1_000, NOW).await.expect("sweep works");
    }
    let state = store.load(&from, last).await;
    assert!(matches!(state, Ok(KeyState::Moved(_))), "{state:?}");
    assert!(is_absent(store, &from, longer).await);
}

/// A session that is renewed twice is reachable through each of its keys.
///
/// A renewal by an old key changes nothing. A replacement by an old key moves the session and
/// retires all of its keys.
pub async fn pointers_lead_on_and_are_retired_together<S: ErasedStore + ?Sized>(store: &S) {
    if !store.capabilities().aliases {
        return;
    }
    let (first, base) = filed(store, r#"{"a":1}"#).await;
    let (second, third, last) = (key(), key(), key());
    let renewed = rotated(store, (&first, &second), &base, &set("b", "2"), renewal()).await;
    let twice = store
        .rotate(&first, &third, &base, &set("x", "0"), renewal(), NOW)
        .await;
    assert!(matches!(twice, Ok(Patched::Gone)), "{twice:?}");
    assert!(is_absent(store, &third, NOW).await);
    let keys = (&second, &third);
    let renewed = rotated(store, keys, &renewed, &set("c", "3"), renewal()).await;
    assert_eq!(
        renewed.meta.renewal.map(|renewal| renewal.from),
        Some(*second.as_bytes())
    );
    for old in [&first, &second] {
        let state = store.load(old, NOW).await;
        assert!(matches!(state, Ok(KeyState::Moved(_))), "{state:?}");
    }
    let log_in = log_in(&unique("user"));
    rotated(
        store,
        (&first, &last),
        &renewed,
        &log_in,
        Rotation::Replacement,
    )
    .await;
    for old in [&first, &second, &third] {
        assert!(is_retired(store, old, NOW).await);
    }
    assert_eq!(loaded(store, &last).await.data.text_of("c"), Some("3"));
}

/// A retired key is remembered for a minute, is in use for that time, and refers to no session.
pub async fn a_retired_key_is_remembered_for_a_minute<S: ErasedStore + ?Sized>(store: &S) {
    let (key, base) = filed(store, r#"{"a":1}"#).await;
    assert!(matches!(store.delete(&key, NOW).await, Ok(true)));
    if !store.capabilities().aliases {
        return;
    }
    let end = retired_until(NOW);
    assert!(is_retired(store, &key, end.saturating_add(-1)).await);
    let state = store.load(&key, end).await;
    assert!(matches!(state, Ok(KeyState::Absent)), "{state:?}");
    let taken = store.create(&key, &record("{}"), NOW).await;
    assert!(matches!(taken, Ok(Created::Taken)), "{taken:?}");
    let to = super::fixtures::key();
    let patch = set("a", "2");
    let rotated = store.rotate(&key, &to, &base, &patch, Rotation::Replacement, NOW);
    assert!(matches!(rotated.await, Ok(Patched::Gone)));
    assert!(matches!(
        store.touch(&key, &used(NOW, LATER)).await,
        Ok(false)
    ));
    if let Some(inventory) = store.powers().listing() {
        assert!(matches!(
            inventory.find(base.meta.public_id, NOW).await,
            Ok(None)
        ));
        assert!(matches!(
            inventory
                .delete_by_public_id(base.meta.public_id, NOW)
                .await,
            Ok(false)
        ));
    }
}

/// A conditional change is applied if its condition holds, and rejected as a whole otherwise.
pub async fn a_swap_needs_the_text_that_it_expects<S: ErasedStore + ?Sized>(store: &S) {
    let (key, base) = filed(store, r#"{"a":1}"#).await;
    let swap = |expected: Option<&str>, text: Option<&str>| {
        let mut patch = set("other", "1");
        patch.swap("a", expected.map(str::to_owned), text.map(str::to_owned));
        patch
    };
    for wrong in [swap(None, Some("2")), swap(Some("2"), None)] {
        let refused = store.patch(&key, &base, &wrong, NOW).await;
        assert!(matches!(refused, Err(StoreError::Unmet)), "{refused:?}");
        assert_eq!(members(&loaded(store, &key).await), members(&base));
    }
    for (expected, text) in [(Some("1"), Some("2")), (Some("2"), None), (None, Some("3"))] {
        let patched = store.patch(&key, &base, &swap(expected, text), NOW).await;
        assert_eq!(
            applied(patched.expect("patch works")).data.text_of("a"),
            text
        );
    }
}

/// A rotation onto a key in use, even the session's own, changes neither session.
pub async fn rotate_never_overwrites<S: ErasedStore + ?Sized>(store: &S) {
    let (from, base) = filed(store, r#"{"a":1}"#).await;
    let (taken, other) = filed(store, r#"{"b":2}"#).await;
    for to in [&taken, &from] {
        for rotation in [Rotation::Replacement, renewal()] {
            let rotated = store
                .rotate(&from, to, &base, &set("c", "3"), rotation, NOW)
                .await;
            assert!(!matches!(rotated, Ok(Patched::Applied(_))));
            assert_eq!(members(&loaded(store, &from).await), members(&base));
            assert_eq!(members(&loaded(store, &taken).await), members(&other));
        }
    }
}

/// A rotation of an absent key leaves no record under the new key.
pub async fn rotate_of_what_is_absent_leaves_nothing<S: ErasedStore + ?Sized>(store: &S) {
    let (from, base) = filed(store, r#"{"a":1}"#).await;
    let to = key();
    assert!(matches!(store.delete(&from, NOW).await, Ok(true)));
    assert!(matches!(
        store
            .rotate(
                &from,
                &to,
                &base,
                &set("b", "2"),
                Rotation::Replacement,
                NOW
            )
            .await,
        Ok(Patched::Gone)
    ));
    assert!(is_absent(store, &to, NOW).await && is_absent(store, &from, NOW).await);
}

/// A log-in is a rotation that names the user.
pub async fn a_log_in_binds_the_user<S: ErasedStore + ?Sized>(store: &S) {
    let (from, base) = filed(store, r#"{"cart":[1]}"#).await;
    let (to, user) = (key(), unique("user"));
    applied(
        store
            .rotate(
                &from,
                &to,
                &base,
                &log_in(&user),
                Rotation::Replacement,
                NOW,
            )
            .await
            .expect("rotate works"),
    );
    let after = loaded(store, &to).await;
    assert_eq!(
        (after.meta.user.as_deref(), after.meta.authenticated),
        (Some(user.as_str()), Some(NOW))
    );
    assert_eq!(after.data.text_of("cart"), Some("[1]"));
}

/// A field other than the dictionary only changes in a patch that names the field.
pub async fn facts_survive<S: ErasedStore + ?Sized>(store: &S) {
    let (key, base) = filed(store, "{}").await;
    let mut patch = seen(NOW.saturating_add(7), LATER.saturating_add(7));
    patch.facts.device = Some("A phone — “Zoë’s”".to_owned());
    applied(
        store
            .patch(&key, &base, &patch, NOW)
            .await
            .expect("patch works"),
    );
    applied(
        store
            .patch(&key, &base, &set("a", "1"), NOW)
            .await
            .expect("patch works"),
    );
    let after = loaded(store, &key).await;
    assert_eq!(after.meta.device, patch.facts.device);
    assert_eq!(after.meta.expires, LATER.saturating_add(7));
    if store.capabilities().notes_uses {
        assert_eq!(after.meta.last_seen, NOW.saturating_add(7));
    }
    assert_eq!(
        (after.meta.created, after.meta.renewed, after.meta.public_id),
        (base.meta.created, base.meta.renewed, base.meta.public_id)
    );
}

/// Content of 100 KB, quotation marks, escapes, every plane of Unicode and SQL are preserved.
pub async fn large_and_hostile_content_survives<S: ErasedStore + ?Sized>(store: &S) {
    let long = "x".repeat(100_000);
    let hostile = format!(
        r#"{{"'; DROP TABLE sessions; --":"\"\\'%_\u0000\n","é日😀":"é日😀","long":"{long}","":null}}"#
    );
    let (key, base) = filed(store, &hostile).await;
    assert_eq!(meaning(&base), meaning(&record(&hostile)));
    if store.capabilities().preserves_text {
        assert_eq!(members(&base), members(&record(&hostile)));
    }
    applied(
        store
            .patch(&key, &base, &set("'", "\"'\""), NOW)
            .await
            .expect("patch works"),
    );
    assert_eq!(loaded(store, &key).await.data.len(), 5);
}

type Facts = (
    Option<String>,
    Option<String>,
    [Timestamp; 4],
    Option<Timestamp>,
    String,
);

fn facts<S: ErasedStore + ?Sized>(store: &S, record: &Record) -> Facts {
    let last_seen = match store.capabilities().notes_uses {
        true => record.meta.last_seen,
        false => record.meta.created,
    };
    let times = [
        record.meta.created,
        record.meta.renewed,
        last_seen,
        record.meta.expires,
    ];
    (
        record.meta.user.clone(),
        record.meta.device.clone(),
        times,
        record.meta.authenticated,
        record.meta.public_id.to_string(),
    )
}

pub(super) fn members(record: &Record) -> Vec<(String, String)> {
    record
        .data
        .iter()
        .map(|(key, text)| (key.to_owned(), text.to_owned()))
        .collect()
}

/// Returns the members in a canonical form, for layouts that do not preserve text.
fn meaning(record: &Record) -> Vec<(String, String)> {
    let text = |text: &str| {
        let value = Value::parse(text, true).expect("the checks write good JSON");
        to_text(&value, Record::STYLE).expect("it was read")
    };
    let members = record.data.iter();
    members
        .map(|(key, value)| (text(key), text(value)))
        .collect()
}
