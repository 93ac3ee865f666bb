//! What one caller sees.

use super::fixtures::*;
use crate::{
    clock::Timestamp,
    json::{Value, to_text},
    store::{Created, Patched, Record, SessionStore, StoreError},
};

/// What was filed comes back, all of it.
pub async fn create_then_load<S: SessionStore>(store: &S) {
    let (key, mut original) = (key(), record(r#"{"a":1,"b":[true,null]}"#));
    original.user = Some(unique("user"));
    original.device = Some("Browser on a machine".to_owned());
    original.authenticated = Some(NOW);
    create(store, &key, &original).await;
    let copy = loaded(store, &key).await;
    assert_eq!(members(&copy), members(&original));
    assert_eq!(facts(store, &copy), facts(store, &original));
}

/// A key that nobody filed is absent for every verb, and none of them makes it.
pub async fn nothing_is_absent_not_an_error<S: SessionStore>(store: &S) {
    let (missing, base, other) = (key(), record("{}"), key());
    assert!(is_absent(store, &missing, NOW).await);
    assert!(matches!(
        store.patch(&missing, &base, &set("a", "1"), NOW).await,
        Ok(Patched::Gone)
    ));
    assert!(matches!(
        store
            .rotate(&missing, &other, &base, &set("a", "1"), None, NOW)
            .await,
        Ok(Patched::Gone)
    ));
    assert!(matches!(store.touch(&missing, LATER, NOW).await, Ok(false)));
    assert!(matches!(store.delete(&missing).await, Ok(false)));
    assert!(is_absent(store, &missing, NOW).await && is_absent(store, &other, NOW).await);
}

/// A key in use is never overwritten, not even by whoever has guessed it.
pub async fn create_never_overwrites<S: SessionStore>(store: &S) {
    let (key, first) = filed(store, r#"{"owner":1}"#).await;
    let second = store.create(&key, &record(r#"{"owner":2}"#), NOW).await;
    assert!(matches!(second, Ok(Created::Taken)));
    assert_eq!(members(&loaded(store, &key).await), members(&first));
}

/// One second before `expires` it is there, at `expires` it is not, for every verb.
pub async fn expired_is_absent_to_the_second<S: SessionStore>(store: &S) {
    let (key, base) = filed(store, r#"{"a":1}"#).await;
    let last = LATER.saturating_add(-1);
    assert!(!is_absent(store, &key, last).await);
    assert!(is_absent(store, &key, LATER).await);
    assert!(matches!(
        store.patch(&key, &base, &set("a", "2"), LATER).await,
        Ok(Patched::Gone)
    ));
    assert!(matches!(
        store.touch(&key, LATER.saturating_add(60), LATER).await,
        Ok(false)
    ));
    let other = super::fixtures::key();
    assert!(matches!(
        store
            .rotate(&key, &other, &base, &set("a", "2"), None, LATER)
            .await,
        Ok(Patched::Gone)
    ));
    assert!(is_absent(store, &other, LATER).await);
}

/// A patch names the keys that it changes; all others keep their text and their order.
pub async fn patch_changes_only_its_keys<S: SessionStore>(store: &S) {
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

/// Python's tuples, big integers, `NaN`, halves of surrogate pairs and unknown tags keep every byte, where the
/// layout keeps text at all.
pub async fn patch_keeps_what_json_cannot_say<S: SessionStore>(store: &S) {
    let odd = if store.layout().keeps_text {
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

/// A value that the layout has no form for is refused, and nothing is written; any other comes back.
pub async fn what_cannot_be_kept_is_refused<S: SessionStore>(store: &S) {
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
                !store.layout().keeps_text,
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

/// A clear takes away what is there when it runs; what the same patch sets stays.
pub async fn clear_removes_what_is_there<S: SessionStore>(store: &S) {
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

/// A touch prolongs a session and changes nothing else.
pub async fn touch_moves_the_expiry_and_nothing_else<S: SessionStore>(store: &S) {
    let (key, before) = filed(store, r#"{"a":1}"#).await;
    let longer = LATER.saturating_add(100);
    assert!(matches!(
        store.touch(&key, longer, NOW.saturating_add(10)).await,
        Ok(true)
    ));
    let after = loaded(store, &key).await;
    if store.layout().notes_uses {
        assert_eq!(after.last_seen, NOW.saturating_add(10));
    } else {
        assert!(after.last_seen >= before.last_seen);
    }
    assert_eq!(
        (after.expires, after.created, &after.user),
        (longer, before.created, &before.user)
    );
    assert_eq!(members(&after), members(&before));
    assert!(!is_absent(store, &key, LATER).await && is_absent(store, &key, longer).await);
}

/// A touch with an earlier expiry, from a request that was slow, changes nothing.
pub async fn touch_never_shortens<S: SessionStore>(store: &S) {
    let (key, _) = filed(store, "{}").await;
    assert!(matches!(
        store.touch(&key, NOW.saturating_add(5), NOW).await,
        Ok(true)
    ));
    assert_eq!(loaded(store, &key).await.expires, LATER);
    let base = loaded(store, &key).await;
    applied(
        store
            .patch(&key, &base, &seen(NOW, NOW.saturating_add(5)), NOW)
            .await
            .expect("patch works"),
    );
    assert_eq!(loaded(store, &key).await.expires, LATER);
}

/// After `delete` the key is absent; a second delete finds nothing.
pub async fn delete_is_final<S: SessionStore>(store: &S) {
    let (key, _) = filed(store, r#"{"a":1}"#).await;
    assert!(matches!(store.delete(&key).await, Ok(true)));
    assert!(is_absent(store, &key, NOW).await);
    assert!(matches!(store.delete(&key).await, Ok(false)));
}

/// Without an alias the old key is dead as soon as the new one lives.
pub async fn rotate_moves_and_kills_the_old_key<S: SessionStore>(store: &S) {
    let (from, base) = filed(store, r#"{"a":1}"#).await;
    let to = key();
    let then = NOW.saturating_add(9);
    let after = applied(
        store
            .rotate(&from, &to, &base, &set("b", "2"), None, then)
            .await
            .expect("rotate works"),
    );
    assert_eq!((after.handle, after.renewed), (base.handle, then));
    assert!(is_absent(store, &from, NOW).await);
    let moved = loaded(store, &to).await;
    assert_eq!(members(&moved), members(&record(r#"{"a":1,"b":2}"#)));
    assert_eq!(
        (moved.handle, moved.created, moved.renewed),
        (base.handle, base.created, then)
    );
    assert!(matches!(
        store.patch(&from, &base, &set("c", "3"), NOW).await,
        Ok(Patched::Gone)
    ));
}

/// With an alias the old key leads to the record until the second it ends; deleting through either
/// ends the session under both. In a layout without aliases the old key is dead at once.
pub async fn rotate_with_an_alias_ends_it_in_time<S: SessionStore>(store: &S) {
    let (from, base) = filed(store, r#"{"a":1}"#).await;
    let (to, until) = (key(), NOW.saturating_add(30));
    applied(
        store
            .rotate(&from, &to, &base, &set("b", "2"), Some(until), NOW)
            .await
            .expect("rotate works"),
    );
    if !store.layout().aliases {
        assert!(is_absent(store, &from, NOW).await && !is_absent(store, &to, NOW).await);
        assert!(matches!(
            store.patch(&from, &base, &set("c", "3"), NOW).await,
            Ok(Patched::Gone)
        ));
        assert!(matches!(store.delete(&from).await, Ok(false)));
        assert_eq!(loaded(store, &to).await.data.text_of("c"), None);
        return;
    }
    assert_eq!(
        members(&loaded(store, &from).await),
        members(&loaded(store, &to).await)
    );
    applied(
        store
            .patch(&from, &base, &set("c", "3"), NOW)
            .await
            .expect("patch works"),
    );
    assert_eq!(loaded(store, &to).await.data.text_of("c"), Some("3"));
    assert!(!is_absent(store, &from, until.saturating_add(-1)).await);
    assert!(is_absent(store, &from, until).await && !is_absent(store, &to, until).await);
    assert!(matches!(store.delete(&from).await, Ok(true)));
    assert!(is_absent(store, &from, NOW).await && is_absent(store, &to, NOW).await);
}

/// A rotation onto a key in use, be it the session's own, changes neither session.
pub async fn rotate_never_overwrites<S: SessionStore>(store: &S) {
    let (from, base) = filed(store, r#"{"a":1}"#).await;
    let (taken, other) = filed(store, r#"{"b":2}"#).await;
    for to in [&taken, &from] {
        for alias_until in [None, Some(LATER)] {
            let rotated = store
                .rotate(&from, to, &base, &set("c", "3"), alias_until, NOW)
                .await;
            assert!(!matches!(rotated, Ok(Patched::Applied(_))));
            assert_eq!(members(&loaded(store, &from).await), members(&base));
            assert_eq!(members(&loaded(store, &taken).await), members(&other));
        }
    }
}

/// A rotation of what is absent leaves nothing under the new key.
pub async fn rotate_of_what_is_absent_leaves_nothing<S: SessionStore>(store: &S) {
    let (from, base) = filed(store, r#"{"a":1}"#).await;
    let to = key();
    assert!(matches!(store.delete(&from).await, Ok(true)));
    assert!(matches!(
        store
            .rotate(&from, &to, &base, &set("b", "2"), None, NOW)
            .await,
        Ok(Patched::Gone)
    ));
    assert!(is_absent(store, &to, NOW).await && is_absent(store, &from, NOW).await);
}

/// A log-in is a rotation that names the user.
pub async fn a_log_in_binds_the_user<S: SessionStore>(store: &S) {
    let (from, base) = filed(store, r#"{"cart":[1]}"#).await;
    let (to, user) = (key(), unique("user"));
    applied(
        store
            .rotate(&from, &to, &base, &log_in(&user), None, NOW)
            .await
            .expect("rotate works"),
    );
    let after = loaded(store, &to).await;
    assert_eq!(
        (after.user.as_deref(), after.authenticated),
        (Some(user.as_str()), Some(NOW))
    );
    assert_eq!(after.data.text_of("cart"), Some("[1]"));
}

/// What is noted beside the dictionary is changed by what names it and by nothing else.
pub async fn facts_survive<S: SessionStore>(store: &S) {
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
    assert_eq!(after.device, patch.facts.device);
    assert_eq!(after.expires, LATER.saturating_add(7));
    if store.layout().notes_uses {
        assert_eq!(after.last_seen, NOW.saturating_add(7));
    }
    assert_eq!(
        (after.created, after.renewed, after.handle),
        (base.created, base.renewed, base.handle)
    );
}

/// Content of 100 KB, quotation marks, escapes, every plane of Unicode and SQL come back as they were.
pub async fn large_and_hostile_content_survives<S: SessionStore>(store: &S) {
    let long = "x".repeat(100_000);
    let hostile = format!(
        r#"{{"'; DROP TABLE sessions; --":"\"\\'%_\u0000\n","é日😀":"é日😀","long":"{long}","":null}}"#
    );
    let (key, base) = filed(store, &hostile).await;
    assert_eq!(meaning(&base), meaning(&record(&hostile)));
    if store.layout().keeps_text {
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

fn facts<S: SessionStore>(store: &S, record: &Record) -> Facts {
    let last_seen = match store.layout().notes_uses {
        true => record.last_seen,
        false => record.created,
    };
    let times = [record.created, record.renewed, last_seen, record.expires];
    (
        record.user.clone(),
        record.device.clone(),
        times,
        record.authenticated,
        record.handle.to_string(),
    )
}

fn members(record: &Record) -> Vec<(String, String)> {
    record
        .data
        .iter()
        .map(|(key, text)| (key.to_owned(), text.to_owned()))
        .collect()
}

/// The members in one spelling, for layouts that do not keep the sender's.
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
