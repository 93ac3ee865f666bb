//! Data that some stores cannot hold.
//!
//! Each store either preserves such data exactly or rejects it as a fault of the data, which does
//! not count as an outage: a client that sends such data must not open a circuit breaker for all
//! others.

use super::{
    basics::members,
    fixtures::{NOW, applied, create, filed, is_absent, key, loaded, number, record, set},
};
use crate::{
    error::{ErrorChain, Fault},
    json::MAX_DEPTH,
    session::Patch,
    store::{Created, ErasedStore, Patched, PublicId, Record, Rotation, Selection, StoreError},
};

/// Larger than the default `max_allowed_packet` of MariaDB, 16 MiB.
const LARGE: usize = 17 << 20;

fn users() -> Vec<(&'static str, String)> {
    vec![
        ("a user of 255 bytes", "u".repeat(255)),
        ("a user of 256 bytes", "u".repeat(256)),
        ("a user of 256 bytes in 128 letters", "é".repeat(128)),
        ("a user of 3,000 bytes", "u".repeat(3_000)),
        ("a user of 70,000 bytes", "u".repeat(70_000)),
        ("a user with a NUL", "a\0b".to_owned()),
        ("a user that is a NUL", "\0".to_owned()),
        ("a user that is empty", String::new()),
        ("a user of blanks", "  a ".to_owned()),
        (
            "a user with control characters",
            "\u{1b}[31m\r\n\u{7f}\u{feff}".to_owned(),
        ),
        ("a user beyond the basic plane", "😀\u{10ffff}".to_owned()),
    ]
}

fn devices() -> Vec<(&'static str, String)> {
    vec![
        ("a device of 256 bytes", "d".repeat(256)),
        ("a device of 70,000 bytes", "d".repeat(70_000)),
        ("a device with a NUL", "Mozilla\0/5.0".to_owned()),
        ("a device that is empty", String::new()),
        (
            "a device with control characters",
            "\u{1b}]0;x\u{7}\r\n".to_owned(),
        ),
    ]
}

fn dictionaries() -> Vec<(&'static str, String)> {
    let nested = |open: &str, close: &str| {
        let levels = MAX_DEPTH - 1;
        format!(
            r#"{{"k":{}1{}}}"#,
            open.repeat(levels),
            close.repeat(levels)
        )
    };
    let wide: Vec<_> = (0..20_000).map(|n| format!(r#""k{n}":{n}"#)).collect();
    vec![
        (
            "a lone surrogate in a value",
            r#"{"k":"\ud800"}"#.to_owned(),
        ),
        ("a lone surrogate in a key", r#"{"\udfff":1}"#.to_owned()),
        ("a NUL in a value", r#"{"k":"a\u0000b"}"#.to_owned()),
        ("a NUL in a key", r#"{"a\u0000b":1}"#.to_owned()),
        ("a key that is empty", r#"{"":1}"#.to_owned()),
        (
            "a key of 70,000 bytes",
            format!(r#"{{"{}":1}}"#, "k".repeat(70_000)),
        ),
        (
            "an integer of 4,000 digits",
            format!(r#"{{"k":{}}}"#, "9".repeat(4_000)),
        ),
        ("deep lists", nested("[", "]")),
        ("deep dictionaries", nested(r#"{"k":"#, "}")),
        ("many keys", format!("{{{}}}", wide.join(","))),
    ]
}

/// Hostile users, devices and dictionaries are either preserved exactly or rejected.
///
/// The check covers new and existing sessions.
pub async fn hostile_data_is_kept_or_refused<S: ErasedStore + ?Sized>(store: &S) {
    for (what, user) in users() {
        let mut patch = set("a", "2");
        patch.facts.user = Some(user.clone());
        let mut record = record("{}");
        record.meta.user = Some(user);
        check(store, what, record, &patch).await;
    }
    for (what, device) in devices() {
        let mut patch = set("a", "2");
        patch.facts.device = Some(device.clone());
        let mut record = record("{}");
        record.meta.device = Some(device);
        check(store, what, record, &patch).await;
    }
    for (what, json) in dictionaries() {
        let record = record(&json);
        let mut patch = Patch::default();
        for (raw, text) in record.data.iter() {
            // A patch cannot name a key that is not Unicode.
            if let Ok(key) = crate::json::string::decode(raw) {
                patch.set(&key, text.to_owned());
            }
        }
        check(store, what, record, &patch).await;
    }
}

/// A record that no server accepts is stored or rejected, and the store still works.
pub async fn a_record_that_is_too_large_is_kept_or_refused<S: ErasedStore + ?Sized>(store: &S) {
    let json = format!(r#"{{"k":"{}"}}"#, "x".repeat(LARGE));
    let record = record(&json);
    drop(json);
    let key = key();
    match store.create(&key, &record, NOW).await {
        Ok(Created::Created) => {
            assert_eq!(members(&loaded(store, &key).await), members(&record));
            assert!(store.delete(&key, NOW).await.expect("delete works"));
        }
        Ok(Created::Taken) => panic!("the key is new"),
        Err(error) => refused("a large record", &error),
    }
    assert!(is_absent(store, &key, NOW).await);
    works(store).await;
}

/// Listing or deleting the sessions of a hostile user name either finds nothing or is rejected.
pub async fn hostile_users_are_no_outage<S: ErasedStore + ?Sized>(store: &S) {
    let Some(list) = store.powers().users() else {
        return;
    };
    let public_id = PublicId::random().expect("the system has randomness");
    for (what, user) in users() {
        // Other checks may have created sessions of the same user.
        if let Err(error) = list.list_by_user(&user, None, 10, NOW).await {
            refused(what, &error);
        }
        match list
            .delete_by_user(&user, Selection::Only(public_id), 1, NOW)
            .await
        {
            Ok(deleted) => assert_eq!(deleted, 0, "{what}"),
            Err(error) => refused(what, &error),
        }
    }
    works(store).await;
}

#[track_caller]
fn refused(what: &str, error: &StoreError) {
    assert_eq!(
        error.fault(),
        Fault::Data,
        "{what}: {}",
        ErrorChain::of(error)
    );
}

/// Creates the session `wanted`, and applies `patch` to another session.
async fn check<S: ErasedStore + ?Sized>(store: &S, what: &str, wanted: Record, patch: &Patch) {
    let new = key();
    match store.create(&new, &wanted, NOW).await {
        Ok(Created::Created) => is_kept(what, &loaded(store, &new).await, &wanted),
        Ok(Created::Taken) => panic!("{what}: the key is new"),
        Err(error) => {
            refused(what, &error);
            assert!(
                is_absent(store, &new, NOW).await,
                "{what}: nothing is half written"
            );
        }
    }
    let (from, to) = (key(), key());
    create(store, &from, &record(r#"{"a":1}"#)).await;
    let base = loaded(store, &from).await;
    let rotates = patch.facts.user.is_some();
    let changed = match rotates {
        true => {
            store
                .rotate(&from, &to, &base, patch, Rotation::Replacement, NOW)
                .await
        }
        false => store.patch(&from, &base, patch, NOW).await,
    };
    match changed {
        Ok(Patched::Applied(told)) => {
            let after = loaded(store, if rotates { &to } else { &from }).await;
            assert_eq!(members(&after), members(&told), "{what}");
            assert_eq!(
                (&after.meta.user, &after.meta.device),
                (&told.meta.user, &told.meta.device),
                "{what}"
            );
            for (key, change) in patch.changes().take(100) {
                // Another framework's layout may encode the stored value differently.
                if store.capabilities().preserves_text {
                    assert_eq!(after.data.text_of(key), change.text(), "{what}");
                }
            }
            let expected = (&patch.facts.user, &patch.facts.device);
            assert_eq!((&after.meta.user, &after.meta.device), expected, "{what}");
        }
        Ok(Patched::Gone) => panic!("{what}: the session is there"),
        Err(error) => {
            refused(what, &error);
            let after = loaded(store, &from).await;
            assert_eq!(
                members(&after),
                members(&base),
                "{what}: nothing is half written"
            );
            assert_eq!((after.meta.user, after.meta.device), (None, None), "{what}");
            assert!(is_absent(store, &to, NOW).await, "{what}");
        }
    }
    works(store).await;
}

#[track_caller]
fn is_kept(what: &str, found: &Record, wanted: &Record) {
    assert_eq!(members(found), members(wanted), "{what}");
    assert_eq!(
        (&found.meta.user, &found.meta.device),
        (&wanted.meta.user, &wanted.meta.device),
        "{what}"
    );
}

async fn works<S: ErasedStore + ?Sized>(store: &S) {
    let (key, base) = filed(store, r#"{"a":1}"#).await;
    let patched = store.patch(&key, &base, &set("a", "2"), NOW).await;
    assert_eq!(number(&applied(patched.expect("the store works")), "a"), 2);
}
