//! Rows that Carafe cannot have written.
//!
//! Operations return an error, the row stays unchanged, and the store remains usable.

use std::fs;

use carafe_core::{
    error::ErrorChain,
    store::{
        Rotation, Selection, SessionListing, SessionStore, StoreError, StoreKey, UserSessions,
    },
};
use carafe_sqlite::{Durability, SqliteOptions, SqliteStore};
use futures_executor::block_on;
use rusqlite::Connection;

use crate::common::{LATER, NOW, Scratch, applied, file_one, is_there, load, renewal, set, used};

/// An assignment that damages a row, and the column that the error must name.
const DAMAGE: [(&str, &str); 15] = [
    ("data = CAST(x'7b226122ff7d' AS TEXT)", "data"),
    ("data = ''", "data"),
    ("data = '{\"a\":'", "data"),
    ("data = '[1]'", "data"),
    ("data = '{\"a\":1}x'", "data"),
    ("data = '{\"a\":{\" d\":\"no date\"}}x'", "data"),
    ("handle = ''", "handle"),
    ("handle = 'not base64url !!'", "handle"),
    ("handle = CAST(x'ff' AS TEXT)", "handle"),
    ("user = CAST(x'c0' AS TEXT)", "user"),
    ("device = CAST(x'ff' AS TEXT)", "device"),
    ("version = -1", "version"),
    ("renewal = ''", "renewal"),
    ("renewal = 'not base64url !!'", "renewal"),
    ("renewal = CAST(x'ff' AS TEXT)", "renewal"),
];

#[test]
fn a_damaged_column_is_corrupt_and_stays() {
    for (damage, column) in DAMAGE {
        let scratch = Scratch::new("columns");
        let store = scratch.store();
        let (key, base) = file_one(&store, "damaged", r#"{"a":1}"#);
        let (sound, sound_base) = file_one(&store, "sound", "{}");
        change(&scratch, &key, damage);
        let before = row(&scratch.raw(), &key);

        let other = StoreKey::of_id("another");
        let patch = set("b", "2");
        for error in [
            block_on(store.load(&key, NOW)).expect_err(damage),
            block_on(store.patch(&key, &base, &patch, NOW)).expect_err(damage),
            block_on(store.rotate(&key, &other, &base, &patch, renewal(), NOW)).expect_err(damage),
            block_on(store.rotate(&key, &other, &base, &patch, Rotation::Replacement, NOW))
                .expect_err(damage),
            block_on(store.touch(&key, &used(NOW, LATER.saturating_add(9)))).expect_err(damage),
        ] {
            assert!(matches!(error, StoreError::Corrupt(_)), "{damage}: {error}");
            assert!(
                ErrorChain::of(&error)
                    .to_string()
                    .contains(&format!("`{column}`")),
                "{damage}: {error}"
            );
        }
        assert_eq!(row(&scratch.raw(), &key), before, "{damage}");
        assert!(!is_there(&store, &other, NOW));
        applied(block_on(store.patch(&sound, &sound_base, &patch, NOW)).expect("others go on"));
        assert!(
            block_on(store.delete(&key, NOW)).expect("a log-out works"),
            "{damage}"
        );
    }
}

#[test]
fn create_does_not_replace_what_cannot_be_read() {
    let scratch = Scratch::new("create");
    let store = scratch.store();
    let (key, base) = file_one(&store, "damaged", "{}");
    change(&scratch, &key, "data = 'x'");
    let before = row(&scratch.raw(), &key);
    assert!(matches!(
        block_on(store.create(&key, &base, NOW)),
        Ok(carafe_core::store::Created::Taken)
    ));
    assert_eq!(row(&scratch.raw(), &key), before);
}

#[test]
fn every_flipped_bit_and_every_cut_of_the_data_is_survived() {
    let text = r#"{"a":{" t":[1,"é"]},"n":12.5,"d":{" d":"Mon, 01 Jan 2024 00:00:00 GMT"}}"#;
    let scratch = Scratch::new("bits");
    let store = scratch.store_with(SqliteOptions::default().durability(Durability::Normal));
    let (key, base) = file_one(&store, "damaged", text);
    let db = scratch.raw();
    db.pragma_update(None, "synchronous", "OFF")
        .expect("it is set");
    let put = |bytes: &[u8]| {
        let sql = "UPDATE sessions SET data = CAST(?2 AS TEXT) WHERE key = ?1";
        db.execute(sql, rusqlite::params![key.as_bytes(), bytes])
            .expect("the row is there");
        row(&db, &key)
    };
    let mut refused = 0;
    let mut check = |bytes: &[u8]| {
        let before = put(bytes);
        match block_on(store.load(&key, NOW)) {
            Ok(state) => assert!(state.record().is_some()),
            Err(StoreError::Corrupt(_)) => {
                refused += 1;
                let patched = block_on(store.patch(&key, &base, &set("b", "1"), NOW));
                assert!(matches!(patched, Err(StoreError::Corrupt(_))));
            }
            Err(other) => panic!("{other}"),
        }
        assert_eq!(row(&db, &key), before);
    };
    let original = text.as_bytes();
    for cut in 0..original.len() {
        check(&original[..cut]);
    }
    for bit in 0..original.len() * 8 {
        let mut bytes = original.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        check(&bytes);
    }
    assert!(
        refused > original.len(),
        "every cut is refused, and some flips: {refused}"
    );
}

#[test]
fn a_user_with_a_damaged_session_can_still_be_logged_out() {
    let scratch = Scratch::new("users");
    let store = scratch.store();
    let (key, _) = file_one(&store, "damaged", "{}");
    let (spared, _) = file_one(&store, "spared", "{}");
    for key in [&key, &spared] {
        change(&scratch, key, "user = 'bob'");
    }
    let listed = || block_on(store.list_by_user("bob", None, 10, NOW)).expect("of_user works");
    change(&scratch, &key, "data = 'x'");
    assert_eq!(listed().len(), 2, "a list needs no dictionary");
    change(&scratch, &key, "handle = 'x'");
    let before = row(&scratch.raw(), &key);
    assert_eq!(listed().len(), 1, "what has no name is left out");
    assert_eq!(row(&scratch.raw(), &key), before);
    let public_id = load(&store, &spared).meta.public_id;
    assert!(matches!(
        block_on(store.delete_by_user("bob", Selection::AllBut(public_id), 10, NOW)),
        Ok(1)
    ));
    assert!(!is_there(&store, &key, NOW));
    assert_eq!(load(&store, &spared).meta.user.as_deref(), Some("bob"));
}

/// Pages and samples skip an unreadable session, a scan reports it, and deletion does not read it.
#[test]
fn operators_see_past_a_damaged_session() {
    for (damage, column) in DAMAGE {
        let scratch = Scratch::new("operators");
        let store = scratch.store();
        let (key, _) = file_one(&store, "damaged", "{}");
        let (_, sound) = file_one(&store, "sound", "{}");
        change(&scratch, &key, damage);
        let before = row(&scratch.raw(), &key);
        let seen = if column == "data" { 2 } else { 1 };
        let page = block_on(store.list(None, 1, NOW)).expect(damage);
        assert_eq!(page.len(), 1, "{damage}");
        let page = block_on(store.list(None, 10, NOW)).expect(damage);
        assert_eq!(page.len(), seen, "{damage}");
        assert!(
            page.iter()
                .any(|session| session.public_id == sound.meta.public_id)
        );
        let sample = block_on(store.sample(10, NOW)).expect(damage);
        assert_eq!((sample.total, sample.exact), (seen as u64, true));
        let walked = block_on(store.scan(None, 10)).expect(damage).records;
        assert_eq!(walked.len(), 2);
        for (at, record) in walked {
            assert_eq!(record.is_err(), at == key, "{damage}");
        }
        assert_eq!(row(&scratch.raw(), &key), before, "{damage}");
        assert_eq!(
            block_on(store.delete_created_before(NOW, 10, NOW)).expect(damage),
            2
        );
    }
}

#[test]
fn a_damaged_file_is_an_error_and_not_a_crash() {
    let scratch = Scratch::new("file");
    let store = scratch.store();
    let keys: Vec<_> = (0..50)
        .map(|count| file_one(&store, &format!("id-{count}"), r#"{"text":"0123456789"}"#).0)
        .collect();
    drop(store);
    let sound = fs::read(scratch.file()).expect("the file is there");
    let (mut errors, mut place) = (0, 12_345_usize);
    for _ in 0..100 {
        let mut damaged = sound.clone();
        for _ in 0..20 {
            place = place
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let length = damaged.len();
            damaged[(place >> 20) % length] ^= 1 << (place >> 60 & 7);
        }
        for suffix in ["-wal", "-shm"] {
            drop(fs::remove_file(format!(
                "{}{suffix}",
                scratch.file().display()
            )));
        }
        fs::write(scratch.file(), &damaged).expect("the file can be written");
        errors += usize::from(use_all(&scratch, &keys).is_err());
    }
    assert!(errors > 0, "some damage is noticed");
}

/// Reads and writes every key and returns the first error.
///
/// Damage inside a text value is undetected if it is valid for both SQLite and JSON.
fn use_all(scratch: &Scratch, keys: &[StoreKey]) -> Result<(), Box<dyn std::error::Error>> {
    let options = SqliteOptions::default().durability(Durability::Normal);
    let store = SqliteStore::open(scratch.file(), options)?;
    let mut first = Ok(());
    for key in keys {
        let loaded = block_on(store.load(key, NOW));
        let touched = block_on(store.touch(key, &used(NOW, LATER.saturating_add(1))));
        first = first.and(loaded.map(drop)).and(touched.map(drop));
    }
    Ok(first?)
}

fn change(scratch: &Scratch, key: &StoreKey, what: &str) {
    let sql = format!("UPDATE sessions SET {what} WHERE key = ?1");
    let changed = scratch
        .raw()
        .execute(&sql, [key.as_bytes()])
        .expect("SQLite takes it");
    assert_eq!(changed, 1);
}

/// Returns all columns of a row, byte for byte.
fn row(db: &Connection, key: &StoreKey) -> String {
    let sql = "SELECT concat_ws('|', hex(handle), hex(user), hex(device), created, renewed, last_seen, \
        expires, authenticated, version, hex(renewal), hex(data)) FROM sessions WHERE key = ?1";
    db.query_row(sql, [key.as_bytes()], |row| row.get(0))
        .expect("the row is there")
}
