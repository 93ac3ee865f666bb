use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{
    clock::Timestamp,
    data::{Access, Patch, SessionData},
    future::at_once,
    store::{
        MemoryStore, Nonce, Record, Rotation, Selection, SessionMeta, SessionStore, StoreKey,
        WhenFull,
    },
};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
const USERS: [&str; 3] = ["ann", "bob", "eve"];

fn key(number: u8) -> StoreKey {
    StoreKey::of_id(&number.to_string())
}

fn record(user: Option<&str>, number: u8, expires: i64) -> Record {
    let mut meta = SessionMeta::new(
        PublicId::from_bytes([number; 12]),
        NOW,
        NOW.saturating_add(expires),
    );
    meta.user = user.map(str::to_owned);
    meta.renewed = NOW.saturating_add(i64::from(number % 4));
    Record::new(meta, SessionData::default())
}

/// Runs one operation, with numbers that select its keys and its user.
fn act(store: &MemoryStore, verb: u8, one: u8, two: u8) {
    let user = USERS.get(usize::from(two % 4)).copied();
    let now = NOW.saturating_add(i64::from(two % 8));
    let base = || {
        at_once(|| async { store.load(&key(one), now).await })
            .ok()?
            .into_record()
    };
    let mut patch = Patch::default();
    patch.facts.user = user.map(str::to_owned);
    // Errors are ignored, because the index has to agree with the maps after a failed operation,
    // too.
    match verb {
        0..3 => drop(at_once(|| async {
            store
                .create(&key(one), &record(user, one, i64::from(two % 16)), now)
                .await
        })),
        3 => drop(
            base()
                .map(|base| at_once(|| async { store.patch(&key(one), &base, &patch, now).await })),
        ),
        4..6 => {
            let rotation = match verb {
                4 => Rotation::Replacement,
                _ => Rotation::Renewal(Nonce::random().expect("the system has randomness")),
            };
            let (from, to) = (key(one), key(two));
            drop(base().map(|base| {
                at_once(|| async { store.rotate(&from, &to, &base, &patch, rotation, now).await })
            }));
        }
        6 => {
            let access = Access {
                at: now,
                expires: now.saturating_add(8),
                confirms: None,
            };
            drop(at_once(|| async { store.touch(&key(one), &access).await }));
        }
        7 => drop(at_once(|| async { store.delete(&key(one), now).await })),
        8 => _ = store.sweep_now(usize::from(two % 4), now),
        9 => _ = store.delete_by_user_now(USERS[0], Selection::All, usize::from(two % 3), now),
        _ => _ = store.trim_now(USERS[1], 2, PublicId::from_bytes([one; 12]), 2, now),
    }
}

/// Returns all sessions of users, from an iteration over every session.
fn scanned(store: &MemoryStore) -> Vec<(Vec<u8>, Entry)> {
    let mut all = Vec::new();
    store.each(|index, half, packed| {
        if let Some(user) = packed.user() {
            all.push((user.to_vec(), Entry::of(packed, (index, *half))));
        }
    });
    all.sort();
    all
}

fn assert_agrees(store: &MemoryStore) {
    assert_eq!(store.users.all(), scanned(store));
    let mut sessions = 0;
    store.each(|_, _, _| sessions += 1);
    assert_eq!(store.len(), sessions);
}

proptest! {
    #[test]
    fn the_index_agrees_with_a_look_at_every_session(
        acts in prop::collection::vec((0..11_u8, 0..24_u8, 0..24_u8), 0..120),
        bound in prop::option::of(1..20_usize),
    ) {
        let store = bound.map_or_else(MemoryStore::new, |bound| {
            MemoryStore::bounded(bound, WhenFull::Evict)
        });
        for (verb, one, two) in acts {
            act(&store, verb, one, two);
            assert_agrees(&store);
        }
    }

    #[test]
    fn a_trim_takes_what_a_sorted_list_says(
        sessions in prop::collection::vec((0..4_u8, 0..12_i64), 0..40),
        keep in 0..8_usize,
        limit in 0..12_usize,
        own in 0..40_u8,
    ) {
        let store = MemoryStore::new();
        let mut listed = Vec::new();
        for (number, &(second, expires)) in (0..).zip(&sessions) {
            let mut record = record(Some("ann"), number, expires);
            record.meta.renewed = NOW.saturating_add(i64::from(second));
            at_once(|| async { store.create(&key(number), &record, NOW).await }).expect("there is room");
            if !record.is_expired(NOW) {
                listed.push(record.meta);
            }
        }
        let own = PublicId::from_bytes([own; 12]);
        listed.sort_by_key(|session| (session.renewed, session.public_id == own, session.public_id));
        let trimmed = listed.len().saturating_sub(keep).min(limit);
        let mut rest: Vec<_> = listed.split_off(trimmed);
        rest.sort_by_key(|session| std::cmp::Reverse(session.position()));
        let answer = store.trim_now("ann", keep, own, limit, NOW);
        prop_assert_eq!(answer, trimmed as u64);
        prop_assert_eq!(store.list_by_user_now("ann", None, 100, NOW), rest);
        assert_agrees(&store);
    }

    #[test]
    fn pages_of_a_user_are_a_sorted_list(
        sessions in prop::collection::vec((0..4_u8, 0..3_i64), 0..40),
        limit in 1..7_usize,
    ) {
        let store = MemoryStore::new();
        let mut listed = Vec::new();
        for (number, &(second, expires)) in (0..).zip(&sessions) {
            let mut record = record(Some("ann"), number, expires);
            record.meta.renewed = NOW.saturating_add(i64::from(second));
            at_once(|| async { store.create(&key(number), &record, NOW).await }).expect("there is room");
            if !record.is_expired(NOW) {
                listed.push(record.meta);
            }
        }
        listed.sort_by_key(|session| std::cmp::Reverse(session.position()));
        let mut pages: Vec<SessionMeta> = Vec::new();
        loop {
            let after = pages.last().map(SessionMeta::position);
            let page = store.list_by_user_now("ann", after, limit, NOW);
            let is_last = page.len() < limit;
            pages.extend(page);
            if is_last {
                break;
            }
        }
        prop_assert_eq!(pages, listed);
    }
}

#[test]
fn an_expired_session_of_the_caller_is_not_kept_in_place_of_a_live_one() {
    let store = MemoryStore::new();
    for (number, expires) in [(0, 0), (1, 1)] {
        let mut record = record(Some("ann"), number, expires);
        record.meta.renewed = NOW;
        at_once(|| async { store.create(&key(number), &record, NOW).await })
            .expect("there is room");
    }
    let own = PublicId::from_bytes([0; 12]);
    assert_eq!(store.trim_now("ann", 1, own, 1, NOW), 0);
    assert_eq!(store.list_by_user_now("ann", None, 10, NOW).len(), 1);
}

#[test]
fn the_index_agrees_after_threads_have_changed_the_same_sessions() {
    let store = Arc::new(MemoryStore::bounded(20, WhenFull::Evict));
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let store = Arc::clone(&store);
            scope.spawn(move || {
                let mut state = thread + 1;
                for _ in 0..20_000 {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let [verb, one, two, ..] = (state >> 32).to_le_bytes();
                    act(&store, verb % 11, one % 24, two % 24);
                }
            });
        }
    });
    assert_agrees(&store);
}
