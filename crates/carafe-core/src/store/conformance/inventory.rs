//! What a store promises that lets its operators look through all sessions. A store without that power passes
//! by not having it.

use std::collections::HashSet;

use super::fixtures::*;
use crate::{
    clock::Timestamp,
    session::Patch,
    store::{Cursor, Handle, Inventory, Position, Record, SessionStore, StoreError, StoreKey},
};

/// Pages of the list, put together, are all sessions, each once, the newest id first.
pub async fn pages_show_each_session_once<S: SessionStore>(store: &S) {
    let Some(inventory) = store.inventory() else {
        return;
    };
    let (start, filed) = filed_in_a_time_of_their_own(store, 7).await;
    let mut after = Some(start);
    let mut seen = Vec::new();
    while seen.len() < filed.len() {
        let page = newest(inventory, after, 3, start.renewed).await;
        assert!(
            !page.is_empty() && page.len() <= 3,
            "{} on a page",
            page.len()
        );
        after = page.last().map(|(position, _)| *position);
        seen.extend(page);
    }
    assert!(seen.is_sorted_by(|(a, _), (b, _)| a.renewed >= b.renewed));
    let seen: Vec<_> = seen.into_iter().map(|(_, handle)| handle).collect();
    let unique: HashSet<_> = seen.iter().collect();
    assert_eq!(unique.len(), filed.len(), "each once");
    assert!(
        filed
            .iter()
            .all(|(_, record)| unique.contains(&record.handle))
    );
}

/// A session that ends or gets a new id between two pages makes no other one appear twice or not at all.
pub async fn pages_hold_while_sessions_end<S: SessionStore>(store: &S) {
    let Some(inventory) = store.inventory() else {
        return;
    };
    let (start, filed) = filed_in_a_time_of_their_own(store, 6).await;
    let first = newest(inventory, Some(start), 3, start.renewed).await;
    for (position, handle) in &first {
        let there = inventory.delete_of_handle(*handle).await;
        assert!(there.expect("delete_of_handle works"), "{position:?}");
    }
    let after = first.last().map(|(position, _)| *position);
    let second = newest(inventory, after, 3, start.renewed).await;
    let handles = |page: &[(Position, Handle)]| -> HashSet<_> {
        page.iter().map(|(_, handle)| *handle).collect()
    };
    let all: HashSet<_> = handles(&first).union(&handles(&second)).copied().collect();
    assert_eq!(all, filed.iter().map(|(_, record)| record.handle).collect());
}

/// Expired sessions are on no page, are found by no name and are in no sample.
pub async fn the_list_has_no_expired_session<S: SessionStore>(store: &S) {
    let Some(inventory) = store.inventory() else {
        return;
    };
    let (start, filed) = filed_in_a_time_of_their_own(store, 2).await;
    let end = filed[0].1.expires;
    let handles: Vec<_> = filed.iter().map(|(_, record)| record.handle).collect();
    let page = newest(inventory, Some(start), 10, end).await;
    assert!(page.iter().all(|(_, handle)| !handles.contains(handle)));
    let found = inventory.of_handle(handles[0], end).await;
    assert!(found.expect("of_handle works").is_none());
    let sample = inventory.sample(10, end).await.expect("sample works");
    assert!(
        sample
            .sessions
            .iter()
            .all(|session| !session.is_expired(end))
    );
}

/// A public name finds its session and ends it, under whatever id it lives meanwhile.
pub async fn a_handle_finds_and_ends_its_session<S: SessionStore>(store: &S) {
    let Some(inventory) = store.inventory() else {
        return;
    };
    let (from, base) = filed(store, r#"{"a":1}"#).await;
    let to = key();
    rotated(store, &from, &to, &base).await;
    let found = inventory
        .of_handle(base.handle, NOW)
        .await
        .expect("of_handle works");
    let found = found.expect("the session has this handle");
    assert_eq!(
        (found.handle, found.data.text_of("a")),
        (base.handle, Some("1"))
    );
    assert!(matches!(
        inventory.delete_of_handle(base.handle).await,
        Ok(true)
    ));
    assert!(is_absent(store, &to, NOW).await && is_absent(store, &from, NOW).await);
    assert!(matches!(
        inventory.delete_of_handle(base.handle).await,
        Ok(false)
    ));
    let nobody = Handle::random().expect("the system has randomness");
    assert!(matches!(inventory.of_handle(nobody, NOW).await, Ok(None)));
}

/// Ending all that began by a moment is bounded, takes what got a new id since, and spares what is younger.
pub async fn all_that_began_by_then_are_ended<S: SessionStore>(store: &S) {
    let Some(inventory) = store.inventory() else {
        return;
    };
    // A past of its own, so that other checks' records on the same store stay.
    let then = Timestamp::from_unix(2_000);
    let mut old = Vec::new();
    for _ in 0..4 {
        let (key, record) = (key(), began_at(then));
        create(store, &key, &record).await;
        old.push((key, record));
    }
    let (young, record) = (key(), began_at(then.saturating_add(1)));
    create(store, &young, &record).await;
    let (moved, base) = (key(), loaded(store, &old[0].0).await);
    rotated(store, &old[0].0, &moved, &base).await;
    old[0].0 = moved;
    let mut ended = Vec::new();
    while ended.last() != Some(&0) && ended.len() < 100 {
        ended.push(
            inventory
                .delete_begun(then, 3)
                .await
                .expect("delete_begun works"),
        );
    }
    assert!(ended.iter().all(|&count| count <= 3), "{ended:?}");
    assert!(ended.iter().sum::<u64>() >= 4, "{ended:?}");
    for (key, _) in &old {
        assert!(is_absent(store, key, NOW).await);
    }
    assert!(!is_absent(store, &young, NOW).await);
}

/// A sample has no more than it may, no session twice, and is exact where it is all.
pub async fn a_sample_is_bounded_and_honest<S: SessionStore>(store: &S) {
    let Some(inventory) = store.inventory() else {
        return;
    };
    let (_, record) = filed(store, "{}").await;
    filed(store, "{}").await;
    let few = inventory.sample(1, NOW).await.expect("sample works");
    assert!(few.sessions.len() <= 1 && few.total >= 1 && !few.exact);
    let all = inventory.sample(100_000, NOW).await.expect("sample works");
    let handles: HashSet<_> = all.sessions.iter().map(|session| session.handle).collect();
    assert_eq!(handles.len(), all.sessions.len(), "each at most once");
    assert!(all.exact && all.total == all.sessions.len() as u64);
    assert!(handles.contains(&record.handle));
}

/// A walk meets every record, under its key, and ends.
pub async fn a_walk_meets_every_record<S: SessionStore>(store: &S) {
    let Some(inventory) = store.inventory() else {
        return;
    };
    let mut waiting = HashSet::new();
    for number in 0..5 {
        let (key, _) = filed(store, &format!(r#"{{"n":{number}}}"#)).await;
        waiting.insert(key);
    }
    let mut after: Option<Cursor> = None;
    loop {
        let batch = match inventory.walk(after.as_ref(), 2).await {
            // A store that keeps no whole keys.
            Err(StoreError::Unsupported) => return,
            batch => batch.expect("walk works"),
        };
        for (key, record) in batch.records {
            if waiting.remove(&key) {
                let filed = loaded(store, &key).await;
                assert_eq!(record.expect("it can be read").handle, filed.handle);
            }
        }
        match batch.next {
            // As a program does that was stopped and goes on.
            Some(next) => after = Some(Cursor::new(next.as_str())),
            None => break,
        }
    }
    assert!(waiting.is_empty(), "{} not met", waiting.len());
}

async fn newest(
    inventory: &dyn Inventory,
    after: Option<Position>,
    limit: usize,
    now: Timestamp,
) -> Vec<(Position, Handle)> {
    let page = inventory
        .newest(after, limit, now)
        .await
        .expect("newest works");
    page.iter()
        .map(|session| (session.position(), session.handle))
        .collect()
}

/// Sessions whose ids are newer than those of all other checks, and the place in the list before the first.
async fn filed_in_a_time_of_their_own<S: SessionStore>(
    store: &S,
    count: i64,
) -> (Position, Vec<(StoreKey, Record)>) {
    // Two checks at once, or one check twice on a store that stays, draw different decades.
    let draw = Handle::random().expect("the system has randomness");
    let decade = i64::from(u16::from_be_bytes([draw.as_bytes()[0], draw.as_bytes()[1]]));
    let base = Timestamp::from_unix(10_000_000_000 + decade * 1_000_000);
    let mut filed = Vec::new();
    for number in 0..count {
        let mut record = record("{}");
        // Two of each second.
        record.renewed = base.saturating_add(number / 2);
        record.expires = base.saturating_add(1_000);
        let key = key();
        create(store, &key, &record).await;
        filed.push((key, record));
    }
    let start = Position {
        renewed: base.saturating_add(count),
        handle: Handle::from_bytes([0xff; 12]),
    };
    (start, filed)
}

async fn rotated<S: SessionStore>(store: &S, from: &StoreKey, to: &StoreKey, base: &Record) {
    let patch = Patch::default();
    let rotated = store.rotate(from, to, base, &patch, Some(LATER), NOW).await;
    applied(rotated.expect("rotate works"));
}

fn began_at(created: Timestamp) -> Record {
    let mut record = record("{}");
    record.created = created;
    record
}
